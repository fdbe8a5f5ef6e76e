import { connect, createServer, type Socket } from 'node:net';
import type { Connection as Served } from 'ssh2';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { run, testConnections } from '../../support/connections.ts';
import { manners, sendPacket, startRudeHost } from '../../support/rude-host.ts';

/** A small generator of numbers below a bound that is the same in every run. */
const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** A relay that spoils one byte, or cuts, doubles or drops what comes after it. */
const spoilingRelay = async (target: number, next: (below: number) => number) => {
  const sockets: Socket[] = [];
  const server = createServer(near => {
    const far = connect(target, '127.0.0.1');
    let until = next(next(2) === 0 ? 3_000 : 8_000);
    far.on('data', chunk => {
      const at = until;
      until -= chunk.length;
      if (at < 0 || at >= chunk.length) return void near.write(chunk);
      const spoil = next(4);
      if (spoil === 0) chunk[at] = next(256);
      if (spoil === 1) return void near.end(chunk.subarray(0, at));
      if (spoil === 2) near.write(chunk.subarray(at));
      near.write(spoil === 3 ? chunk.subarray(0, at) : chunk);
    });
    near.on('data', chunk => far.write(chunk));
    near.on('close', () => far.destroy()).on('error', () => {});
    far.on('close', () => near.destroy()).on('error', () => {});
    sockets.push(near, far);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

const HEARTBEAT = { pingMs: 20, lookMs: 20, silentLooks: 10 };

test('a hundred spoiled streams end in the right answer or a failure, never in a wrong answer', async () => {
  await using rude = await startRudeHost();
  const relay = await spoilingRelay(rude.port, generator(7));
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 100; round += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const host = rude.host({ port: relay.port, hostKeys: [rude.fingerprint] });
        const parts = { knownHosts: [], connectTimeoutMs: 500, heartbeat: HEARTBEAT };
        using connections = testConnections([host], parts);
        const outcome = await run(connections, 'x').then(
          ({ stdout, code }) => (code === undefined ? 'lost' : `${code} ${stdout}`),
          (error: unknown) => (error instanceof Failure ? error.code : String(error)),
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
    );
  }
  relay.close();
  const allowed = ['0 ran: x', 'lost', 'UNREACHABLE', 'CONNECTION_LOST', 'HOST_KEY_CHANGED', 'AUTH_FAILED'];
  expect([...outcomes.keys()].filter(outcome => !allowed.includes(outcome))).toEqual([]);
  // What broke off before the handshake was tried again.
  expect(outcomes.get('UNREACHABLE')).toBeGreaterThan(5);
});

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);

/** Well-formed messages of the connection protocol (RFC 4254 section 9) for channels that may or may not be open. */
const MESSAGES: readonly ((channel: Buffer, next: (below: number) => number) => readonly (Buffer | number)[])[] = [
  channel => [91, channel, number(0), number(1_000_000), number(32_768)],
  (channel, next) => [92, channel, number(next(6)), text('no'), text('')],
  (channel, next) => [93, channel, number([0, 1, 2 ** 32 - 1][next(3)] ?? 0)],
  channel => [94, channel, text('data')],
  channel => [95, channel, number(1), text('error')],
  channel => [95, channel, number(7), text('neither')],
  channel => [96, channel],
  channel => [97, channel],
  (channel, next) => [98, channel, text('exit-status'), next(2), number(next(300))],
  channel => [98, channel, text('exit-signal'), 0, text('TERM'), 0, text('x'), text('')],
  channel => [98, channel, text('constructor'), 1],
  channel => [99, channel],
  channel => [100, channel],
  () => [80, text('hostkeys-00@openssh.com'), 0, text('nonsense')],
  () => [80, text('toString'), 1],
  () => [81],
  () => [82],
  channel => [90, text('auth-agent@openssh.com'), channel, number(10), number(10)],
  channel => [90, text('forwarded-streamlocal@openssh.com'), channel, number(1), number(1), text('valueOf'), text('')],
  channel => [90, text('session'), channel, number(10), number(10)],
  () => [4, 1, text('debug'), text('')],
  () => [2, text('ignored')],
];

const message = (next: (below: number) => number): Buffer => {
  const parts = MESSAGES[next(MESSAGES.length)]?.(number(next(4)), next) ?? [];
  return Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : part)));
};

/** A packet of any number and any content. */
const nonsense = (next: (below: number) => number): Buffer =>
  Buffer.from(Array.from({ length: 1 + next(60) }, () => (next(3) === 0 ? next(256) : next(4))));

test('messages in a senseless order from a trusted host end its connection at worst', async () => {
  const next = generator(11);
  const pester = (connection: Served): void => {
    for (let at = next(40); at > 0; at--) sendPacket(connection, message(next));
    if (next(8) === 0) sendPacket(connection, nonsense(next));
  };
  await using rude = await startRudeHost({
    onReady: connection => {
      if (next(4) === 0) pester(connection);
    },
    exec: () => exec => {
      if (next(2) === 0) pester(exec.connection);
      if (next(2) === 0) manners.polite(exec);
      pester(exec.connection);
    },
  });
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 80; round++) {
    const parts = { knownHosts: [rude.knownHosts], pause: async () => {}, heartbeat: HEARTBEAT };
    using connections = testConnections([rude.host()], parts);
    const one = run(connections, 'x').then(() => 'ended', codeOf);
    const other = run(connections, 'y').then(() => 'ended', codeOf);
    const enough = new Promise<string>(resolve => setTimeout(resolve, 100, 'still open'));
    const outcome = await Promise.race([Promise.all([one, other]).then(([first]) => first), enough]);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const allowed = ['ended', 'still open', 'CONNECTION_LOST', 'UNSUPPORTED', 'UNREACHABLE', 'BUSY'];
  expect([...outcomes.keys()].filter(outcome => !allowed.includes(outcome))).toEqual([]);
  expect(outcomes.get('ended')).toBeGreaterThan(5);
});

/** A packet without encryption (RFC 4253 section 6), as it goes before the first key exchange. */
const plain = (payload: Buffer): Buffer => {
  const least = 8 - ((payload.length + 5) % 8);
  const padding = least < 4 ? least + 8 : least;
  return Buffer.concat([number(payload.length + 1 + padding), Buffer.of(padding), payload, Buffer.alloc(padding)]);
};

const SUCCESS = Buffer.of(52);
const NEWKEYS = Buffer.of(21);
const SERVICE_ACCEPT = Buffer.concat([Buffer.of(6), text('ssh-userauth')]);

const PIN = `SHA256:${'A'.repeat(43)}`;

test.each([
  ['a success', [SUCCESS]],
  ['an accepted service and a success', [SERVICE_ACCEPT, SUCCESS]],
  ['new keys and a success', [NEWKEYS, SUCCESS]],
])('%s before the key exchange is no login, and no key is asked for', async (_title, packets) => {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.write(Buffer.concat([Buffer.from('SSH-2.0-evil\r\n'), ...packets.map(plain)]));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const auth = [{ kind: 'agent', socket: '/nowhere/agent.sock' }] as const;
  const host = { name: 'web', address: '127.0.0.1', port, user: 'deploy', auth, hostKeys: [PIN], tags: [] };
  using connections = testConnections([host], { knownHosts: [], connectTimeoutMs: 500 });
  await expect(connections.get('web').ready()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    details: { phase: 'handshake' },
  });
  expect(connections.get('web').state()).toBe('closed');
  server.close();
});

const codeOf = (error: unknown): string => (error instanceof Failure ? error.code : String(error));
