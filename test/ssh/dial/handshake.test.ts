import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { run, testConnections } from '../../support/connections.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'], config: ['LogLevel DEBUG1'] });
});
afterAll(() => sshd.close());

test('a login asks for nothing that it would not do: there is no try without a method', async () => {
  using connections = testConnections([await sshd.host()], { knownHosts: [sshd.knownHosts] });
  await run(connections, 'true');
  const methods = [...sshd.log().matchAll(/userauth-request for user .* method (\S+)/g)].map(([, method]) => method);
  expect([...new Set(methods)]).toEqual(['publickey']);
});

/** An SSH_MSG_IGNORE without encryption (RFC 4253 sections 6 and 11.2). */
const IGNORE = Buffer.from([0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A relay that puts a packet of its own among the first ones of the server, when so many of those have passed. */
const inserting = async (target: number, after: number): Promise<Disposable & { readonly port: number }> => {
  const sockets: Socket[] = [];
  const server = createServer(near => {
    const far = connect(target, '127.0.0.1').on('error', () => {});
    let early = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      early = Buffer.concat([early, chunk]);
      const at = endOf(early, after);
      if (at === undefined) return;
      far.off('data', look);
      near.write(Buffer.concat([early.subarray(0, at), IGNORE, early.subarray(at)]));
      far.pipe(near);
    };
    far.on('data', look).on('close', () => near.destroy());
    near.on('error', () => {}).pipe(far);
    sockets.push(near, far);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, [Symbol.dispose]: close };
};

/** Where so many packets after the version end; undefined when they are not all there. */
const endOf = (bytes: Buffer, packets: number): number | undefined => {
  let at = bytes.indexOf('\r\n') + 2;
  if (at === 1) return undefined;
  for (let packet = 0; packet < packets; packet++) {
    if (at + 4 > bytes.length) return undefined;
    at += 4 + bytes.readUInt32BE(at);
  }
  return at <= bytes.length ? at : undefined;
};

test.each([
  ['before the first packet of the host', 0],
  ['after it', 1],
])('a packet that somebody slips in, %s, ends the handshake: key exchange is strict', async (_where, after) => {
  const { connections: before, logins } = sshd.counts();
  using relay = await inserting(sshd.port, after);
  const host = await sshd.host({ port: relay.port, hostKeys: sshd.hostKeys.map(({ fingerprint }) => fingerprint) });
  using connections = testConnections([host], { knownHosts: [], connectTimeoutMs: 2_000, pause: async () => {} });
  const failure: Failure = await run(connections, 'true').catch(error => error);
  expect([failure.code, failure.details.phase]).toEqual(['UNREACHABLE', 'handshake']);
  await sshd.caughtUp();
  expect(sshd.counts().connections).toBeGreaterThan(before);
  expect(sshd.counts().logins).toBe(logins);
});

test.each([
  ['the only one', ['ssh-ed25519'], 'ssh-ed25519'],
  ['the first of several', ['ecdsa-sha2-nistp256', 'ssh-ed25519'], 'ecdsa-sha2-nistp256'],
  ['the first that is used here', ['ssh-rsa', 'ssh-dss', 'sk-ssh-ed25519@openssh.com', 'rsa-sha2-256'], 'rsa-sha2-256'],
])('of the algorithms that a host may prove its key by, %s is asked for', async (_which, keyAlgorithms, used) => {
  using connections = testConnections([await sshd.host({ keyAlgorithms })], { knownHosts: [sshd.knownHosts] });
  const earlier = sshd.log().length;
  await run(connections, 'true');
  await sshd.caughtUp();
  expect(/kex: host key algorithm: (\S+)/.exec(sshd.log().slice(earlier))?.[1]).toBe(used);
});

test('a key that is known goes before one that is preferred: another type would look like another host', async () => {
  await using temp = await tempFolder();
  const rsa = sshd.hostKeys.find(({ publicKey }) => publicKey.startsWith('ssh-rsa'));
  const known = await temp.write('known_hosts', `[127.0.0.1]:${sshd.port} ${rsa?.publicKey}\n`);
  const host = await sshd.host({ keyAlgorithms: ['ssh-ed25519', 'rsa-sha2-512'] });
  using connections = testConnections([host], { knownHosts: [known] });
  expect((await connections.get('web').ready()).fingerprint).toBe(rsa?.fingerprint);
});

test.each([
  ['none that is used here', ['ssh-rsa', 'ssh-dss', 'toString']],
  ['none at all', []],
])('a host with %s is not dialled', async (_what, keyAlgorithms) => {
  using connections = testConnections([await sshd.host({ keyAlgorithms })], { knownHosts: [sshd.knownHosts] });
  const failure: Failure = await run(connections, 'true').catch(error => error);
  expect([failure.message, connections.dials]).toEqual([
    `web (127.0.0.1:${sshd.port}) may only prove itself in ways that sallyport does not use.`,
    [],
  ]);
});

test('a key of a type that may not be used is not fallen back to', async () => {
  const ecdsa = sshd.hostKeys.find(({ publicKey }) => publicKey.startsWith('ecdsa'));
  const host = await sshd.host({ keyAlgorithms: ['ssh-ed25519'], hostKeys: [ecdsa?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [] });
  const failure: Failure = await run(connections, 'true').catch(error => error);
  expect([failure.code, connections.dials.length]).toEqual(['HOST_KEY_CHANGED', 1]);
});
