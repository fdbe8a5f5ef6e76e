import { randomBytes } from 'node:crypto';
import type { Outcome } from '../../src/audit/record.ts';
import type { Action, Observe, Program, Run, Stop, Target } from '../../src/call.ts';
import { mint, type Permit } from '../../src/gate/permit.ts';
import type { Obligations } from '../../src/policy/decision.ts';
import type { End, StopReport } from '../../src/ssh/command/end.ts';
import { targetOf } from '../../src/ssh/directory.ts';
import {
  type Command,
  createFleet,
  type Fleet,
  type FleetParts,
  type Line,
  type Session,
} from '../../src/ssh/fleet.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory } from '../../src/ssh/inventory.ts';
import { realClock } from './clock.ts';
import { testConnections } from './connections.ts';

/** A fleet as a test uses it: permits are minted as the gate would. */
export type TestFleet = Disposable & {
  readonly fleet: Fleet;
  readonly target: Target;
  readonly permit: <A extends Action>(action: A, grant?: string, obligations?: Obligations) => Permit<A>;
  /** Starts a command for a permit that is kept, so that its life can be looked at. */
  readonly start: (program: Program | string, more?: Partial<Run>, grant?: string) => Promise<Started>;
  /** Runs a command to its end. */
  readonly run: (program: Program | string, more?: Partial<Run>) => Promise<Ran>;
  readonly cancel: (command: Command, grant?: string) => Promise<StopReport>;
  readonly open: (grant?: string) => Promise<TestSession>;
};

export type Started = { readonly command: Command; readonly permit: Permit<Run> };

export type Ran = { readonly end: End; readonly stdout: string; readonly stderr: string };

export type TestSession = {
  readonly session: Session;
  /** Runs one line, to its end when it is a command. */
  readonly send: (text: string) => Promise<{ code: number | string; stdout: string; stderr: string }>;
  /** Sends one line and does not wait for it. */
  readonly begin: (text: string) => Promise<Line>;
  readonly end: () => Promise<StopReport>;
};

type Options = Partial<FleetParts> & { readonly knownHosts: string };

/** A fleet over one host. */
export const testFleet = (host: Host, { knownHosts, ...parts }: Options): TestFleet => {
  const { inventory = fixedInventory([host]) } = parts;
  const connections = testConnections([host], { inventory, knownHosts: [knownHosts] });
  const fleet = createFleet({
    inventory,
    connections,
    clock: realClock,
    random: randomBytes,
    ...parts,
  });
  const target = targetOf(host);
  const permit: TestFleet['permit'] = (action, grant = 'local', obligations = {}) =>
    mint({ id: 'call_1', grant, tool: 'test', input: {}, action, at: 0 }, obligations);
  const start: TestFleet['start'] = async (program, more = {}, grant = 'local') => {
    const allowed = permit(runOf(target, program, more), grant);
    return { command: await fleet.run(allowed), permit: allowed };
  };
  return {
    fleet,
    target,
    permit,
    start,
    run: async (program, more) => await ranOf((await start(program, more)).command),
    cancel: async (command, grant = 'local') => {
      const stop: Stop = { kind: 'stop', what: 'command', id: command.id };
      return (await fleet.cancel(permit(stop, grant))).report;
    },
    open: async (grant = 'local') => {
      const session = await fleet.open(permit({ kind: 'open', mode: 'managed', target }, grant));
      if (session.mode !== 'managed') throw new Error('a managed session was asked for');
      return testSession(fleet, session, permit, grant);
    },
    [Symbol.dispose]: () => connections.closeAll(),
  };
};

/** The action of running a program, with nothing unusual about it. */
export const runOf = (target: Target, program: Program | string, more: Partial<Run> = {}): Run => ({
  kind: 'exec',
  target,
  program: typeof program === 'string' ? { text: program } : program,
  env: {},
  timeoutMs: 60_000,
  ...more,
});

/** Waits for a command, and reads all that is kept of it. */
export const ranOf = async (command: Command): Promise<Ran> => {
  const end = await command.ended;
  return { end, stdout: command.stdout.read(0, 1e9).text, stderr: command.stderr.read(0, 1e9).text };
};

const testSession = (fleet: Fleet, session: Session, permit: TestFleet['permit'], grant: string): TestSession => {
  const begin: TestSession['begin'] = async text => {
    const { id, target, cwd, env } = fleet.directory.session(grant, session.id);
    const action = runOf(target, text, { cwd, env, session: id });
    return await sendLine(fleet, permit(action, grant));
  };
  return {
    session,
    begin,
    send: async text => {
      const line = await begin(text);
      if (line.kind === 'done') return { code: line.code, stdout: line.stdout, stderr: line.stderr };
      const { end, stdout, stderr } = await ranOf(line.command);
      await line.note;
      return { code: end.how === 'exited' ? end.code : end.how, stdout, stderr };
    },
    end: async () => {
      const stop: Stop = { kind: 'stop', what: 'session', id: session.id };
      return (await fleet.end(permit(stop, grant))).report;
    },
  };
};

/** Sends a line to a managed session. */
export const sendLine = async (fleet: Fleet, permit: Permit<Run>): Promise<Line> => {
  const sent = await fleet.send(permit);
  if (sent.kind !== 'line') throw new Error('a line was sent');
  return sent.line;
};

/** A look at one command. */
export const look = (id: string): Observe => ({ kind: 'observe', what: 'command', id });

/** The life of a permit, which must have one. */
export const lifeOf = async (permit: Permit<Action>): Promise<Outcome> => {
  if (permit.life === undefined) throw new Error('the permit did not outlive its call');
  return await permit.life;
};
