import { once } from 'node:events';
import { open, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ALLOW_ALL, errorOf, type Home, home, hostEntry, structured } from '../support/home.ts';
import { type Relay, relayTo } from '../support/relay.ts';
import { serving, terminal, type } from '../support/second-terminal.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

const SIZE = 4 * 1024 ** 3;

let sshd: Sshd;
let line: Relay;
beforeAll(async () => {
  sshd = await startSshd();
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

const dial = async (port: number): Promise<void> => {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.destroy();
};

const listed = async (): Promise<readonly Record<string, unknown>[]> =>
  JSON.parse((await type(place, 'list', '--json')).stdout).open;

test('a transfer is seen by a second terminal, followed, and ended there, which its agent hears and the record knows', async () => {
  await using server = await serving(place);
  const path = join(near.path, 'disk.img');
  const file = await open(path, 'w', 0o600);
  await file.truncate(SIZE);
  await file.close();
  const args = { host: 'web-1', remote_path: join(far.path, 'disk.img'), local_path: 'disk.img' };
  const call = server.call('ssh_upload', args);
  await untilTrue(async () => String((await listed())[0]?.progress).includes(' of 4.3 GB, '));
  const [one] = await listed();
  expect(one).toEqual({
    ...{ id: expect.stringMatching(/^tra_[\w-]{22}$/), kind: 'transfer', grant: 'local', host: 'web-1' },
    ...{ status: 'running', what: `upload ${args.remote_path}`, duration_ms: expect.any(Number) },
    progress: expect.stringMatching(/ of 4\.3 GB/),
  });
  const id = String(one?.id);
  const watching = terminal(place, 'watch', id);
  await untilTrue(() => /^[\d.]+ [KMG]B of 4\.3 GB, [\d.]+ [KMG]B\/s$/m.test(watching.stdout()));
  const table = await type(place);
  expect(table.stdout).toMatch(
    new RegExp(`^${id} +transfer +web-1 +local +running .*upload ${args.remote_path} \\(`, 'm'),
  );
  expect(await type(place, 'end', id)).toMatchObject({ code: 0, stdout: `${id}: ended, and nothing of it is left\n` });
  expect(errorOf(await call)).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('operator') });
  expect((await watching.ended).code).toBe(0);
  expect((await readdir(far.path)).filter(name => !name.endsWith('.part'))).toEqual([]);
  expect(await listed()).toEqual([]);
  server.child.stdin.end();
  await server.exited;
  const audit = await place.audit();
  expect(audit.find(record => record.event === 'operator')?.detail).toMatchObject({ ended: id, host: 'web-1' });
  expect(audit.find(record => record.event === 'ended')?.end).toMatchObject({ how: 'cancelled', by: 'operator' });
});

test('a tunnel is seen by a second terminal and ended there, and its port is closed', async () => {
  await using server = await serving(place);
  const args = { host: 'web-1', direction: 'local', to_host: '127.0.0.1', to_port: sshd.port };
  const { tunnel_id, listen_port } = structured(await server.call('ssh_tunnel_start', args));
  expect(await listed()).toMatchObject([
    { id: tunnel_id, kind: 'tunnel', status: 'open', what: expect.stringContaining(`${listen_port}`) },
  ]);
  expect(structured(await server.call('ssh_status')).tunnels).toMatchObject([
    { tunnel_id, listen_port, state: 'open' },
  ]);
  await dial(Number(listen_port));
  expect(await type(place, 'end', String(tunnel_id))).toMatchObject({ code: 0 });
  expect(await listed()).toEqual([]);
  expect(structured(await server.call('ssh_status')).tunnels).toMatchObject([
    { tunnel_id, state: 'ended', why: 'The operator has ended it.' },
  ]);
  await expect(dial(Number(listen_port))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
