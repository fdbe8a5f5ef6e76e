import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { manualClock } from '../../support/clock.ts';
import { run, testConnections } from '../../support/connections.ts';
import { type KeyPair, makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

let sshd: Sshd;
let temp: TempFolder;
let wrong: KeyPair;
beforeAll(async () => {
  [sshd, temp] = await Promise.all([startSshd(), tempFolder()]);
  wrong = await makeKey(`${temp.path}/wrong`);
});
afterAll(async () => {
  await Promise.all([sshd.close(), temp.remove()]);
});

const refusedLogin = (): Pick<Host, 'auth'> => ({ auth: [{ kind: 'key', path: wrong.path }] });

/** A TCP server on a free port that does something with whoever connects. */
const server = async (treat: (socket: Socket) => void): Promise<Server & { readonly port: number }> => {
  const listener = createServer(socket => treat(socket.on('error', () => {})));
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return Object.assign(listener, { port: typeof address === 'object' && address !== null ? address.port : 0 });
};

/** A way to a server that drops the first so many connections before a word is said. */
const dropping = async (count: number, target: number) => {
  let dropped = 0;
  const listener = await server(near => {
    if (dropped < count) {
      dropped++;
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1').on('error', () => {});
    near.pipe(far).pipe(near);
  });
  return { port: listener.port, close: () => listener.close() };
};

test('forty names of an sshd with MaxStartups 3:30:10 are all reached at once', async () => {
  await using busy = await startSshd({ config: ['MaxStartups 3:30:10'] });
  const host = await busy.host();
  const hosts = Array.from({ length: 40 }, (_, at) => ({ ...host, name: `web-${at}` }));
  using connections = testConnections(hosts, { knownHosts: [busy.knownHosts] });
  const ran = await Promise.all(hosts.map(({ name }) => run(connections, `echo ${name}`, { host: name })));
  expect(ran.map(({ stdout }) => stdout)).toEqual(hosts.map(({ name }) => `${name}\n`));
  expect(busy.counts().logins).toBe(40);
});

/** What makes it worth dialling wherever it is said to be. */
const pins = () => ({ hostKeys: sshd.hostKeys.map(({ fingerprint }) => fingerprint) });

test('what drops each connection is tried five times with longer and longer breaks, and then said', async () => {
  const host = await sshd.host(pins());
  const breaks: number[] = [];
  const relay = await dropping(Number.POSITIVE_INFINITY, sshd.port);
  using connections = testConnections([{ ...host, port: relay.port }], {
    knownHosts: [],
    random: size => Buffer.alloc(size, 128),
    pause: async ms => void breaks.push(ms),
  });
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'UNREACHABLE',
    next: expect.stringContaining('MaxStartups'),
  });
  expect([breaks, connections.dials.length]).toEqual([[100, 200, 400, 800], 5]);
  relay.close();
});

test('a drop that comes so late that another try would not be in time is said at once', async () => {
  const relay = await dropping(Number.POSITIVE_INFINITY, sshd.port);
  const host = await sshd.host({ port: relay.port, connectTimeoutMs: 20, ...pins() });
  using connections = testConnections([host], { knownHosts: [] });
  await expect(run(connections, 'true')).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect(connections.dials.length).toBe(1);
  relay.close();
});

test('a drop after a refused login counts as a penalty: it is not tried again, for 30 s', async () => {
  const clock = manualClock();
  let drops = false;
  const relay = await server(near => {
    if (drops) {
      near.destroy();
      return;
    }
    const far = connect(sshd.port, '127.0.0.1').on('error', () => {});
    near.pipe(far).pipe(near);
  });
  const host = await sshd.host({ port: relay.port, ...pins(), ...refusedLogin() });
  using connections = testConnections([host], { knownHosts: [], clock });
  const failing = (): Promise<Failure> => run(connections, 'true').catch(error => error);
  expect((await failing()).code).toBe('AUTH_FAILED');
  expect((await failing()).details.retry_after_ms).toBe(30_000);
  drops = true;
  clock.advance(30_000);
  expect((await failing()).code).toBe('UNREACHABLE');
  expect(connections.dials.length).toBe(2);
  clock.advance(29_000);
  expect(await failing()).toMatchObject({ code: 'UNREACHABLE', details: { retry_after_ms: 1_000 } });
  expect(connections.dials.length).toBe(2);
  relay.close();
});

test('after a refused login no other name of the same sshd is dialled for 30 s, and one of another sshd is', async () => {
  await using other = await startSshd();
  const clock = manualClock();
  const bad = await sshd.host({ name: 'bad', ...refusedLogin() });
  const hosts = [bad, await sshd.host({ name: 'good' }), await other.host({ name: 'other' })];
  using connections = testConnections(hosts, { knownHosts: [sshd.knownHosts, other.knownHosts], clock });
  await expect(run(connections, 'true', { host: 'bad' })).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  expect(await run(connections, 'true', { host: 'other' })).toMatchObject({ code: 0 });
  const refused = { code: 'UNREACHABLE', details: { host: 'good', retry_after_ms: 30_000 } };
  await expect(run(connections, 'true', { host: 'good' })).rejects.toMatchObject(refused);
  clock.advance(30_000);
  expect(await run(connections, 'true', { host: 'good' })).toMatchObject({ code: 0 });
});

test('what is connected goes on while a login to the same sshd is refused', async () => {
  const hosts = [await sshd.host({ name: 'good' }), await sshd.host({ name: 'bad', ...refusedLogin() })];
  using connections = testConnections(hosts, { knownHosts: [sshd.knownHosts] });
  await run(connections, 'true', { host: 'good' });
  await expect(run(connections, 'true', { host: 'bad' })).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  expect(await run(connections, 'echo on', { host: 'good' })).toMatchObject({ stdout: 'on\n' });
});

test('no more than ten hosts are dialled at once, and one that does not answer keeps nobody waiting for long', async () => {
  const sockets: Socket[] = [];
  const silent = await Promise.all(
    Array.from({ length: 12 }, async () => await server(socket => void sockets.push(socket))),
  );
  const host = await sshd.host(pins());
  const dead = silent.map(({ port }, at) => ({ ...host, name: `dead-${at}`, port }));
  let places: (() => void)[] = [];
  const after = (ms: number, act: () => void): (() => void) => {
    if (ms === 3_000) places.push(act);
    return () => undefined;
  };
  using connections = testConnections([...dead, host], { knownHosts: [sshd.knownHosts], after });
  const lost = dead.map(({ name }) => run(connections, 'true', { host: name }).catch((error: Failure) => error.code));
  while (sockets.length < 10) await setTimeout(5);
  const web = run(connections, 'echo web');
  await setTimeout(50);
  expect(connections.dials.length).toBe(10);
  for (const act of places.splice(0)) act();
  expect(await web).toMatchObject({ stdout: 'web\n' });
  expect(connections.dials.length).toBe(13);
  places = [];
  connections.closeAll();
  expect(await Promise.all(lost)).toEqual(Array(12).fill('CANCELLED'));
  for (const socket of sockets) socket.destroy();
  for (const one of silent) one.close();
});

test('a login that is refused is all that forty names of one server cost', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `name-${at}`);
  const hosts = await Promise.all(names.map(async name => await sshd.host({ name, ...refusedLogin() })));
  using connections = testConnections(hosts, { knownHosts: [sshd.knownHosts] });
  const before = sshd.counts().connections;
  const codes = await Promise.all(
    names.map(host => run(connections, 'true', { host }).catch((error: Failure) => error.code)),
  );
  expect(codes).toEqual(['AUTH_FAILED', ...Array(39).fill('UNREACHABLE')]);
  await sshd.caughtUp();
  expect(sshd.counts().connections - before).toBe(1);
});
