import { connect, createServer, type NetConnectOpts, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { networks } from '../../../src/ssh/dial/networks.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { run, type TestConnections, testConnections } from '../../support/connections.ts';
import { freePort, type Sshd, startSshd } from '../../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

/** The server under a name of its own, whatever that stands for. */
const named = async (overrides: Partial<Host> = {}): Promise<Host> =>
  await sshd.host({ address: 'web.test', hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''], ...overrides });

const to = (host: Host, parts = {}): TestConnections => testConnections([host], { knownHosts: [], ...parts });

const at = (...addresses: string[]) => addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));

const failureOf = (connections: TestConnections): Promise<Failure> =>
  run(connections, 'true').then(
    () => expect.unreachable(),
    (error: Failure) => error,
  );

/** What a socket would be told a name stands for. */
const toldBy = (options: NetConnectOpts | undefined) =>
  new Promise<unknown>(resolve => {
    if (options === undefined || !('lookup' in options)) throw new Error('no lookup');
    options.lookup?.('web.test', { all: true }, (_error, addresses) => resolve(addresses));
  });

test('a name is looked up once a dial, and what it stood for then is dialled, whatever it stands for later', async () => {
  const answers = [at('127.0.0.1'), at('169.254.169.254')];
  const asked: string[] = [];
  const lookUp = async (name: string) => answers[asked.push(name) - 1] ?? [];
  using connections = to(await named(), { lookUp });
  expect(await run(connections, 'echo here')).toMatchObject({ stdout: 'here\n' });
  expect(asked).toEqual(['web.test']);
  expect(await toldBy(connections.dials[0])).toEqual(at('127.0.0.1'));
});

test('an address that may not be dialled is not, and of several those that may', async () => {
  const lookUp = async () => at('127.0.0.9', '::ffff:127.0.0.9', '127.0.0.1', '::');
  using connections = to(await named(), { lookUp, mayDial: networks({ deny: ['127.0.0.8/29'] }) });
  expect(await run(connections, 'echo here')).toMatchObject({ stdout: 'here\n' });
  expect(await toldBy(connections.dials[0])).toEqual(at('127.0.0.1'));
});

test.each([
  ['a name of a forbidden network', 'web.test', at('10.1.2.3', '::ffff:10.1.2.3')],
  ['a name without an address', 'web.test', []],
  ['a name of everybody', 'web.test', at('0.0.0.0', '255.255.255.255', 'ff02::1', '::')],
  ['a forbidden address', '10.1.2.3', []],
  ['the unspecified address', '0.0.0.0', []],
  ['the unspecified address of IPv6', '::', []],
  ['a multicast address', '224.0.0.1', []],
])('nothing is sent to %s, and no other place learns of it', async (_what, address, found) => {
  const host = await named({ address });
  using connections = to(host, { lookUp: async () => found, mayDial: networks({ deny: ['10.0.0.0/8'] }) });
  const failure = await failureOf(connections);
  expect(failure).toMatchObject({
    code: 'UNREACHABLE',
    message: `web (${address}:${sshd.port}) has no address that may be dialled.`,
    details: { host: 'web', phase: 'connecting', cause: 'FORBIDDEN' },
    next: 'Ask the operator: the configuration says which networks may be dialled.',
  });
  expect([connections.dials, failure.message.includes('::ffff:')]).toEqual([[], false]);
});

test('an address where nothing listens does not keep from the next one', async () => {
  const found = at('::1', '127.0.0.7', '127.0.0.1');
  using connections = to(await named(), { lookUp: async () => found });
  expect(await run(connections, 'echo here')).toMatchObject({ stdout: 'here\n' });
  expect(await toldBy(connections.dials[0])).toEqual(found);
});

test('when no address answers, what the last of them did is said', async () => {
  const port = await freePort();
  using connections = to(await named({ port }), { lookUp: async () => at('127.0.0.7', '127.0.0.1') });
  expect(await failureOf(connections)).toMatchObject({
    message: `web (web.test:${port}) refuses connections: nothing listens there.`,
    details: { cause: 'ECONNREFUSED' },
  });
});

test.each([
  ['of the house', {}, 80],
  ['of the host', { connectTimeoutMs: 60 }, 60],
])('a name server that does not answer is given up when the time %s is over', async (_whose, own, ms) => {
  using connections = to(await named(own), { lookUp: () => new Promise(() => {}), connectTimeoutMs: 80 });
  expect((await failureOf(connections)).message).toBe(`web (web.test:${sshd.port}) did not answer within ${ms} ms.`);
  expect(connections.dials).toEqual([]);
});

test('a dial that is given up while the name is looked up dials nothing', async () => {
  let answer: (found: unknown) => void = () => {};
  const lookUp = () => new Promise(resolve => (answer = resolve));
  using connections = to(await named(), { lookUp });
  const failure = failureOf(connections);
  await expect.poll(() => connections.get('web').state()).toBe('connecting');
  connections.closeAll();
  answer(at('127.0.0.1'));
  expect(await failure).toMatchObject({ code: 'CANCELLED' });
  expect(connections.dials).toEqual([]);
});

test('all phases share one time: a host that answers late in it has only the rest of it left', async () => {
  const server: Server = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const sockets: ReturnType<typeof connect>[] = [];
  const late = (options: NetConnectOpts) => sockets[sockets.push(connect(options)) - 1] ?? connect(options);
  const lookUp = () => new Promise(resolve => setTimeout(resolve, 100, at('127.0.0.1')));
  using connections = to(await named({ port }), { lookUp, connect: late, connectTimeoutMs: 200 });
  const begun = performance.now();
  expect((await failureOf(connections)).message).toMatch(/did not finish the SSH handshake within 200 ms\.$/);
  expect(performance.now() - begun).toBeLessThan(295);
  await expect.poll(() => sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  server.close();
});
