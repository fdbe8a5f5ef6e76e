import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { BIN, home, raw, structured } from '../support/home.ts';
import { startSshd } from '../support/sshd.ts';

const run = promisify(execFile);

test('who has an ssh_config and nothing else: init finds the host, a person trusts it, doctor is content, and a call runs', async () => {
  await using sshd = await startSshd();
  await using place = await home();
  await rm(join(place.path, '.config'), { recursive: true });
  const ssh = join(place.path, '.ssh');
  await mkdir(ssh, { mode: 0o700 });
  const lines = [
    'Host web',
    '  HostName 127.0.0.1',
    `  Port ${sshd.port}`,
    `  User ${sshd.user}`,
    `  IdentityFile ${(await sshd.userKey()).path}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(ssh, 'known_hosts')}`,
    `  GlobalKnownHostsFile none`,
    '',
  ];
  await writeFile(join(ssh, 'config'), lines.join('\n'), { mode: 0o600 });
  const sallyport = (...argv: readonly string[]) => run(process.execPath, [BIN, ...argv], { env: place.env });

  const began = await sallyport('init');
  expect(began.stderr).toContain('ssh_config names 1 host: web\n');
  expect(began.stderr).toContain(
    'Next:\n  1. sallyport hosts list\n  2. sallyport hosts trust web\n  3. sallyport doctor\n',
  );
  expect((await sallyport('hosts', 'list')).stdout).toMatch(
    new RegExp(`^web +${sshd.user}@127\\.0\\.0\\.1:${sshd.port} .*unknown`, 'm'),
  );
  await sallyport('hosts', 'trust', 'web', '--fingerprint', sshd.hostKeys[0]?.fingerprint ?? '');
  const { stdout } = await sallyport('doctor');
  expect(stdout).toMatch(/^ok {6}ssh_config: 1 host beside those of config\.json$/m);
  expect(stdout).toMatch(/^ok {6}host web: logged in as \S+ by key; key known, /m);
  expect(stdout).not.toMatch(/^(WRONG|FAILS)/m);

  const server = raw(place);
  expect(structured(await server.call('ssh_exec', { host: 'web', command: 'hostname' }))).toMatchObject({
    status: 'exited',
    exit_code: 0,
  });
  server.child.stdin.end();
  expect(await server.exited).toMatchObject({ code: 0 });
});
