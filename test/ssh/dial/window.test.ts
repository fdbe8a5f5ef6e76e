import { readFile } from 'node:fs/promises';
import type { ServerChannel } from 'ssh2';
import ssh2 from 'ssh2';
import { expect, test } from 'vitest';
import type { Channel } from '../../../src/ssh/command/channel.ts';
import { windowFor } from '../../../src/ssh/dial/window.ts';
import { run, testConnections } from '../../support/connections.ts';
import { relayTo } from '../../support/relay.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { startSshd } from '../../support/sshd.ts';

const MIB = 2 ** 20;

test.each([
  ['on this machine', 0.1, undefined],
  ['on a local network', 2, undefined],
  ['in the same city', 5, 5 * MIB],
  ['on another continent', 150, 16 * MIB],
  ['on the moon', 2_600, 16 * MIB],
])('a host %s may send ahead what its round trip asks for', (_where, roundTripMs, bytes) => {
  expect(windowFor(roundTripMs)).toBe(bytes);
});

/** What a host has left of the window that it was given. */
const leftOf = (channel: ServerChannel | undefined): number =>
  (channel as unknown as { outgoing: { window: number } } | undefined)?.outgoing.window ?? Number.NaN;

/** A host at a distance that writes as long as it is let to, and a channel of it that nobody reads. */
const unread = async (delayMs: number, stream: 'stdout' | 'stderr' = 'stdout') => {
  let served: ServerChannel | undefined;
  const rude = await startRudeHost({
    exec: () => exec => {
      served = exec.accept();
      const [out, chunk] = [stream === 'stdout' ? served : served.stderr, Buffer.alloc(MIB)];
      const flood = (): void => void out.write(chunk, flood);
      flood();
    },
  });
  const relay = await relayTo(rude.port, { delayMs });
  const connections = testConnections([rude.host({ port: relay.port, hostKeys: [rude.fingerprint] })], {
    knownHosts: [],
  });
  const channel = await connections.get('web').exec('x', { attach: opened => opened.pause() });
  const close = async (): Promise<void> => {
    connections.closeAll();
    relay[Symbol.dispose]();
    await rude.close();
  };
  return { channel, left: () => leftOf(served), [Symbol.asyncDispose]: close };
};

const held = ({ readableLength, stderr }: Channel): number => readableLength + stderr.readableLength;

test.each([
  ['stdout', 'stdout'],
  ['stderr', 'stderr'],
] as const)('a host that nobody reads, %s, is held when the window is used up', async (_what, stream) => {
  await using far = await unread(10, stream);
  await expect.poll(() => [held(far.channel), far.left()]).toEqual([16 * MIB, 0]);
});

test('what is read is replaced, and no more than that', async () => {
  await using far = await unread(10);
  let read = 0;
  const enough = new Promise<void>(resolve => {
    far.channel.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read >= 100 * MIB) resolve();
      if (read >= 100 * MIB) far.channel.pause();
    });
  });
  far.channel.resume();
  await enough;
  await expect.poll(() => held(far.channel) > 13 * MIB && far.left() === 0).toBe(true);
  expect(held(far.channel)).toBeLessThanOrEqual(16 * MIB);
});

test('a near host has the window of ssh2', async () => {
  await using near = await unread(0);
  await expect.poll(() => near.left()).toBe(0);
  expect(held(near.channel)).toBeLessThanOrEqual(4 * MIB);
});

test('much output comes over a long line several times as fast as by ssh2 alone, and whole', async () => {
  await using sshd = await startSshd();
  using relay = await relayTo(sshd.port, { delayMs: 75 });
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [] });
  await run(connections, 'true');
  const bytes = 12 * MIB;
  const ours = await timed(async () => (await run(connections, `head -c ${bytes} /dev/zero`)).stdout.length);
  const client = new ssh2.Client();
  const privateKey = await readFile((await sshd.userKey()).path);
  await new Promise<void>(resolve => {
    client.on('ready', resolve).connect({ host: '127.0.0.1', port: relay.port, username: sshd.user, privateKey });
  });
  const bare = await timed(
    () =>
      new Promise<number>(resolve => {
        let size = 0;
        client.exec(`head -c ${bytes} /dev/zero`, (_error, channel) => {
          channel.on('data', (chunk: Buffer) => {
            size += chunk.length;
          });
          channel.on('close', () => resolve(size)).stderr.resume();
        });
      }),
  );
  client.destroy();
  expect([ours.size, bare.size]).toEqual([bytes, bytes]);
  expect(bare.ms / ours.ms).toBeGreaterThan(1.5);
});

const timed = async (work: () => Promise<number>): Promise<{ readonly size: number; readonly ms: number }> => {
  const begun = performance.now();
  return { size: await work(), ms: performance.now() - begun };
};
