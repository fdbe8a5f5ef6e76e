import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, BIN, type Home, handshake, homeFor, raw } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
let place: Home;
beforeAll(async () => {
  sshd = await startSshd();
  place = await homeFor(sshd, ALLOW_ALL);
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await sshd.close();
});

const COMMAND = { host: 'web-1', command: 'echo out; echo err >&2; exit 3' };
const parameters = () => ({ command: process.execPath, args: [BIN], env: { ...place.env } });

test('the SDK client of the 2025 line initializes, lists and runs a command on a real host', async () => {
  const client = new OldClient({ name: 'old', version: '1' });
  await client.connect(new OldTransport(parameters()));
  const { tools } = await client.listTools();
  const result = await client.callTool({ name: 'ssh_exec', arguments: COMMAND });
  await client.close();
  expect(tools.map(tool => tool.name)).toContain('ssh_exec');
  expect(result.isError).toBeUndefined();
  expect(result.structuredContent).toMatchObject({
    host: 'web-1',
    status: 'exited',
    exit_code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test.each([
  ['a pinned 2026-07-28', { pin: '2026-07-28' } as const, '2026-07-28'],
  ['probing first', 'auto' as const, '2026-07-28'],
  ['the handshake of 2025', 'legacy' as const, '2025-11-25'],
])('the SDK client of the 2026 line runs a command by %s', async (_title, mode, version) => {
  const client = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(parameters()));
  const { tools } = await client.listTools();
  const result = await client.callTool({ name: 'ssh_exec', arguments: COMMAND });
  const refused = await client.callTool({ name: 'ssh_exec', arguments: { host: 'web-9', command: 'id' } });
  const spoken = client.getNegotiatedProtocolVersion();
  await client.close();
  expect(spoken).toBe(version);
  expect(tools).toHaveLength(17);
  expect(result.structuredContent).toMatchObject({ status: 'exited', exit_code: 3, stdout: 'out\n', stderr: 'err\n' });
  expect(refused).toMatchObject({ isError: true, structuredContent: { error: { code: 'UNKNOWN_HOST' } } });
});

test.each(['2025-06-18', '2025-11-25'])('initialize answers %s with the same revision', async protocolVersion => {
  await using server = raw(place);
  const answer = await handshake(server, protocolVersion);
  expect(answer.result).toMatchObject({ protocolVersion, serverInfo: { name: 'sallyport', title: 'Sallyport' } });
});

test('server/discover names the server, its instructions and how long the answer keeps', async () => {
  await using server = raw(place);
  const { result } = await server.request('server/discover');
  expect(result).toMatchObject({
    supportedVersions: expect.arrayContaining(['2026-07-28']),
    instructions: expect.stringContaining('ssh_list_hosts'),
    ttlMs: 60_000,
  });
});

test('the listing is the same bytes in both eras and in every run', async () => {
  const modern = async (): Promise<unknown> => {
    await using server = raw(place);
    return toolsOf(await server.request('tools/list'));
  };
  const legacy = async (): Promise<unknown> => {
    await using server = raw(place);
    await handshake(server);
    server.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' });
    return toolsOf(await server.message(message => message.id === 'list'));
  };
  const lists = [await modern(), await modern(), await legacy()].map(list => JSON.stringify(list));
  expect(new Set(lists).size).toBe(1);
});

const toolsOf = ({ result }: Record<string, unknown>): unknown =>
  typeof result === 'object' && result !== null && 'tools' in result ? result.tools : undefined;
