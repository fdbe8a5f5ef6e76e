import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { reader, run, type TestConnections, testConnections } from '../../support/connections.ts';
import { testFleet } from '../../support/fleet.ts';
import { changingInventory } from '../../support/inventory.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';

let gate: Sshd;
let inner: Sshd;
let bastion: Host;
let behind: readonly Host[];
beforeAll(async () => {
  inner = await startSshd();
});
afterAll(() => inner.close());
beforeEach(async () => {
  gate = await startSshd();
  bastion = await gate.host({ name: 'bastion' });
  behind = await Promise.all(['web', 'db', 'mail'].map(name => inner.host({ name, via: bastion })));
  return () => gate.close();
});

const knownHosts = (): { readonly knownHosts: readonly string[] } => ({
  knownHosts: [gate.knownHosts, inner.knownHosts],
});

const all = (connections: TestConnections): Promise<unknown> =>
  Promise.all(behind.map(({ name }) => run(connections, `echo ${name}`, { host: name })));

test('hosts behind one hop share one connection to it, and so does who works on the hop itself', async () => {
  using connections = testConnections([bastion, ...behind], knownHosts());
  expect(await all(connections)).toMatchObject(behind.map(({ name }) => ({ stdout: `${name}\n`, code: 0 })));
  expect(await run(connections, 'echo here', { host: 'bastion' })).toMatchObject({ stdout: 'here\n' });
  await gate.caughtUp();
  expect([gate.counts().logins, connections.dials.length]).toEqual([1, 1]);
});

test('a hop that is no configured host is shared as well, and is no host that anybody can ask for', async () => {
  using connections = testConnections(behind, knownHosts());
  await all(connections);
  await gate.caughtUp();
  expect([gate.counts().logins, connections.dials.length]).toEqual([1, 1]);
  expect(() => connections.get('bastion')).toThrow('No host is called "bastion".');
  expect(connections.all().map(({ host }) => host.name)).toEqual(['web', 'db', 'mail']);
});

test('a hop that bears the name of a configured host and is another account is not that host', async () => {
  const namesake = { ...bastion, port: 1 };
  using connections = testConnections([namesake, ...behind], knownHosts());
  await all(connections);
  await gate.caughtUp();
  expect([gate.counts().logins, connections.get('bastion').state()]).toEqual([1, 'idle']);
});

test('a hop is not idle while it carries a connection, and is when that has ended', async () => {
  using connections = testConnections([bastion, ...behind], {
    ...knownHosts(),
    caps: { idleLinkMs: 20, idleConnectionMs: 60 },
  });
  const { attach, ran } = reader();
  const channel = await connections.get('web').exec('cat', { attach });
  await new Promise(resolve => setTimeout(resolve, 250));
  expect([connections.get('bastion').state(), connections.get('bastion').carriesLinks()]).toEqual(['ready', true]);
  channel.end('still here');
  expect(await ran).toMatchObject({ stdout: 'still here', code: 0 });
  await untilTrue(() => connections.get('web').state() === 'closed');
  await untilTrue(() => connections.get('bastion').state() === 'closed');
});

test('closing a hop ends what it carries, and the next command dials both again', async () => {
  using connections = testConnections([bastion, ...behind], knownHosts());
  const { attach, ran } = reader();
  await connections.get('web').exec('cat', { attach });
  connections.get('bastion').close();
  expect(await ran).toMatchObject({ code: undefined });
  await untilTrue(() => connections.get('web').state() === 'closed');
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
});

test('disconnecting from a hop leaves it open while it carries others', async () => {
  const inventory = changingInventory([bastion, ...behind]);
  using connections = testConnections([], { ...knownHosts(), inventory });
  using fleet = testFleet(bastion, { knownHosts: gate.knownHosts, inventory, connections });
  await run(connections, 'true');
  await fleet.fleet.disconnect(fleet.permit({ kind: 'stop', what: 'connection', target: fleet.target }));
  expect(connections.get('bastion').state()).toBe('ready');
  connections.get('web').close();
  await untilTrue(() => !connections.get('bastion').carriesLinks());
  await fleet.fleet.disconnect(fleet.permit({ kind: 'stop', what: 'connection', target: fleet.target }));
  expect(connections.get('bastion').state()).toBe('closed');
});

test('a hop that is configured anew carries nobody any more', async () => {
  const inventory = changingInventory(behind);
  using connections = testConnections([], { ...knownHosts(), inventory });
  await run(connections, 'true');
  inventory.change(behind.slice(1));
  await run(connections, 'true', { host: 'db' });
  await gate.caughtUp();
  expect(gate.counts().logins).toBe(1);
  inventory.change(behind.map(host => ({ ...host, via: { ...bastion, tags: ['anew'] } })));
  await run(connections, 'true', { host: 'db' });
  await gate.caughtUp();
  expect(gate.counts().logins).toBe(2);
});

test('what runs behind a hop that is configured anew is stopped over it, and the stop is proved', async () => {
  const inventory = changingInventory([bastion, ...behind]);
  using connections = testConnections([], { ...knownHosts(), inventory });
  const [web = bastion] = behind;
  using fleet = testFleet(web, { knownHosts: inner.knownHosts, inventory, connections });
  const { command } = await fleet.start('trap "" INT; echo up; sleep 8.765');
  await command.stdout.grown(0);
  const anew = { ...bastion, tags: ['anew'] };
  inventory.change([anew, { ...web, via: anew }]);
  expect(await command.ended).toMatchObject({ how: 'revoked', stop: { outcome: 'confirmed', remaining: [] } });
  await gate.caughtUp();
  expect(gate.counts().logins).toBe(1);
});

test('twelve hosts behind one hop, all dialled at once, do not wait for each other for ever', async () => {
  const many = Array.from({ length: 12 }, (_, at) => ({ ...(behind[0] ?? bastion), name: `web-${at}` }));
  using connections = testConnections([bastion, ...many], knownHosts());
  const ran = await Promise.all(many.map(({ name }) => run(connections, `echo ${name}`, { host: name })));
  expect(ran.map(({ stdout }) => stdout)).toEqual(many.map(({ name }) => `${name}\n`));
  await gate.caughtUp();
  expect(gate.counts().logins).toBe(1);
});
