import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Seal } from '../../src/mcp/seal.ts';
import type { Entry, Service } from '../../src/mcp/server.ts';
import type { After } from '../../src/ssh/timer.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { type ManualClock, manualClock } from './clock.ts';
import { type TestHouse, testHouse } from './house.ts';
import type { Sshd } from './sshd.ts';

/** Whoever sits at the client is asked about everything on web-1, and about nothing on web-2. */
export const ASKED = {
  rules: [
    { id: 'free', effect: 'allow', hosts: ['web-2'], commands: 'any' },
    {
      id: 'asked',
      effect: 'ask',
      hosts: ['web-1'],
      commands: 'any',
      reason: 'Somebody must agree.',
      approval: { by: 'client', expires: '5m' },
    },
  ],
};

/** A house whose policy asks the client, what it is served by, and what came of it. */
export type Sitting = Disposable & {
  readonly behind: TestHouse;
  readonly service: Service;
  readonly entry: Entry;
  /** The time of the seals, and of nothing else. */
  readonly clock: ManualClock;
  /** Timers that nothing but `run` lets go off. */
  readonly timers: () => readonly { readonly ms: number; readonly run: () => void }[];
  /** A call that asks; its command leaves a line for each time that it ran. */
  readonly call: { readonly name: string; readonly arguments: Record<string, unknown> };
  readonly runs: () => number;
  /** What is on record about asking and refusing, in order. */
  readonly story: () => readonly string[];
};

/** Opens one over a real sshd; `folder` is where its command leaves its lines. */
export const sittingAt = async (sshd: Sshd, folder: string, document: object = ASKED): Promise<Sitting> => {
  const hosts = [await sshd.host({ name: 'web-1' }), await sshd.host({ name: 'web-2' })];
  const behind = testHouse(hosts, document, [sshd.knownHosts], { asks: {} });
  const ran = join(folder, 'ran');
  rmSync(ran, { force: true });
  let timers: readonly { readonly ms: number; readonly run: () => void }[] = [];
  const after: After = (ms, run) => {
    const timer = { ms, run };
    timers = [...timers, timer];
    return () => {
      timers = timers.filter(one => one !== timer);
    };
  };
  let calls = 0;
  const clock = manualClock();
  const log = (): void => undefined;
  const service: Service = {
    tools: TOOLS,
    house: behind.house,
    grant: 'local',
    shows: () => true,
    newCallId: () => {
      calls += 1;
      return `call_${calls}`;
    },
    seal: new Seal(randomBytes, clock),
    after,
    clock,
    log,
  };
  return {
    behind,
    service,
    entry: { version: '0', open: async () => service, log },
    clock,
    timers: () => timers,
    call: { name: 'ssh_exec', arguments: { host: 'web-1', command: `echo ran >>${ran}` } },
    runs: () => (existsSync(ran) ? readFileSync(ran, 'utf8').split('\n').length - 1 : 0),
    story: () => storyOf(behind),
    [Symbol.dispose]: () => behind[Symbol.dispose](),
  };
};

const storyOf = ({ records }: TestHouse): readonly string[] =>
  records.flatMap(record => {
    switch (record.event) {
      case 'asked':
        return [`asked ${record.host}`];
      case 'shown':
        return [`shown ${record.channel}`];
      case 'answered':
        return [`answered ${record.decision}`];
      case 'used':
        return ['used'];
      case 'expired':
        return [`ended ${record.how}`];
      case 'refused':
        return [`refused ${record.code}`];
      default:
        return [];
    }
  });
