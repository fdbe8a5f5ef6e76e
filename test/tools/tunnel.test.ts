import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../src/ssh/host.ts';
import { status } from '../../src/tools/status.ts';
import { tunnelStart } from '../../src/tools/tunnel-start.ts';
import { tunnelStop } from '../../src/tools/tunnel-stop.ts';
import { echo, listens, type Service, service, tell } from '../ssh/tunnel/tunnels.ts';
import { testHouse } from '../support/house.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

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

const houseOf = (document: object) => testHouse([host], document, [sshd.knownHosts]);
const asked = (more: object = {}) => ({
  ...{ host: 'web', direction: 'local', to_host: 'LocalHost.', to_port: echoes.port },
  ...more,
});

test('a tunnel is started, used, shown and stopped, and each of it is recorded', async () => {
  using house = houseOf({
    rules: [{ id: 'echo', effect: 'allow', actions: ['forward'], ports: [echoes.port] }],
  });
  const started = await house.call(tunnelStart, asked({ reason: 'to try it' }));
  const { tunnel_id: id, listen_port: port, ends_in_ms: left } = started.structured;
  expect(started.structured).toEqual({
    ...{ tunnel_id: expect.stringMatching(/^tun_[A-Za-z0-9_-]{22}$/), host: 'web', direction: 'local' },
    ...{ listen_address: '127.0.0.1', listen_port: expect.any(Number), to_host: 'localhost', to_port: echoes.port },
    ends_in_ms: expect.any(Number),
  });
  expect(started.text).toBe(
    `tunnel ${id}: 127.0.0.1:${port} of this server leads to localhost:${echoes.port}, by way of web; it ends in ${left} ms at the latest`,
  );
  expect((await tell(Number(port), 'through')).toString()).toBe('through');
  const shown = await house.call(status, {});
  expect(shown.structured.tunnels).toMatchObject([
    { tunnel_id: id, state: 'open', bytes_out: 7, bytes_in: 7, total: 1 },
  ]);
  const stopped = await house.call(tunnelStop, { tunnel_id: id });
  expect(stopped.structured).toEqual({
    ...{ tunnel_id: id, host: 'web', connections: 1, failed: 0, bytes_out: 7, bytes_in: 7, reconnects: 0 },
  });
  expect(stopped.text).toBe(
    `tunnel ${id} on web ended: 1 connections, 0 failed, 7 bytes out, 7 bytes back, 0 reconnects`,
  );
  expect(await listens(Number(port))).toBe(false);
  expect(house.records.map(({ event }) => event)).toEqual(expect.arrayContaining(['admitted', 'ended']));
  expect(house.records.find(({ event }) => event === 'admitted')).toMatchObject({
    action: {
      ...{ kind: 'forward', direction: 'local', host: 'web', listen_port: 0 },
      ...{ to_host: 'localhost', to_port: echoes.port },
    },
  });
  expect(house.records.filter(record => record.event === 'ended').map(({ end }) => end)).toContainEqual({
    ...{ how: 'ended', duration_ms: expect.any(Number), connections: 1, failed: 0, bytes_out: 7, bytes_in: 7 },
  });
});

test('a remote tunnel says who listens', async () => {
  using house = houseOf({});
  const { structured, text } = await house.call(tunnelStart, asked({ direction: 'remote' }));
  const { tunnel_id: id, listen_port: port, ends_in_ms: left } = structured;
  expect(text).toBe(
    `tunnel ${id}: 127.0.0.1:${port} of web leads to localhost:${echoes.port} as this server reaches it; it ends in ${left} ms at the latest`,
  );
  expect((await tell(Number(port), 'back')).toString()).toBe('back');
  await house.call(tunnelStop, { tunnel_id: id });
});

test.each([
  ['to another port', { to_port: 1 }, 'POLICY_DENIED'],
  ['to another place', { to_host: '169.254.169.254' }, 'POLICY_DENIED'],
  ['the other way', { direction: 'remote' }, 'POLICY_DENIED'],
  ['to no plain place', { to_host: '0x7f.1' }, 'INVALID_INPUT'],
  ['to a socket', { to_host: '/run/db.sock' }, 'INVALID_INPUT'],
  ['to a place with a zone', { to_host: 'fe80::1%eth0' }, 'INVALID_INPUT'],
  ['to nowhere', { to_host: '' }, 'INVALID_INPUT'],
  ['to the loopback by the name of no address', { to_host: '0.0.0.0' }, 'INVALID_INPUT'],
  ['to port 0', { to_port: 0 }, 'INVALID_INPUT'],
  ['from an address of its choice', { listen_address: '0.0.0.0' }, 'INVALID_INPUT'],
  ['by a host that there is not', { host: 'nowhere' }, 'UNKNOWN_HOST'],
])('a tunnel %s is refused before anything is dialled', async (_what, more, code) => {
  using house = houseOf({
    rules: [{ id: 'echo', effect: 'allow', actions: ['forward'], ports: [echoes.port] }],
  });
  await expect(house.call(tunnelStart, asked(more))).rejects.toMatchObject({ code });
  expect(house.dials()).toBe(0);
  expect(house.records.map(({ event }) => event)).toEqual(['refused']);
});

test('tunnels that may be open at once are counted as long as they live', async () => {
  const limits = [{ counter: 'tunnels', concurrent: true, max: 1, scope: 'grant' }];
  using house = houseOf({
    rules: [{ id: 'echo', effect: 'allow', actions: ['forward'], ports: [echoes.port], limits }],
  });
  const { structured } = await house.call(tunnelStart, asked());
  await expect(house.call(tunnelStart, asked())).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await house.call(tunnelStop, { tunnel_id: structured.tunnel_id });
  await house.call(tunnelStart, asked());
});

test('what is no tunnel cannot be stopped', async () => {
  using house = houseOf({});
  await expect(house.call(tunnelStop, { tunnel_id: 'ses_x' })).rejects.toMatchObject({
    code: 'UNKNOWN_ID',
    message: 'There is no tunnel "ses_x". A tunnel is over once it was stopped, or nothing went through it for long.',
  });
});
