import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BIN, errorOf, type Home, handshake, home, type Raw, raw, structured } from '../support/home.ts';
import { untilTrue } from '../support/until.ts';

const POLICY = {
  version: '1',
  default: 'allow',
  rules: [{ id: 'manage', effect: 'allow', actions: ['configure'], hosts: ['staging-*'], addresses: ['192.0.2.0/24'] }],
};
const HOSTS = { 'staging-1': { address: '192.0.2.1', user: 'deploy' }, web: { address: '192.0.2.2', user: 'me' } };
const NEW = { name: 'staging-9', address: '192.0.2.9', like: 'staging-1', reason: 'one more' };

const cli = (place: Home, ...args: readonly string[]): number | null =>
  spawnSync(process.execPath, [BIN, ...args], { env: { ...place.env }, cwd: place.path }).status;

const served = async (place: Home): Promise<Raw> => {
  const server = raw(place);
  await handshake(server);
  return server;
};
const namesOn = async (server: Raw): Promise<readonly string[]> => {
  const { hosts } = structured(await server.call('ssh_list_hosts'));
  return Array.isArray(hosts) ? hosts.map(({ name }) => String(name)) : [];
};

test('a host that an agent adds is there for its next call, for another server, and after a restart', async () => {
  await using place = await home(HOSTS, POLICY);
  await using server = await served(place);
  await using other = await served(place);
  expect(await namesOn(other)).toEqual(['staging-1', 'web']);
  expect(structured(await server.call('ssh_host_add', NEW))).toMatchObject({ host: 'staging-9', logins: ['agent'] });
  expect(await namesOn(server)).toEqual(['staging-1', 'web', 'staging-9']);
  await untilTrue(async () => (await namesOn(other)).includes('staging-9'));
  await using third = await served(place);
  expect(await namesOn(third)).toContain('staging-9');
  expect(structured(await other.call('ssh_host_remove', { name: 'staging-9' }))).toEqual({
    host: 'staging-9',
    removed: true,
  });
  await untilTrue(async () => !(await namesOn(server)).includes('staging-9'));
});

test('a person sees it, takes it back, and what a person adds is not the agent’s', async () => {
  await using place = await home(HOSTS, POLICY);
  const file = join(place.path, '.config/sallyport/config.json');
  const before = readFileSync(file, 'utf8');
  await using server = await served(place);
  await server.call('ssh_host_add', NEW);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(cli(place, 'hosts', 'undo')).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(before);
  await untilTrue(async () => !(await namesOn(server)).includes('staging-9'));
  expect(cli(place, 'hosts', 'add', 'staging-9=deploy@192.0.2.9')).toBe(0);
  await untilTrue(async () => (await namesOn(server)).includes('staging-9'));
  expect(errorOf(await server.call('ssh_host_remove', { name: 'staging-9' }))).toMatchObject({ code: 'POLICY_DENIED' });
  expect(readFileSync(file, 'utf8')).toContain('"staging-9"');
});

test('the record tells what was added, and why it was refused', async () => {
  await using place = await home(HOSTS, POLICY);
  const server = await served(place);
  await server.call('ssh_host_add', NEW);
  await server.call('ssh_host_add', { ...NEW, name: 'prod-9' });
  server.child.stdin.end();
  await server.exited;
  const lines = (await place.audit()).filter(({ tool }) => tool === 'ssh_host_add');
  expect(lines.map(({ event, code, action }) => ({ event, code, action }))).toEqual([
    {
      event: 'admitted',
      code: undefined,
      action: {
        ...{ kind: 'configure', change: 'add', host: 'staging-9', user: 'deploy', address: '192.0.2.9', port: 22 },
        ...{ like: 'staging-1', tags: [] },
      },
    },
    { event: 'ended', code: undefined, action: undefined },
    { event: 'refused', code: 'POLICY_DENIED', action: expect.objectContaining({ host: 'prod-9' }) },
  ]);
});
