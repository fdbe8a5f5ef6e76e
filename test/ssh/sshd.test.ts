import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startSshd } from '../support/sshd.ts';

const run = promisify(execFile);

test('the test server lets the stock client in with its key and counts what it did', async () => {
  await using sshd = await startSshd();
  const key = await sshd.userKey();
  const { stdout } = await run('ssh', [
    ...['-F', 'none', '-p', String(sshd.port), '-i', key.path, '-o', `UserKnownHostsFile=${sshd.knownHosts}`],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', `${sshd.user}@127.0.0.1`, 'echo in'],
  ]);
  expect(stdout).toBe('in\n');
  await sshd.waitForLog(/Disconnected from/);
  await expect.poll(() => sshd.counts()).toEqual({ connections: 1, logins: 1, sessions: 1 });
});
