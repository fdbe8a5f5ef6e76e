import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { run, testConnections } from '../../support/connections.ts';
import { lifeOf, ranOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { type ChangingInventory, changingInventory } from '../../support/inventory.ts';
import { noneLeft } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';

let sshd: Sshd;
let host: Host;
let inventory: ChangingInventory;
let web: TestFleet;
beforeAll(async () => {
  sshd = await startSshd();
  host = await sshd.host();
});
afterAll(() => sshd.close());
beforeEach(() => {
  inventory = changingInventory([host]);
  web = testFleet(host, { knownHosts: sshd.knownHosts, inventory });
  return () => web[Symbol.dispose]();
});

const status = () => web.fleet.status(web.permit({ kind: 'observe', what: 'status' }));

test.each([
  ['is gone', () => []],
  ['is another now', () => [{ ...host, tags: ['prod'] }]],
])('what runs on a host that %s is stopped and ends as revoked, and so does what waits', async (_title, change) => {
  const seconds = `87${Math.floor(Math.random() * 1e9)}`;
  const running = await Promise.all(Array.from({ length: 5 }, () => web.start(`echo up; exec sleep ${seconds}`)));
  await Promise.all(running.map(({ command }) => command.stdout.grown(0)));
  const waiting = await web.start('echo never');
  inventory.change(change());
  for (const { command } of running)
    expect(await command.ended).toMatchObject({ how: 'revoked', stop: { outcome: 'confirmed', remaining: [] } });
  expect(await waiting.command.ended).toMatchObject({ how: 'revoked', unsent: true });
  expect(await lifeOf(waiting.permit)).toMatchObject({ how: 'revoked' });
  await noneLeft(seconds);
});

test('a session on it is over, and a terminal', async () => {
  const shell = await web.open();
  const line = await shell.begin('exec sleep 8.654');
  const terminal = await web.fleet.open(
    web.permit({ kind: 'open', mode: 'terminal', target: web.target, size: { cols: 80, rows: 24 } }),
  );
  inventory.change([]);
  expect(line.kind === 'command' ? await line.command.ended : line).toMatchObject({ how: 'revoked' });
  expect('command' in terminal ? await terminal.command.ended : terminal).toMatchObject({ how: 'revoked' });
  expect(() => web.fleet.directory.session('local', shell.session.id)).toThrow('There is no session');
});

test('its connection is closed, and the next call dials the host as it is now', async () => {
  await using other = await startSshd();
  const connections = testConnections([], { inventory, knownHosts: [sshd.knownHosts, other.knownHosts] });
  await run(connections, 'true');
  const old = connections.get('web');
  inventory.change([await other.host()]);
  await untilTrue(() => old.state() === 'closed');
  await expect(old.exec('true')).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(connections.get('web')).not.toBe(old);
  expect(await run(connections, 'echo new')).toMatchObject({ stdout: 'new\n' });
  await other.caughtUp();
  expect(other.counts().logins).toBe(1);
  connections.closeAll();
});

test('a host that did not change keeps its connection, and one that is gone is none any more', async () => {
  const db = { ...host, name: 'db' };
  inventory = changingInventory([host, db]);
  using connections = testConnections([], { inventory, knownHosts: [sshd.knownHosts] });
  await Promise.all([run(connections, 'true'), run(connections, 'true', { host: 'db' })]);
  const kept = connections.get('web');
  inventory.change([host]);
  expect([connections.get('web') === kept, kept.state()]).toEqual([true, 'ready']);
  expect(() => connections.get('db')).toThrow('No host is called "db".');
  expect(connections.all()).toEqual([kept]);
});

test('a command that was judged for the old host is not run on the new one', async () => {
  await using other = await startSshd();
  await web.run('true');
  const judged = web.permit({
    kind: 'exec',
    target: web.target,
    program: { text: 'echo never' },
    env: {},
    timeoutMs: 60_000,
  });
  inventory.change([await other.host()]);
  await expect(web.fleet.run(judged)).rejects.toMatchObject({ code: 'UNKNOWN_HOST', next: 'Call again.' });
  await other.caughtUp();
  expect(other.counts().connections).toBe(0);
});

test('a stop is proved though the connection it runs over is not used for anything else any more', async () => {
  const { command } = await web.start('trap "" INT TERM; echo up; while :; do sleep 0.1; done');
  await command.stdout.grown(0);
  inventory.change([]);
  expect(await command.ended).toMatchObject({
    how: 'revoked',
    stop: { outcome: 'confirmed', signals: ['INT', 'TERM', 'KILL'] },
  });
  await untilTrue(async () => (await status()).connections.length === 0);
});

test('what a detached command has written is read over the connection of the same account as it is configured now', async () => {
  const { command } = await web.start('echo kept; exit 3', { detach: true });
  inventory.change([{ ...host, tags: ['prod'] }]);
  const found = await web.fleet.command(web.permit({ kind: 'observe', what: 'command', id: command.id }), 5_000);
  expect(await ranOf(found)).toMatchObject({ end: { how: 'exited', code: 3 }, stdout: 'kept\n' });
});
