import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ALLOW_ALL, BIN, type Home, home, hostEntry } from '../support/home.ts';
import { type Relay, relayTo } from '../support/relay.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

const SIZE = 64 * 1024 * 1024;
const SUM = createHash('sha256').update(Buffer.alloc(SIZE)).digest('hex');

let sshd: Sshd;
let line: Relay;
beforeAll(async () => {
  sshd = await startSshd();
  // Far enough for a transfer of this size to take a while.
  line = await relayTo(sshd.port, { delayMs: 20 });
});
afterAll(async () => {
  line[Symbol.dispose]();
  await sshd.close();
});

let place: Home;
let far: TempFolder;
let near: TempFolder;
beforeEach(async () => {
  [far, near] = [await tempFolder(), await tempFolder()];
  const entry = { ...(await hostEntry(sshd)), port: line.port, hostKey: sshd.hostKeys[0]?.fingerprint };
  place = await home({ 'web-1': entry }, ALLOW_ALL, { files: { root: near.path } });
  return async () => {
    await Promise.all([far.remove(), near.remove(), place[Symbol.asyncDispose]()]);
  };
});

const sparse = async (path: string): Promise<string> => {
  const file = await open(path, 'w', 0o600);
  await file.truncate(SIZE);
  await file.close();
  return path;
};

type Options = {
  readonly onprogress?: (progress: { message?: string | undefined }) => void;
  readonly signal?: AbortSignal;
};
type Connected = {
  readonly call: (name: string, args: Record<string, unknown>, options?: Options) => Promise<Record<string, unknown>>;
  readonly close: () => Promise<void>;
};

const parameters = () => ({ command: process.execPath, args: [BIN], env: { ...place.env } });

/** Both hold what they get against the schema of the tool. */
const old = async (): Promise<Connected> => {
  const client = new OldClient({ name: 'old', version: '1' });
  await client.connect(new OldTransport(parameters()));
  await client.listTools();
  return {
    call: async (name, args, options) => await client.callTool({ name, arguments: args }, undefined, options),
    close: () => client.close(),
  };
};
const modern = async (): Promise<Connected> => {
  const client = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(parameters()));
  await client.listTools();
  return {
    call: async (name, args, options) => ({ ...(await client.callTool({ name, arguments: args }, options)) }),
    close: () => client.close(),
  };
};

describe.each([
  { who: 'the SDK client of the 2025 line', connect: old },
  { who: 'the SDK client of the 2026 line', connect: modern },
])('$who', ({ connect }) => {
  test('is told how far an upload is, and gets its sum', async () => {
    const client = await connect();
    await sparse(join(near.path, 'image'));
    const said: unknown[] = [];
    const args = { host: 'web-1', remote_path: join(far.path, 'image'), local_path: 'image' };
    const result = await client.call('ssh_upload', args, { onprogress: ({ message }) => void said.push(message) });
    await client.close();
    expect(result.isError).toBeUndefined();
    expect(result.structuredContent).toMatchObject({ size: SIZE, bytes: SIZE, sha256: SUM });
    expect(said).toContainEqual(expect.stringMatching(/^[\d.]+ [KM]B of 67\.1 MB, [\d.]+ [KM]B\/s$/));
  });

  test('cancels a download, which leaves nothing under its name, and goes on with it [G19]', async () => {
    const client = await connect();
    const remote_path = await sparse(join(far.path, 'image'));
    const giveUp = new AbortController();
    const args = { host: 'web-1', remote_path, local_path: 'image' };
    const running = client.call('ssh_download', args, { signal: giveUp.signal });
    const there = async (): Promise<number> => {
      const names = await readdir(near.path);
      return Math.max(0, ...(await Promise.all(names.map(async name => (await stat(join(near.path, name))).size))));
    };
    await untilTrue(async () => (await there()) > 1_000_000);
    giveUp.abort();
    await expect(running).rejects.toThrow();
    await untilTrue(async () => (await place.audit()).some(line => line.event === 'ended'));
    expect(await readdir(near.path)).toEqual([
      expect.stringMatching(/^\.image\.sallyport-[0-9a-f]{16}-[0-9a-f]{8}\.part$/),
    ]);
    const result = await client.call('ssh_download', { ...args, resume: true });
    await client.close();
    expect(result.structuredContent).toMatchObject({ size: SIZE, sha256: SUM, resumed_from: expect.any(Number) });
    expect(await readdir(near.path)).toEqual(['image']);
  });

  test('gets a text, a tree and a refusal in shapes that it accepts', async () => {
    const client = await connect();
    await near.write('app/one', 'one');
    const to = (name: string) => ({ host: 'web-1', remote_path: join(far.path, name) });
    const tree = await client.call('ssh_upload', { ...to('app'), local_path: 'app', recursive: true });
    const text = await client.call('ssh_download', to('app/one'));
    const none = await client.call('ssh_download', to('none'));
    const wrong = await client.call('ssh_upload', { ...to('none'), content: 'x', recursive: true });
    await client.close();
    expect(tree.structuredContent).toMatchObject({ files: 1, folders: 1, left_out: [], left_out_count: 0 });
    expect(text.structuredContent).toMatchObject({ content: 'one', size: 3 });
    expect(none).toMatchObject({ isError: true, structuredContent: { error: { code: 'NO_SUCH_FILE' } } });
    expect(wrong).toMatchObject({ isError: true, structuredContent: { error: { code: 'INVALID_INPUT' } } });
  });
});
