import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ASKED } from '../support/approval.ts';
import { BIN, ENVELOPE, errorOf, type Home, homeFor, type Raw, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const POLICY = { version: '1', default: 'allow', ...ASKED };
const YES = { approval: { action: 'accept', content: { host: 'web-1' } } };

const home = (): Promise<Home> => homeFor(sshd, POLICY);

type Json = Record<string, unknown>;

const call = async (server: Raw, more: Json = {}): Promise<Json> => {
  const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } };
  const asked = { name: 'ssh_exec', arguments: { host: 'web-1', command: 'echo ran' } };
  const { result } = await server.request('tools/call', { _meta, ...asked, ...more });
  return Object(result);
};

test('as it ships, a client of 2026-07-28 is asked by the answer to its call, and its yes runs once [G18]', async () => {
  await using place = await home();
  await using server = raw(place);
  const { resultType, requestState } = await call(server);
  const ran = await call(server, { requestState, inputResponses: YES });
  const again = await call(server, { requestState, inputResponses: YES });
  expect(resultType).toBe('input_required');
  expect(structured(ran)).toMatchObject({ status: 'exited', stdout: 'ran\n' });
  expect(errorOf(again)).toMatchObject({ code: 'APPROVAL_DECLINED', rule: '/rules/asked' });
  server.child.stdin.end();
  await server.exited;
  const told = (await place.audit()).filter(({ event }) => ['asked', 'shown', 'answered', 'used'].includes(event));
  expect(told.map(({ event, decision, by }) => [event, decision, by].filter(Boolean).join(' '))).toEqual([
    'asked client',
    'shown',
    'answered accepted client',
    'used client',
    'asked client',
    'answered refused client',
  ]);
});

test('as it ships, a client of the 2025 line is asked while its call waits', async () => {
  await using place = await home();
  const client = new OldClient({ name: 'old', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { host: 'web-1' } }));
  await client.connect(new OldTransport({ command: process.execPath, args: [BIN], env: { ...place.env } }));
  const ran = await client.callTool({ name: 'ssh_exec', arguments: { host: 'web-1', command: 'echo ran' } });
  await client.close();
  expect(ran.structuredContent).toMatchObject({ status: 'exited', stdout: 'ran\n' });
});

test('a question dies with its process: no other takes its state, and what it left is asked again', async () => {
  await using place = await home();
  await using first = raw(place);
  await using second = raw(place);
  const { requestState } = await call(first);
  const foreign = await call(second, { requestState, inputResponses: YES });
  first.child.kill('SIGKILL');
  await first.exited;
  await using third = raw(place);
  const late = await call(third, { requestState, inputResponses: YES });
  const anew = await call(third);
  const ran = await call(third, { requestState: anew.requestState, inputResponses: YES });
  expect([errorOf(foreign), errorOf(late)]).toMatchObject([
    { code: 'APPROVAL_DECLINED', next: expect.stringContaining('without requestState') },
    { code: 'APPROVAL_DECLINED' },
  ]);
  expect(structured(ran)).toMatchObject({ stdout: 'ran\n' });
});

test('nothing of a state or its key is on disk', async () => {
  await using place = await home();
  await using server = raw(place);
  const { requestState } = await call(server);
  server.child.stdin.end();
  await server.exited;
  expect(await place.everything()).not.toContain(String(requestState).slice(4, 60));
});

test('a client that goes while it is asked keeps no server waiting, and nothing runs', async () => {
  await using place = await home();
  await using server = raw(place);
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'raw', version: '0' },
  };
  server.send({ jsonrpc: '2.0', id: 'hello', method: 'initialize', params });
  await server.message(({ id }) => id === 'hello');
  server.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const asked = { name: 'ssh_exec', arguments: { host: 'web-1', command: 'echo ran' } };
  server.send({ jsonrpc: '2.0', id: 'call', method: 'tools/call', params: asked });
  await server.message(({ method }) => method === 'elicitation/create');
  const goneAt = performance.now();
  server.child.stdin.end();
  const { code, atMs } = await server.exited;
  expect(code).toBe(0);
  expect(atMs - goneAt).toBeLessThan(1_000);
  expect((await place.audit()).filter(({ event }) => event === 'admitted' || event === 'used')).toEqual([]);
});

const EVERYTHING = {
  version: '1',
  default: 'allow',
  rules: [
    { id: 'files', effect: 'ask', actions: ['read', 'write'], paths: ['/tmp/sallyport-*/**'] },
    { id: 'tunnels', effect: 'ask', actions: ['forward'], ports: [22] },
    { id: 'work', effect: 'ask', actions: ['exec', 'shell', 'input'], commands: 'any', input: 'any' },
  ].map(rule => ({ ...rule, hosts: ['web-1'], approval: { by: 'client' } })),
};

test('whatever is asked for says itself in three lines, and is done after the yes', async () => {
  await using place = await homeFor(sshd, EVERYTHING);
  await using server = raw(place);
  const remote_path = `${place.path}/motd`;
  const steps: readonly { readonly name: string; readonly args: Json; readonly says: readonly string[] }[] = [
    {
      name: 'ssh_upload',
      args: { remote_path, content: 'hi\n' },
      says: ['copies files', `remote path: ${remote_path} · direction: upload · from content: hi‹line feed›`],
    },
    {
      name: 'ssh_download',
      args: { remote_path },
      says: [
        'copies files',
        `remote path: ${remote_path} · direction: download · to: text · offset: 0 · max bytes: 24000`,
      ],
    },
    { name: 'ssh_session_start', args: { mode: 'terminal' }, says: ['opens a session (terminal)'] },
    {
      name: 'ssh_session_start',
      args: { mode: 'program', command: 'cat' },
      says: ['opens a session (program)', 'command: cat'],
    },
    {
      name: 'ssh_session_send',
      args: { input: 'hi\n' },
      says: ['types into a session (program)', 'into: cat', 'typed text: hi‹line feed›'],
    },
    {
      name: 'ssh_tunnel_start',
      args: { direction: 'local', to_host: 'localhost', to_port: 22 },
      says: ['opens a tunnel', 'direction: local · listen port: 0 · to host: localhost · to port: 22'],
    },
  ];
  let session: Json = {};
  for (const { name, args, says } of steps) {
    const asked = {
      name,
      arguments: name === 'ssh_session_send' ? { ...session, ...args } : { host: 'web-1', ...args },
    };
    const { inputRequests, requestState } = await call(server, asked);
    const [gist = ''] = String(Object(inputRequests).approval.params.message).split('\nAnswer within');
    const [does = '', ...details] = says;
    expect([name, gist.split(/\n(?!… )/)[0]]).toEqual([
      name,
      `web-1: ${does} as ${sshd.user} at 127.0.0.1 port ${sshd.port}`,
    ]);
    expect(gist.replaceAll('\n… ', '').split('\n').slice(1)).toEqual(details);
    const done = await call(server, { ...asked, requestState, inputResponses: YES });
    expect([name, done.isError]).toEqual([name, undefined]);
    if ('session_id' in structured(done)) session = { session_id: structured(done).session_id };
  }
});
