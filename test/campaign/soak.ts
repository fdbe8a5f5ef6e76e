// Twenty sessions at work for half an hour: node scripts/run.mjs test/campaign/soak.ts --minutes 30 --commands 200000 --seed 1
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ALLOW_ALL, home, hostEntry } from '../support/home.ts';
import { noneLeft } from '../support/processes.ts';
import { startSshd } from '../support/sshd.ts';
import { type Chance, chance, oneOf } from './chance.ts';
import { type LongClient, longClient } from './client.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    commands: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
  },
});
const SESSIONS = 20;
const HOSTS = ['web-1', 'web-2'] as const;
const SAMPLE_MS = 10_000;
/** The caches of a process fill in its first minutes; the slope is taken from there on. */
const WARM_MS = 180_000;

const seconds = `9${randomBytes(4).readUInt32BE()}`;
const sum = { commands: 0, kept: 0, stops: 0, timeouts: 0, terminals: 0, sessions: 0, wrong: 0 };
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const wrong = (what: string, answer: unknown): void => {
  sum.wrong += 1;
  say(`WRONG ${what}: ${JSON.stringify(answer).slice(0, 600)}`);
};

type Worker = { readonly client: LongClient; readonly host: string; readonly next: Chance; session: unknown };
type Step = (worker: Worker) => Promise<void>;

const expectEnd = (what: string, answer: Readonly<Record<string, unknown>>, code: number, stdout: string): void => {
  sum.commands += 1;
  if (answer.status !== 'exited' || answer.exit_code !== code || answer.stdout !== stdout) wrong(what, answer);
};

const line: Step = async ({ client, next, session }) => {
  const word = `w${next(1e9)}`;
  const code = next(4);
  const input = code === 0 ? `echo ${word}` : `echo ${word}; (exit ${code})`;
  expectEnd('line', await client.call('ssh_session_send', { session_id: session, input }), code, `${word}\n`);
};

const exec: Step = async ({ client, host, next }) => {
  const word = `w${next(1e9)}`;
  expectEnd('exec', await client.call('ssh_exec', { host, argv: ['echo', word] }), 0, `${word}\n`);
};

/** More than is shown at once is cut, and what was left out is counted. */
const SHOWN_BYTES = 12_000;

const much: Step = async ({ client, host, next }) => {
  const bytes = oneOf(next, [1_000, SHOWN_BYTES, 100_000, 1_000_000]);
  const answer = await client.call('ssh_exec', { host, command: `yes 123456789012345 | head -c ${bytes}` });
  sum.commands += 1;
  const whole = typeof answer.stdout === 'string' && answer.stdout.length === bytes;
  if (answer.exit_code !== 0 || whole !== bytes <= SHOWN_BYTES || (answer.stdout_omitted === 0) !== whole)
    wrong('much', { ...answer, stdout: '' });
};

const keep: Step = async ({ client, next, session }) => {
  const value = `v${next(1e9)}`;
  await client.call('ssh_session_send', { session_id: session, input: `export WORD=${value}` });
  await client.call('ssh_session_send', { session_id: session, input: oneOf(next, ['cd /tmp', 'cd /', 'cd ~']) });
  const answer = await client.call('ssh_session_send', { session_id: session, input: 'echo "$WORD"' });
  expectEnd('keep', answer, 0, `${value}\n`);
  sum.kept += 1;
};

const stop: Step = async ({ client, host, next }) => {
  const command = oneOf(next, [
    `sleep ${seconds}`,
    `setsid sleep ${seconds} & sleep ${seconds}`,
    `trap '' INT; sleep ${seconds}; sleep ${seconds}`,
  ]);
  const { command_id } = await client.call('ssh_exec', { host, command, wait_ms: 1 + next(30) });
  const answer = await client.call('ssh_cancel_command', { command_id });
  sum.commands += 1;
  sum.stops += 1;
  if (answer.outcome !== 'confirmed') wrong('stop', answer);
};

const late: Step = async ({ client, host, next }) => {
  const run = { host, command: `sleep ${seconds}`, timeout_ms: 1_000 + next(1_000) };
  const answer = await client.call('ssh_exec', run);
  sum.commands += 1;
  sum.timeouts += 1;
  // In a queue that is longer than its time it never began.
  if (answer.status !== 'timed_out' && !JSON.stringify(answer).includes('BUSY')) wrong('late', answer);
};

const terminal: Step = async ({ client, host }) => {
  const begun = await client.call('ssh_session_start', { host, mode: 'program', command: 'cat' });
  const { session_id } = begun;
  if (session_id === undefined) return JSON.stringify(begun).includes('BUSY') ? undefined : wrong('terminal', begun);
  await client.call('ssh_session_send', { session_id, input: 'hello', keys: ['enter'], wait_ms: 1_000 });
  const seen = await client.call('ssh_session_read', { session_id, view: 'screen' });
  if (!JSON.stringify(seen).includes('hello')) wrong('screen', seen);
  const ended = await client.call('ssh_session_end', { session_id });
  sum.terminals += 1;
  if (ended.outcome !== 'confirmed') wrong('terminal end', ended);
};

const renew: Step = async worker => {
  const { client, host, session } = worker;
  if (session !== undefined) await client.call('ssh_session_end', { session_id: session });
  const { session_id, ...rest } = await client.call('ssh_session_start', { host });
  if (session_id === undefined) wrong('session', rest);
  worker.session = session_id;
  sum.sessions += 1;
};

const STEPS: readonly (readonly [Step, number])[] = [
  [line, 600],
  [exec, 300],
  [much, 40],
  [keep, 40],
  [stop, 12],
  [late, 4],
  [terminal, 2],
  [renew, 2],
];

const stepOf = (next: Chance): Step => {
  let at = next(STEPS.reduce((total, [, weight]) => total + weight, 0));
  for (const [step, weight] of STEPS) {
    at -= weight;
    if (at < 0) return step;
  }
  return line;
};

type Sample = { readonly atS: number; readonly rssMb: number; readonly descriptors: number };

const sampleOf = async (pid: number, atS: number): Promise<Sample> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
  return { atS, rssMb, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
};

/** What a line through the samples climbs in an hour. */
const slopeOf = (samples: readonly Sample[], of: (sample: Sample) => number): number => {
  const mean = (get: (sample: Sample) => number): number =>
    samples.reduce((total, sample) => total + get(sample), 0) / samples.length;
  const [x, y] = [mean(({ atS }) => atS), mean(of)];
  const above = samples.reduce((total, sample) => total + (sample.atS - x) * (of(sample) - y), 0);
  return (above / samples.reduce((total, { atS }) => total + (atS - x) ** 2, 0)) * 3600;
};

await using sshd = await startSshd({ config: ['LogLevel INFO'] });
const entry = await hostEntry(sshd);
const limits = { sessions: SESSIONS + 12, sessionsPerHost: SESSIONS };
await using place = await home(Object.fromEntries(HOSTS.map(name => [name, entry])), ALLOW_ALL, {
  knownHosts: [sshd.knownHosts],
  limits,
});
const client = longClient(place);
const began = performance.now();
const seed = Number(values.seed);
const workers = Array.from({ length: SESSIONS }, (_, index): Worker => {
  const host = HOSTS[index % HOSTS.length] ?? 'web-1';
  return { client, host, next: chance(seed * 1_000 + index), session: undefined };
});
await Promise.all(workers.map(renew));
// Whatever the server loads lazily is loaded before the first sample.
for (const step of [terminal, stop, much, keep]) for (const worker of workers.slice(0, 2)) await step(worker);

const samples: Sample[] = [];
let over = false;
const work = async (worker: Worker): Promise<void> => {
  while (!over) await stepOf(worker.next)(worker);
};
const sampling = setInterval(async () => {
  const sample = await sampleOf(client.pid, Math.round((performance.now() - began) / 1000));
  samples.push(sample);
  say(
    `${sample.atS} s rss ${sample.rssMb.toFixed(1)} MB, ${sample.descriptors} descriptors, load ${loadavg()[0]?.toFixed(1)}, ${JSON.stringify(sum)}`,
  );
  over ||= sum.commands >= Number(values.commands) || performance.now() - began > Number(values.minutes) * 60_000;
}, SAMPLE_MS);
await Promise.all(workers.map(work));
clearInterval(sampling);
const later = samples.filter(({ atS }) => atS * 1000 >= WARM_MS);
const halves = [later.slice(0, later.length / 2), later.slice(later.length / 2)];
const middle = (list: readonly Sample[], of: (sample: Sample) => number): number =>
  list.map(of).sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
say(`${sum.commands} commands in ${Math.round((performance.now() - began) / 1000)} s: ${JSON.stringify(sum)}`);
say(
  `rss: median ${halves.map(half => middle(half, ({ rssMb }) => rssMb).toFixed(1)).join(' then ')} MB, slope ${slopeOf(later, ({ rssMb }) => rssMb).toFixed(2)} MB/h`,
);
say(
  `descriptors: median ${halves.map(half => middle(half, ({ descriptors }) => descriptors)).join(' then ')}, slope ${slopeOf(later, ({ descriptors }) => descriptors).toFixed(2)}/h`,
);
const code = await client.end();
await noneLeft(seconds);
say(`the server ended with ${code}, and nothing of it is left`);
process.exitCode = sum.wrong === 0 && code === 0 ? 0 : 1;
