import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Home, handshake, home, hostEntry, raw } from '../support/home.ts';
import { noneLeft, processesWith } from '../support/processes.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { untilTrue } from '../support/until.ts';

const TAG = 'SALLYPORT_TEST_TAG';

const POLICY = {
  version: '1',
  default: 'deny',
  tools: { ssh_exec: {} },
  hosts: { fleet: ['web-*', 'db-1'] },
  rules: [{ id: 'web', effect: 'allow', hosts: ['web-*'], commands: 'any' }],
};

let sshd: Sshd;
let place: Home;
beforeAll(async () => {
  sshd = await startSshd();
  const entry = await hostEntry(sshd);
  const hosts = { 'web-1': entry, 'db-1': entry, 'web-2': { ...entry, tags: ['new'] } };
  place = await home(hosts, POLICY, { knownHosts: [sshd.knownHosts] });
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await sshd.close();
});

const asked = (command: string) => ({ name: 'ssh_exec', arguments: { hosts: ['tag:new', 'fleet'], command } });

test.each(['2026-07-28', '2025-11-25'])(
  'the built server answers for many hosts at once in the era of %s',
  async era => {
    await using server = raw(place);
    const isOld = era === '2025-11-25';
    if (isOld) await handshake(server, era);
    const call = async (params: object): Promise<unknown> => {
      if (!isOld) return (await server.request('tools/call', { ...params })).result;
      server.send({ jsonrpc: '2.0', id: 'many', method: 'tools/call', params });
      return (await server.message(message => message.id === 'many')).result;
    };
    expect(await call(asked('echo ran; exit 3'))).toMatchObject({
      structuredContent: {
        results: [
          { host: 'web-2', status: 'exited', exit_code: 3, stdout: 'ran\n' },
          { host: 'web-1', status: 'exited', exit_code: 3, stdout: 'ran\n' },
          { host: 'db-1', error: { code: 'POLICY_DENIED' } },
        ],
      },
    });
  },
);

test('when the built server is killed, what it runs on many hosts ends', async () => {
  const server = raw(place);
  const tag = randomUUID();
  await handshake(server);
  const params = asked(`${TAG}=${tag} sleep 600 & wait`);
  server.send({ jsonrpc: '2.0', id: 'many', method: 'tools/call', params });
  const sleeping = async () => (await processesWith(`${TAG}=${tag}`)).filter(line => line.endsWith(' sleep 600'));
  await untilTrue(async () => (await sleeping()).length === 2);
  server.child.kill('SIGKILL');
  await server.exited;
  await noneLeft(tag);
});
