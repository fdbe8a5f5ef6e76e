import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, homeFor, type Raw, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

/** How long an exit may take; the contract's 100 ms, doubled for a shared machine that starts nothing in time. */
const EXIT_MS = 200;

const alive = (mark: string): readonly string[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(`sleep ${mark}`) && !line.includes('ps -A'));

const busy = async (server: Raw, mark: string): Promise<void> => {
  const run = { host: 'web-1', command: `sleep ${mark}`, wait_ms: 1 };
  const { session_id } = structured(await server.call('ssh_session_start', { host: 'web-1' }));
  const results = await Promise.all([
    server.call('ssh_exec', run),
    server.call('ssh_exec', run),
    server.call('ssh_session_send', { session_id, input: `sleep ${mark}`, wait_ms: 1 }),
  ]);
  expect(results.map(result => structured(result).status)).toEqual(['running', 'running', 'running']);
};

const WAYS: readonly { readonly way: string; readonly end: (server: Raw) => void }[] = [
  { way: 'the client closes stdin', end: server => void server.child.stdin.end() },
  { way: 'SIGTERM', end: server => void server.child.kill('SIGTERM') },
  { way: 'SIGINT', end: server => void server.child.kill('SIGINT') },
];

test.each(WAYS)(
  'on $way it exits at once with live commands and a session, and nothing of them stays',
  async ({ way, end }) => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    const mark = `7${WAYS.findIndex(one => one.way === way)}213.25`;
    const server = raw(place);
    await busy(server, mark);
    expect(alive(mark).length).toBeGreaterThan(0);
    const begun = performance.now();
    end(server);
    const { atMs } = await server.exited;
    expect(atMs - begun).toBeLessThan(EXIT_MS);
    expect(server.noise).toEqual([]);
    await expect.poll(() => alive(mark), { timeout: 2000 }).toEqual([]);
    const lines = await place.audit();
    expect(lines.filter(line => line.event === 'admitted').length).toBe(4);
  },
);

test('a client that is gone while an answer is written ends the server, without noise', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const server = raw(place);
  await server.call('ssh_list_hosts');
  server.child.stdout.destroy();
  server.send({ jsonrpc: '2.0', id: 9, method: 'ping' });
  const { signal } = await server.exited;
  expect(signal).toBe(null);
});

test('no host is dialled before a call needs one', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const before = sshd.counts().connections;
  await using server = raw(place);
  await server.request('server/discover');
  await server.request('tools/list');
  await server.call('ssh_list_hosts');
  await server.call('ssh_status');
  expect(sshd.counts().connections).toBe(before);
});

test('with floods of output on every lane it still exits at once', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const server = raw(place);
  const flood = { host: 'web-1', command: 'yes 71213.75', wait_ms: 1 };
  await Promise.all([1, 2, 3, 4].map(() => server.call('ssh_exec', flood)));
  const begun = performance.now();
  server.child.stdin.end();
  const { atMs } = await server.exited;
  expect(atMs - begun).toBeLessThan(2 * EXIT_MS);
});
