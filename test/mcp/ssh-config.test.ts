import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, errorOf, type Home, home, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { untilTrue } from '../support/until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

/** A home whose ssh_config knows the sshd by a name, and lines of its own. */
const homeWith = async (lines: readonly string[]): Promise<Home> => {
  const place = await home({}, ALLOW_ALL, { sshConfig: '../../ssh_config' });
  await writeSsh(place, lines);
  return place;
};

const writeSsh = async (place: Home, lines: readonly string[]): Promise<void> => {
  const { path } = await sshd.userKey();
  const known = `UserKnownHostsFile ${sshd.knownHosts}`;
  const about = ['HostName 127.0.0.1', `Port ${sshd.port}`, `User ${sshd.user}`, `IdentityFile ${path}`, known];
  const text = ['Host by-name', ...about.map(line => `  ${line}`), ...lines, ''].join('\n');
  await writeFile(join(place.path, 'new'), text, { mode: 0o600 });
  await rename(join(place.path, 'new'), join(place.path, 'ssh_config'));
};

test('the first call of all runs on a host that only ssh_config names', async () => {
  await using place = await homeWith([]);
  await using server = raw(place);
  const result = await server.call('ssh_exec', { host: 'by-name', command: 'echo here' });
  expect(structured(result)).toMatchObject({ status: 'exited', exit_code: 0, stdout: 'here\n' });
});

test('a host that is written into ssh_config is there without a restart, unless reading it would run a command', async () => {
  await using place = await homeWith([]);
  await using server = raw(place);
  const run = async (host: string) => await server.call('ssh_exec', { host, command: 'true' });
  expect(errorOf(await run('later')).code).toBe('UNKNOWN_HOST');
  await writeSsh(place, ['Host later', '  HostName 127.0.0.1', `  Port ${sshd.port}`]);
  await untilTrue(async () => {
    const found = structured(await run('later'));
    return found.status === 'exited' || errorOf({ structuredContent: found }).code !== 'UNKNOWN_HOST';
  });
  await writeSsh(place, ['Host last', `Match exec "touch ${place.path}/ran"`]);
  await untilTrue(() => server.stderr().includes('Match exec'));
  expect(errorOf(await run('last')).code).toBe('UNKNOWN_HOST');
  expect(existsSync(join(place.path, 'ran'))).toBe(false);
});
