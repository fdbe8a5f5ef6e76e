import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mint } from '../../../src/gate/permit.ts';
import { CAPS } from '../../../src/ssh/caps.ts';
import { createFleet } from '../../../src/ssh/fleet.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { type After, after } from '../../../src/ssh/timer.ts';
import { manualClock, realClock } from '../../support/clock.ts';
import { testConnections } from '../../support/connections.ts';
import { lifeOf, testFleet } from '../../support/fleet.ts';
import { changingInventory } from '../../support/inventory.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';
import { ask, echo, exchange, listens, reach, type Service, service, tell, tunnelOn } from './tunnels.ts';

let sshd: Sshd;
let echoes: Service;
let host: Host;
beforeAll(async () => {
  [sshd, echoes] = await Promise.all([startSshd(), service(echo)]);
  host = await sshd.host();
});
afterAll(async () => {
  await sshd.close();
  await echoes[Symbol.asyncDispose]();
});

const fleetOf = (more: Partial<Host> = {}, parts = {}) =>
  testFleet({ ...host, ...more }, { knownHosts: sshd.knownHosts, ...parts });
const here = (port = echoes.port) => ({ host: '127.0.0.1', port });

/** Timers that go off when they are told to, if they are of these spans; others are real. */
const timers = (...spans: readonly number[]) => {
  const waiting = new Map<number, () => void>();
  const manual: After = (ms, run) => {
    if (!spans.includes(ms)) return after(ms, run);
    waiting.set(ms, run);
    return () => {
      if (waiting.get(ms) === run) waiting.delete(ms);
    };
  };
  return { after: manual, has: (ms: number) => waiting.has(ms), goOff: (ms: number) => waiting.get(ms)?.() };
};

describe.each(['local', 'remote'] as const)('a %s tunnel', direction => {
  test('is carried again when its connection was lost, on the same port', async () => {
    using web = fleetOf();
    const tunnel = await tunnelOn(web, here(), { direction });
    const port = tunnel.view.listenPort;
    const socket = await reach(port);
    socket.write('x');
    await once(socket, 'data');
    await sshd.killConnections();
    await new Promise(resolve => socket.on('close', resolve).on('end', resolve).resume());
    socket.destroy();
    await untilTrue(async () => (await tunnel.look()).reconnects === 1);
    expect(await tunnel.look()).toMatchObject({ state: 'open', listenPort: port, connections: 0, reconnects: 1 });
    expect(await exchange(port, 20, 4)).toBe(20);
    expect((await tunnel.look()).total).toBe(21);
  });

  test('waits while its host is down, says so, and is carried again when that is back', async () => {
    await using down = await startSshd();
    using web = testFleet(await down.host(), { knownHosts: down.knownHosts });
    const tunnel = await tunnelOn(web, here(), { direction });
    const port = tunnel.view.listenPort;
    await tell(port, 'once');
    await down.killConnections('SIGKILL');
    const restarted = down.restart();
    await untilTrue(async () => (await tunnel.look()).state === 'waiting');
    expect((await tunnel.look()).why).toMatch(/^The connection to web was lost; it is being opened anew\.$|^web \(/);
    await restarted;
    await untilTrue(async () => (await tunnel.look()).state === 'open');
    expect((await tell(port, 'again')).toString()).toBe('again');
    expect(await tunnel.look()).toMatchObject({ reconnects: 1, total: 2, failed: 0 });
    expect((await tunnel.look()).why).toBeUndefined();
  });

  test('ends when nobody has connected for long, and not while somebody is', async () => {
    const { after, has, goOff } = timers(CAPS.tunnelIdleMs);
    using web = fleetOf({}, { after });
    const tunnel = await tunnelOn(web, here(), { direction });
    const socket = await reach(tunnel.view.listenPort);
    socket.write('x');
    await once(socket, 'data');
    expect(has(CAPS.tunnelIdleMs)).toBe(false);
    socket.end();
    await untilTrue(() => has(CAPS.tunnelIdleMs));
    goOff(CAPS.tunnelIdleMs);
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'idle', connections: 1 });
    expect(await listens(tunnel.view.listenPort)).toBe(false);
    expect(await tunnel.look()).toMatchObject({ state: 'ended', why: 'Nothing has gone through it for long.' });
    expect(await tunnel.close()).toMatchObject({ state: 'ended' });
    await expect(tunnel.look()).rejects.toThrow('not known');
  });

  test('ends at its age, whatever goes through it', async () => {
    const clock = manualClock();
    const { after, goOff } = timers(CAPS.tunnelLifeMs);
    using web = fleetOf({}, { after, clock });
    const tunnel = await tunnelOn(web, here(), { direction });
    clock.advance(1_000);
    expect(await tunnel.look()).toMatchObject({ idleMs: 1_000, endsInMs: CAPS.tunnelLifeMs - 1_000 });
    const socket = await reach(tunnel.view.listenPort);
    socket.write('x');
    await once(socket, 'data');
    const gone = new Promise(resolve => socket.on('close', resolve).on('end', resolve).resume());
    goOff(CAPS.tunnelLifeMs);
    await gone;
    socket.destroy();
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'expired', duration_ms: 1_000 });
    expect(await listens(tunnel.view.listenPort)).toBe(false);
  });

  test('ends when it is allowed no longer', async () => {
    using web = fleetOf();
    const revoke = new AbortController();
    const { port } = echoes;
    const permit = mint(
      {
        ...{ id: 'c', grant: 'local', tool: 'test', input: {}, at: 0 },
        action: { kind: 'forward', target: web.target, direction, listenPort: 0, to: here(port) },
      },
      {},
      revoke.signal,
    );
    const view = await web.fleet.openTunnel(permit);
    const socket = await reach(view.listenPort);
    socket.write('x');
    await once(socket, 'data');
    const gone = new Promise(resolve => socket.on('close', resolve).on('end', resolve).resume());
    revoke.abort();
    await gone;
    socket.destroy();
    expect(await lifeOf(permit)).toMatchObject({ how: 'revoked', connections: 1 });
    expect(await listens(view.listenPort)).toBe(false);
  });

  test('ends with ssh_disconnect of its own grant, and with no other', async () => {
    using web = fleetOf();
    const tunnel = await tunnelOn(web, here(), { direction });
    const disconnect = async (grant: string) =>
      await web.fleet.disconnect(web.permit({ kind: 'stop', what: 'connection', target: web.target }, grant));
    await disconnect('other');
    expect((await tell(tunnel.view.listenPort, 'here')).toString()).toBe('here');
    expect(await tunnel.look()).toMatchObject({ state: 'open', reconnects: 0 });
    await disconnect('local');
    expect(await listens(tunnel.view.listenPort)).toBe(false);
    expect(await tunnel.look()).toMatchObject({ state: 'ended', why: 'web was disconnected.' });
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'disconnected' });
  });

  test('ends with the server', async () => {
    using web = fleetOf();
    const tunnel = await tunnelOn(web, here(), { direction });
    const socket = await reach(tunnel.view.listenPort);
    const gone = new Promise(resolve => socket.on('close', resolve).on('end', resolve).resume());
    await web.fleet.shutdown(1_000);
    await gone;
    socket.destroy();
    await untilTrue(async () => !(await listens(tunnel.view.listenPort)));
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'shut_down' });
    await expect(tunnelOn(web, here(), { direction })).rejects.toMatchObject({
      code: expect.stringMatching(/^SHUTTING_DOWN|CANCELLED$/),
    });
  });

  test('ends when its host is another one now', async () => {
    const inventory = changingInventory([host]);
    using web = testFleet(host, { knownHosts: sshd.knownHosts, inventory });
    const tunnel = await tunnelOn(web, here(), { direction });
    inventory.change([{ ...host, tags: ['new'] }]);
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'revoked' });
    expect(await tunnel.look()).toMatchObject({ state: 'ended', why: 'web is configured otherwise now.' });
    await untilTrue(async () => !(await listens(tunnel.view.listenPort)));
  });

  test('is nobody else’s to stop', async () => {
    using web = fleetOf();
    const tunnel = await tunnelOn(web, here(), { direction });
    const stop = { kind: 'stop', what: 'tunnel', id: tunnel.view.id } as const;
    const foreign = await web.fleet.closeTunnel(web.permit(stop, 'other')).catch(error => error);
    const unknown = await web.fleet
      .closeTunnel(web.permit({ ...stop, id: `tun_${'A'.repeat(22)}` }, 'local'))
      .catch(error => error);
    expect([foreign.code, foreign.message.replace(tunnel.view.id, 'ID')]).toEqual([
      unknown.code,
      unknown.message.replace(`tun_${'A'.repeat(22)}`, 'ID'),
    ]);
    expect(foreign.code).toBe('UNKNOWN_ID');
    expect((await tunnel.look()).state).toBe('open');
  });

  test('has so many connections at a time, and more are closed at once', async () => {
    using web = fleetOf({}, { caps: { tunnelConnections: 3 } });
    const tunnel = await tunnelOn(web, here(), { direction });
    const sockets = await Promise.all([0, 1, 2].map(() => reach(tunnel.view.listenPort)));
    for (const socket of sockets) {
      socket.write('x');
      await once(socket, 'data');
    }
    // sshd closes what it may not lead on, and whether that is a reset depends on who was faster.
    expect(['', 'broken off']).toContain(await ask(tunnel.view.listenPort, 'late'));
    expect(await tunnel.look()).toMatchObject({
      ...{ connections: 3, total: 4, failed: 1 },
      why: '3 connections are open through it, and no more may be at a time.',
    });
    for (const socket of sockets) socket.end();
    await untilTrue(async () => (await tunnel.look()).connections === 0);
    expect((await tell(tunnel.view.listenPort, 'room')).toString()).toBe('room');
  });

  test('leads through a hop', async () => {
    await using hop = await startSshd();
    const via = await hop.host({ name: 'hop', hostKeys: hop.hostKeys.map(({ fingerprint }) => fingerprint) });
    using web = fleetOf({ via });
    const tunnel = await tunnelOn(web, here(), { direction });
    expect(await exchange(tunnel.view.listenPort, 40, 8)).toBe(40);
    expect(hop.counts().logins).toBe(1);
  });
});

test.each(['local', 'remote'] as const)(
  'a %s tunnel ends when what answers in the place of its host has another key',
  async direction => {
    const first = await startSshd();
    const pinned = { hostKeys: first.hostKeys.map(({ fingerprint }) => fingerprint) };
    using web = testFleet(await first.host(pinned), { knownHosts: first.knownHosts });
    const tunnel = await tunnelOn(web, here(), { direction });
    await first.close();
    await using _other = await startSshd({ port: first.port });
    expect(await lifeOf(tunnel.permit)).toMatchObject({ how: 'failed' });
    const { state, why } = await tunnel.look();
    expect([state, why]).toEqual(['ended', expect.stringMatching(/ presented ssh-ed25519 SHA256:.*, and not SHA256:/)]);
    expect(await listens(tunnel.view.listenPort)).toBe(false);
  },
);

test('a tunnel lives no longer than the rule that granted it says', async () => {
  const { after, goOff } = timers(90_000);
  using web = fleetOf({}, { after });
  const action = { kind: 'forward', target: web.target, direction: 'local', listenPort: 0, to: here() } as const;
  const permit = web.permit(action, 'local', { timeoutMs: 90_000 });
  const view = await web.fleet.openTunnel(permit);
  expect(view.endsInMs).toBeLessThanOrEqual(90_000);
  goOff(90_000);
  expect(await lifeOf(permit)).toMatchObject({ how: 'expired' });
});

test('what a remote tunnel has dialled is broken off when it may not be dialled any more', async () => {
  await using far = await service(echo, '127.0.0.2');
  const barred = new Set<string>();
  const inventory = changingInventory([host]);
  using connections = testConnections([host], {
    inventory,
    knownHosts: [sshd.knownHosts],
    mayDial: at => !barred.has(at),
  });
  const fleet = createFleet({ inventory, connections, clock: realClock, random: randomBytes });
  const web = { ...fleetOf(), fleet };
  const to = { host: '127.0.0.2', port: far.port };
  const tunnel = await tunnelOn(web, to, { direction: 'remote' });
  const socket = await reach(tunnel.view.listenPort);
  socket.write('x');
  await once(socket, 'data');
  fleet.rejudge();
  expect(await tunnel.look()).toMatchObject({ state: 'open', connections: 1 });
  barred.add('127.0.0.2');
  fleet.rejudge();
  await new Promise(resolve => socket.on('close', resolve).on('end', resolve).resume());
  socket.destroy();
  await untilTrue(() => far.open.size === 0);
  expect(await tunnel.look()).toMatchObject({ state: 'open', connections: 0 });
  expect(['', 'broken off']).toContain(await ask(tunnel.view.listenPort, 'x'));
  expect((await tunnel.look()).why).toBe(
    `127.0.0.2:${far.port} is not dialled: it stands for an address that may not be.`,
  );
});

test('a grant has so many tunnels, those being opened among them, and an ended one leaves its place', async () => {
  using web = fleetOf({}, { caps: { tunnelsPerGrant: 2 } });
  const opened = await Promise.allSettled([0, 1, 2].map(() => tunnelOn(web, here())));
  expect(opened.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  const [first, , third] = opened;
  expect(third).toMatchObject({ reason: { code: 'BUSY', message: '2 tunnels of this grant are open.' } });
  await tunnelOn(web, here(), {}, 'other');
  if (first?.status === 'fulfilled') await first.value.close();
  await tunnelOn(web, here());
});

test('a tunnel that could not be opened leaves nothing behind', async () => {
  await using gone = await startSshd();
  const unreachable = await gone.host({ hostKeys: gone.hostKeys.map(({ fingerprint }) => fingerprint) });
  using web = testFleet(unreachable, { knownHosts: gone.knownHosts, caps: { tunnelsPerGrant: 1 } });
  await gone.close();
  for (const direction of ['local', 'remote'] as const) {
    const failure = await tunnelOn(web, here(), { direction, listenPort: 23_456 }).catch(error => error);
    expect(failure.code).toBe('UNREACHABLE');
    expect(await listens(23_456)).toBe(false);
  }
});

test('opening one is given up, and nothing listens', async () => {
  using web = fleetOf();
  const giveUp = new AbortController();
  const permit = web.permit({
    kind: 'forward',
    target: web.target,
    direction: 'local',
    listenPort: 45_679,
    to: here(),
  });
  const opening = web.fleet.openTunnel(permit, giveUp.signal);
  giveUp.abort();
  await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await listens(45_679)).toBe(false);
});

test('what the host’s sshd refuses is said, and the tunnel stays', async () => {
  const closedPort = await service(() => undefined);
  const port = closedPort.port;
  await closedPort[Symbol.asyncDispose]();
  using web = fleetOf();
  const tunnel = await tunnelOn(web, here(port));
  expect(await ask(tunnel.view.listenPort, 'x')).toBe('broken off');
  expect(await tunnel.look()).toMatchObject({
    ...{ state: 'open', total: 1, failed: 1, connections: 0 },
    why: `web cannot connect to 127.0.0.1:${port}; it says "Connection refused".`,
  });
  using ssh = fleetOf({ transport: 'openssh' });
  const other = await tunnelOn(ssh, here(port));
  expect(await ask(other.view.listenPort, 'x')).toBe('broken off');
  expect((await other.look()).why).toBe(`web cannot connect to 127.0.0.1:${port}; it says "Connection refused".`);
  const back = await tunnelOn(web, here(port), { direction: 'remote' });
  expect(['', 'broken off']).toContain(await ask(back.view.listenPort, 'x'));
  expect((await back.look()).why).toBe(`127.0.0.1:${port} refuses connections: nothing listens there.`);
});

test.each([
  ['AllowTcpForwarding no', 'both'],
  ['PermitOpen none', 'local'],
  ['PermitListen none', 'remote'],
  ['DisableForwarding yes', 'both'],
])('%s is said clearly', async (line, what) => {
  await using strict = await startSshd({ config: [line] });
  using web = testFleet(await strict.host(), { knownHosts: strict.knownHosts });
  const local = await tunnelOn(web, here());
  const answer = await ask(local.view.listenPort, 'x');
  const refused = {
    failed: 1,
    why: `web does not forward connections to 127.0.0.1:${echoes.port} (AllowTcpForwarding, PermitOpen).`,
  };
  expect([answer, await local.look()]).toEqual(
    what === 'remote'
      ? ['x', expect.objectContaining({ failed: 0 })]
      : ['broken off', expect.objectContaining(refused)],
  );
  const remote = await tunnelOn(web, here(), { direction: 'remote' }).then(
    () => 'open',
    error => `${error.code}: ${error.message}`,
  );
  const no = `UNSUPPORTED: web does not listen for ${strict.user}: its sshd forbids it, or cannot.`;
  expect(remote).toBe(what === 'local' ? 'open' : no);
});

test.each([
  ['no', true],
  ['clientspecified', true],
  ['yes', false],
])('with GatewayPorts %s a host listens on its loopback or not at all', async (value, opens) => {
  await using wide = await startSshd({ config: [`GatewayPorts ${value}`] });
  using web = testFleet(await wide.host(), { knownHosts: wide.knownHosts });
  const opened = await tunnelOn(web, here(), { direction: 'remote' }).catch(error => error);
  if (opens) {
    const server = await import('node:net').then(({ createServer }) => createServer());
    server.listen({ host: '127.0.0.2', port: opened.view.listenPort });
    await once(server, 'listening');
    server.close();
  } else {
    expect([opened.code, opened.message]).toEqual([
      'UNSUPPORTED',
      'web would listen on all of its addresses, not on its loopback alone.',
    ]);
    expect(wide.log()).toMatch(/listening on .* port|Local forwarding listening/i);
  }
});
