import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { InMemoryTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Seal } from '../../src/mcp/seal.ts';
import { createServer, type Entry } from '../../src/mcp/server.ts';
import { serve } from '../../src/mcp/stdio.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { realClock } from '../support/clock.ts';
import { ENVELOPE } from '../support/home.ts';
import { type TestHouse, testHouse } from '../support/house.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

const POLICY = { rules: [{ id: 'web', effect: 'allow', hosts: ['web-*'], commands: 'any' }] };

let web: Sshd;
let db: Sshd;
let temp: TempFolder;
let behind: TestHouse;
let entry: Entry;
beforeAll(async () => {
  [web, db, temp] = await Promise.all([startSshd(), startSshd(), tempFolder()]);
  const gone = await startSshd();
  const hosts = [
    await web.host({ name: 'web-1' }),
    await db.host({ name: 'db-1' }),
    await gone.host({ name: 'web-2' }),
    await db.host({ name: 'web-3' }),
  ];
  const known = await temp.write(
    'known_hosts',
    [web, db, gone].map(({ knownHosts }) => readFileSync(knownHosts, 'utf8')).join(''),
  );
  await gone.close();
  behind = testHouse(hosts, POLICY, [known]);
  const log = (): void => undefined;
  const open = async () => ({
    tools: TOOLS,
    house: behind.house,
    grant: 'local',
    shows: () => true,
    newCallId: () => 'call_1',
    seal: new Seal(randomBytes, realClock),
    clock: realClock,
    log,
  });
  entry = { version: '0', open, log };
});
afterAll(async () => {
  behind[Symbol.dispose]();
  await Promise.all([web.close(), db.close(), temp.remove()]);
});

const ASKED = { hosts: ['db-1', 'web-2', 'web-1'], command: 'echo out; exit 3' };
const ANSWER = {
  results: [
    { host: 'db-1', error: { code: 'POLICY_DENIED' } },
    { host: 'web-2', error: { code: 'UNREACHABLE' } },
    { host: 'web-1', status: 'exited', exit_code: 3, stdout: 'out\n' },
  ],
};

/** A client of the 2025 line, which holds every answer against the schema of its tool. */
const oldClient = async (): Promise<OldClient> => {
  const [near, far] = InMemoryTransport.createLinkedPair();
  await createServer(entry).connect(far);
  const client = new OldClient({ name: 'old', version: '1' });
  await client.connect(near);
  await client.listTools();
  return client;
};

test('the client of the 2025 line gets each answer in its place, and accepts its shape', async () => {
  const client = await oldClient();
  const said: unknown[] = [];
  const onprogress = (progress: unknown): void => void said.push(progress);
  const many = await client.callTool({ name: 'ssh_exec', arguments: ASKED }, undefined, { onprogress });
  const one = await client.callTool({ name: 'ssh_exec', arguments: { host: 'web-1', command: 'echo one' } });
  const none = await client.callTool({ name: 'ssh_exec', arguments: { hosts: ['db-1'], command: 'id' } });
  const list = await client.callTool({ name: 'ssh_list_hosts', arguments: {} });
  await client.close();
  expect(many).toMatchObject({ structuredContent: ANSWER });
  expect(many.isError).toBeUndefined();
  expect(one.structuredContent).toMatchObject({ host: 'web-1', stdout: 'one\n' });
  expect(none).toMatchObject({ isError: true, structuredContent: { error: { code: 'POLICY_DENIED' } } });
  expect(list.structuredContent).toMatchObject({
    may_run: [
      { hosts: ['web-1', 'web-2', 'web-3'], runs: 'anything' },
      { hosts: ['db-1'], runs: 'nothing' },
    ],
  });
  expect(said[0]).toMatchObject({ progress: 1, message: expect.stringMatching(/^1 of 3 hosts ended; /) });
});

test('the 2026-07-28 era gets the same', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const served = serve(entry, { stdin, stdout });
  const params = { _meta: ENVELOPE, name: 'ssh_exec', arguments: ASKED };
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })}\n`);
  const [chunk]: unknown[] = await once(stdout, 'data');
  await served.close();
  expect(JSON.parse(String(chunk))).toMatchObject({ id: 1, result: { structuredContent: ANSWER } });
});

test('notifications/cancelled stops it on every host', async () => {
  const client = await oldClient();
  const giveUp = new AbortController();
  const file = join(temp.path, 'begun');
  const command = `echo x >>${file}; trap 'echo x >>${file}.ended' EXIT; sleep 600 & wait`;
  const onprogress = (): void => {
    if (existsSync(file) && readFileSync(file, 'utf8').length >= 4) giveUp.abort();
  };
  const working = client.callTool({ name: 'ssh_exec', arguments: { hosts: ['web-1', 'web-3'], command } }, undefined, {
    onprogress,
    signal: giveUp.signal,
  });
  await expect(working).rejects.toThrow();
  await expect
    .poll(() => behind.records.filter(record => record.event === 'ended' && record.end.how === 'cancelled').length)
    .toBe(2);
  await client.close();
});
