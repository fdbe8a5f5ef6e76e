import { randomBytes } from 'node:crypto';
import { setTimeout as pauseFor } from 'node:timers/promises';
import type { Audit, AuditRecord } from '../../src/audit/record.ts';
import { Failure } from '../../src/errors.ts';
import { Asking, type AskParts } from '../../src/gate/ask.ts';
import { Gate } from '../../src/gate/gate.ts';
import { compile } from '../../src/policy/compile.ts';
import type { Policy } from '../../src/policy/decide.ts';
import { createFleet, type FleetParts } from '../../src/ssh/fleet.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory } from '../../src/ssh/inventory.ts';
import { memoryStore } from '../../src/state/memory.ts';
import type { Answer, House, Tool } from '../../src/tools/tool.ts';
import { realClock } from './clock.ts';
import { testConnections } from './connections.ts';

/** Everything behind the tools over some hosts, with a list as its record, and a way to call them. */
export type TestHouse = Disposable & {
  readonly house: House;
  readonly records: readonly AuditRecord[];
  /** How often anything was dialled. */
  readonly dials: () => number;
  /** Puts another policy in force. */
  readonly reload: (document: object) => void;
  readonly call: (
    tool: Tool,
    args: Record<string, unknown>,
    more?: { readonly signal?: AbortSignal; readonly progress?: (message: string) => void },
  ) => Promise<Answer>;
};

/** Makes one; calls are `call_1` of the grant `local`. */
export const testHouse = (
  hosts: readonly Host[],
  document: object,
  knownHosts: readonly string[],
  { asks, ...more }: Pick<FleetParts, 'files'> & { readonly asks?: Partial<AskParts> } = {},
): TestHouse => {
  const compiled = (document: object): Policy =>
    compile(JSON.stringify({ version: '1', default: 'allow', ...document }), 'policy.json');
  let inForce = compiled(document);
  const policy = (): Policy => inForce;
  const records: AuditRecord[] = [];
  const audit: Audit = {
    admit: async record => void records.push(record),
    note: record => void records.push(record),
    close: () => undefined,
  };
  const [clock, log] = [realClock, () => undefined];
  const store = memoryStore(clock);
  const parts = { policy, store, audit, clock, log };
  const asking = asks === undefined ? {} : { asking: new Asking({ ...parts, ...ASKING, ...asks }) };
  const gate = new Gate({ ...parts, ...asking });
  const connections = testConnections(hosts, { knownHosts });
  const fleet = createFleet({ inventory: fixedInventory(hosts), connections, clock, random: randomBytes, ...more });
  const never = async (): Promise<never> => {
    throw new Error('the list of hosts stays as it is');
  };
  const house: House = { gate, fleet, hosts: { add: never, remove: never }, version: '0' };
  return {
    house,
    records,
    dials: () => connections.dials.length,
    reload: another => {
      inForce = compiled(another);
      gate.rejudge();
    },
    call: async (tool, args, { signal = new AbortController().signal, progress = () => undefined } = {}) =>
      await tool.serve(args, { id: 'call_1', grant: 'local', signal, progress, failureOf }, house),
    [Symbol.dispose]: () => connections.closeAll(),
  };
};

/** Every host is known by one key, and much may be asked. */
const ASKING = {
  hostKeysOf: async () => ['SHA256:known'],
  limits: { perMinute: 100, waiting: 100 },
  pause: async (ms: number, signal: AbortSignal) =>
    void (await pauseFor(ms, undefined, { signal }).catch(() => undefined)),
  later: () => undefined,
};

/** Anything but a failure fails the test. */
const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error;
  throw error;
};
