import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Action } from '../../src/call.ts';
import { mint, type Permit } from '../../src/gate/permit.ts';
import type { Obligations } from '../../src/policy/decision.ts';
import type { End, StopReport } from '../../src/ssh/command/end.ts';
import type { Command } from '../../src/ssh/fleet.ts';
import { after } from '../../src/ssh/timer.ts';
import { testConnections } from '../support/connections.ts';
import { runOf, type TestFleet, testFleet } from '../support/fleet.ts';
import { untilTrue } from '../support/until.ts';
import type { Ground, Login } from './ground.ts';
import { clear, processesIn } from './trace.ts';
import type { Tree } from './trees.ts';

/** Every way in which this process ends what runs. */
export const WAYS = ['cancel', 'time-out', 'output cap', 'revoked', 'disconnect', 'session end', 'shutdown'] as const;
export type Way = (typeof WAYS)[number];

/** How a tree is stopped, and where it runs: on a terminal or in a managed session or as a command; looked at by the warden or by a reaper of its own. */
export type Case = {
  readonly tree: Tree;
  readonly way: Way;
  readonly login: Login;
  readonly terminal: boolean;
  readonly warden: boolean;
};

/** What all of one batch have in common. */
export type Batch = Pick<Case, 'way' | 'login' | 'warden'> & { readonly cases: readonly Case[] };

/** Only the timer of a command's life takes so long, and it is let run out by hand. */
const LIFE_MS = 7_654_321;
/** A busy machine may need longer for KILL than a person wants to wait; when it obeys, nothing is slower. */
const GRACE_MS = [150, 400, 6_000] as const;
const FLOOD_BYTES = 100_000;
const SHUTDOWN_MS = 15_000;

type Running = {
  readonly one: Case;
  readonly place: { readonly path: string; readonly seconds: string };
  readonly command: Command;
  readonly session: string | undefined;
  readonly revoke: AbortController;
};

/** A fleet whose commands' time-outs come when they are told to. */
export type Stage = Disposable & { readonly web: TestFleet; readonly letTimeOut: () => void };

/** A stage over the ground; with a warden on the connection or without. */
export const stageOn = (ground: Ground, { login, warden }: Pick<Case, 'login' | 'warden'>): Stage => {
  const host = ground.host(login);
  const lives = new Set<() => void>();
  const lease = { leaseMs: 60_000, graceMs: GRACE_MS };
  const connections = testConnections([host], {
    knownHosts: [ground.sshd.knownHosts],
    ...(warden ? { lease } : {}),
  });
  const web = testFleet(host, {
    knownHosts: ground.sshd.knownHosts,
    connections,
    graceMs: GRACE_MS,
    caps: { sessionLifeMs: LIFE_MS },
    after: (ms, run) => {
      if (ms !== LIFE_MS) return after(ms, run);
      lives.add(run);
      return () => void lives.delete(run);
    },
  });
  return {
    web,
    letTimeOut: () => {
      for (const run of [...lives]) run();
    },
    [Symbol.dispose]: () => {
      web[Symbol.dispose]();
      connections.closeAll();
    },
  };
};

/** Starts every case of a batch, stops them all, and says what was wrong about that. */
export const stopBatch = async (ground: Ground, batch: Batch): Promise<readonly string[]> => {
  using stage = stageOn(ground, batch);
  const running = await Promise.all(batch.cases.map(one => begin(stage.web, one, ground)));
  await Promise.all(running.map(({ place }) => untilUp(place.path)));
  const stopping = stopAll(stage, batch.way, running);
  const problems = await Promise.all(running.map(one => judge(one, stopping)));
  return problems.flat();
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Resolves when the tree in a directory stands. */
export const untilUp = (path: string): Promise<void> => untilTrue(() => isThere(join(path, 'up')));

/** The text that makes a tree in its directory, and for the cap of output beside it what writes without end. */
export const textOf = ({ tree, way }: Pick<Case, 'tree' | 'way'>, { path, seconds }: Running['place']): string => {
  const text = tree.text(seconds);
  if (way !== 'output cap') return `cd ${path}; ${text}`;
  return `cd ${path}; { ${text}\n} & until [ -e up ]; do sleep 0.02; done; exec yes`;
};

const begin = async (web: TestFleet, one: Case, ground: Ground): Promise<Running> => {
  const place = await ground.place();
  const revoke = new AbortController();
  const obligations: Obligations = one.way === 'output cap' ? { maxOutputBytes: FLOOD_BYTES } : {};
  const permit = <A extends Action>(action: A): Permit<A> =>
    mint({ id: 'call_1', grant: 'local', tool: 'test', input: {}, action, at: 0 }, obligations, revoke.signal);
  const text = textOf(one, place);
  const found = { one, place, revoke };
  if (one.terminal) {
    const size = { cols: 80, rows: 24 };
    const program = { text };
    const open = { kind: 'open', mode: 'program', target: web.target, size, program, asked: program } as const;
    const session = await web.fleet.open(permit(open));
    if (session.mode === 'managed') throw new Error('a terminal was asked for');
    return { ...found, command: session.command, session: session.id };
  }
  if (one.way !== 'session end')
    return {
      ...found,
      command: await web.fleet.run(permit(runOf(web.target, text, { timeoutMs: LIFE_MS }))),
      session: undefined,
    };
  const { session, begin: send } = await web.open();
  const line = await send(text);
  if (line.kind === 'done') throw new Error('a command was sent');
  return { ...found, command: line.command, session: session.id };
};

/** What came of stopping: a report for each, by command. */
type Stopping = (one: Running) => Promise<StopReport>;

const stopAll = (stage: Stage, way: Way, running: readonly Running[]): Stopping => {
  const { fleet, permit, target } = stage.web;
  const byEnd: Stopping = async ({ command }) => reportOf(await command.ended);
  switch (way) {
    case 'cancel':
      return ({ command }) => stage.web.cancel(command);
    case 'session end':
      return async ({ session = '' }) =>
        (await fleet.end(permit({ kind: 'stop', what: 'session', id: session }))).report;
    case 'disconnect': {
      const stopped = fleet.disconnect(permit({ kind: 'stop', what: 'connection', target }));
      return async ({ command }) => {
        const found = (await stopped).stopped.find(({ command_id }) => command_id === command.id);
        if (found === undefined) throw new Error('disconnecting did not tell of it');
        const { command_id, ...report } = found;
        return report;
      };
    }
    case 'time-out':
      stage.letTimeOut();
      return byEnd;
    case 'revoked':
      for (const { revoke } of running) revoke.abort();
      return byEnd;
    case 'shutdown': {
      const down = fleet.shutdown(SHUTDOWN_MS);
      return async one => {
        await down;
        return await byEnd(one);
      };
    }
    case 'output cap':
      return byEnd;
  }
};

/** How each way is told in the end. */
const CAUSES = {
  cancel: 'cancelled',
  'time-out': 'timed_out',
  'output cap': 'cancelled',
  revoked: 'revoked',
  disconnect: 'cancelled',
  'session end': 'cancelled',
  shutdown: 'cancelled',
} as const satisfies Record<Way, End['how']>;

const reportOf = (end: End): StopReport => {
  if ('stop' in end) return end.stop;
  throw new Error(`it ended by itself: ${JSON.stringify(end)}`);
};

/** A generation that is born while one looks is not seen; it tells of itself by writing its file again. */
const GENERATION_MS = 400;

/** What of a tree is alive in its directory, which then is empty. */
export const leftIn = async ({ generations }: Tree, path: string): Promise<readonly string[]> => {
  const left = await processesIn(path);
  const file = join(path, 'up');
  if (generations === true) {
    await rm(file, { force: true });
    await setTimeout(GENERATION_MS);
  }
  const again = generations === true && (await isThere(file)) ? ['a generation that came later'] : [];
  await clear(path);
  return [...left, ...again];
};

const LADDER = ['INT', 'TERM', 'KILL'];

const judge = async (running: Running, stopping: Stopping): Promise<readonly string[]> => {
  const { one, place, command } = running;
  const report = await stopping(running);
  const left = await leftIn(one.tree, place.path);
  const end = await command.ended;
  const { tree, way, login, terminal, warden } = one;
  const name = `${tree.what}, ${way}, ${login} login, ${terminal ? 'terminal' : 'pipes'}, ${warden ? 'warden' : 'reaper'}`;
  const problems = [
    ...(report.outcome === 'confirmed' ? [] : [`is ${report.outcome}: ${JSON.stringify(report)}`]),
    ...(left.length === 0 ? [] : [`left ${left.join('; ')}`]),
    ...(end.how === CAUSES[way] ? [] : [`ended as ${JSON.stringify(end)}`]),
    ...(report.signals.length > 0 && report.signals.every((signal, at) => signal === LADDER[at])
      ? []
      : [`was sent ${report.signals.join(' ')}`]),
    ...(report.remaining.length === 0 ? [] : [`remaining ${JSON.stringify(report.remaining)}`]),
  ];
  return problems.map(problem => `${name} ${problem}`);
};
