import { Failure } from '../../src/errors.ts';
import type { End } from '../../src/ssh/command/end.ts';
import { type After, after } from '../../src/ssh/timer.ts';
import { testConnections } from '../support/connections.ts';
import { runOf, type TestFleet, testFleet } from '../support/fleet.ts';
import { type Exec, type Manner, manners, type RudeHost, sendPacket, startRudeHost } from '../support/rude-host.ts';
import { type Chance, oneOf } from './chance.ts';

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const text = (value: string | Buffer): Buffer => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
const packet = (...parts: readonly (number | Buffer)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : part)));

/** What a well-behaved host answers to an exec (RFC 4254 sections 5 and 6): acceptance, output, status, end, close. */
const conversation = (channel: Buffer, next: Chance): Buffer[] => [
  packet(99, channel),
  ...Array.from({ length: next(4) }, () => packet(94, channel, text(Buffer.from('output '.repeat(next(9)))))),
  ...Array.from({ length: next(2) }, () => packet(95, channel, number(1), text('error'))),
  next(8) === 0
    ? packet(98, channel, text('exit-signal'), 0, text('TERM'), 0, text(''), text(''))
    : packet(98, channel, text('exit-status'), 0, number(next(3))),
  packet(96, channel),
  packet(97, channel),
];

type Mutation = (packets: Buffer[], next: Chance) => void;

const MUTATIONS: readonly Mutation[] = [
  // A byte of another value, mostly in the head of a packet, where lengths and numbers are.
  (packets, next) => {
    const one = oneOf(next, packets);
    one[next(Math.min(one.length, next(2) === 0 ? 12 : 64))] = oneOf(next, [0, 1, 127, 128, 255, next(256)]);
  },
  (packets, next) => void packets.splice(next(packets.length), 1),
  (packets, next) => void packets.splice(next(packets.length), 0, Buffer.from(oneOf(next, packets))),
  (packets, next) => {
    const [one] = packets.splice(next(packets.length), 1);
    if (one !== undefined) packets.splice(next(packets.length + 1), 0, one);
  },
  (packets, next) => {
    const at = next(packets.length);
    const one = packets[at];
    if (one !== undefined) packets[at] = one.subarray(0, 1 + next(one.length));
  },
  (packets, next) => {
    const at = next(packets.length);
    packets[at] = packet(packets[at] ?? Buffer.alloc(1), Buffer.alloc(1 + next(40), next(256)));
  },
  (packets, next) =>
    void packets.splice(next(packets.length), 0, Buffer.from(Array.from({ length: 1 + next(40) }, () => next(256)))),
  (packets, next) => packets.splice(next(packets.length)),
];

/** The statuses that these packets say for this channel, as a reader of the RFC finds them. */
const statusesIn = (packets: readonly Buffer[], id: number): readonly number[] => {
  const head = packet(98, number(id), text('exit-status'));
  return packets.flatMap(one =>
    one.subarray(0, head.length).equals(head) && one.length >= head.length + 5
      ? [one.readUInt32BE(head.length + 1)]
      : [],
  );
};

/** The codes that a host said, whatever else it said. */
type Said = { codes: readonly number[] };

const spoiled =
  (next: Chance, said: Said): Manner =>
  (exec: Exec) => {
    const packets = conversation(number(exec.id), next);
    for (let count = 1 + next(3); count > 0 && packets.length > 0; count -= 1) oneOf(next, MUTATIONS)(packets, next);
    said.codes = statusesIn(packets, exec.id);
    for (const one of packets) if (one.length > 0) sendPacket(exec.connection, one);
  };

/** How much faster than usual time-outs come, so that a host that says nothing costs little. */
const SPEED = 20;
const TIMEOUT_MS = 2_000;
const HANG_MS = 20_000;

/** How often each outcome came, and what was wrong. */
export type Outcomes = { readonly outcomes: Map<string, number>; readonly problems: string[] };

/** Runs commands on a host that spoils its answers, one after the other: nothing hangs, and no success is told that the host did not tell. */
export const spoilAnswers = async (next: Chance, count: number): Promise<Outcomes> => {
  const said: Said = { codes: [] };
  const mannerOf = (command: string): Manner => {
    if (command.startsWith('echo "sallyport:')) return manners.polite;
    return command.includes('SALLYPORT_REAPER=') ? manners.refuse : spoiled(next, said);
  };
  const result: Outcomes = { outcomes: new Map(), problems: [] };
  await using host = await startRudeHost({ exec: mannerOf });
  let fleet: TestFleet | undefined;
  for (let done = 0; done < count; done += 1) {
    // A fleet keeps what ended for a while: a new one now and then.
    if (done % 500 === 0) {
      fleet?.[Symbol.dispose]();
      fleet = fleetOn(host);
    }
    if (fleet === undefined) throw new Error('no fleet');
    said.codes = [];
    const end = await endOf(fleet);
    const name = typeof end === 'string' ? end : end.how;
    result.outcomes.set(name, (result.outcomes.get(name) ?? 0) + 1);
    const claimed = typeof end !== 'string' && end.how === 'exited' ? end.code : undefined;
    if (claimed !== undefined && !said.codes.includes(claimed))
      result.problems.push(`stream ${done}: exited ${claimed}, and the host said ${said.codes.join(' ') || 'nothing'}`);
    if (typeof end !== 'string' && 'stop' in end && end.stop.outcome === 'confirmed' && end.unsent !== true)
      result.problems.push(`stream ${done}: a stop is confirmed, and nobody looked`);
    if (name === 'hung' || name.startsWith('Error')) result.problems.push(`stream ${done}: ${name}`);
  }
  fleet?.[Symbol.dispose]();
  return result;
};

const fleetOn = (host: RudeHost): TestFleet => {
  const { knownHosts } = host;
  const quick: After = (ms, run) => after(ms / SPEED, run);
  const pause = (ms: number): Promise<void> => new Promise(resolve => void quick(ms, resolve));
  const connections = testConnections([host.host()], { knownHosts: [knownHosts], pause });
  const fleet = testFleet(host.host(), { knownHosts, connections, after: quick });
  return {
    ...fleet,
    [Symbol.dispose]: () => {
      fleet[Symbol.dispose]();
      connections.closeAll();
    },
  };
};

const endOf = async ({ fleet, permit, target }: TestFleet): Promise<End | string> => {
  let call: () => void = () => undefined;
  const hung = new Promise<string>(resolve => {
    call = after(HANG_MS, () => resolve('hung'));
  });
  const ran = fleet.run(permit(runOf(target, 'x', { timeoutMs: TIMEOUT_MS }))).then(
    command => command.ended,
    (error: unknown) => (error instanceof Failure ? error.code : `Error ${String(error)}`),
  );
  const end = await Promise.race([ran, hung]);
  call();
  return end;
};
