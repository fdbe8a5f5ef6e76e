import { execFile } from 'node:child_process';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { BIN, errorOf, home, raw, structured } from '../support/home.ts';
import { startSshd } from '../support/sshd.ts';

const run = promisify(execFile);

test('from nothing to a served host: init, trust, doctor, a call that runs, one that does not, and their record', async () => {
  await using sshd = await startSshd();
  await using place = await home();
  await rm(join(place.path, '.config'), { recursive: true });
  await mkdir(join(place.path, '.ssh'), { mode: 0o700 });
  await copyFile((await sshd.userKey()).path, join(place.path, '.ssh', 'id_ed25519'));
  const sallyport = (...argv: readonly string[]) => run(process.execPath, [BIN, ...argv], { env: place.env });
  const fingerprint = sshd.hostKeys[0]?.fingerprint ?? '';

  await sallyport('init', '--host', `web=${sshd.user}@127.0.0.1:${sshd.port}`);
  await sallyport('hosts', 'trust', 'web', '--fingerprint', fingerprint);
  const doctor = await sallyport('doctor');
  expect(doctor.stdout).toContain('ok      host web: logged in as ');
  expect(doctor.stdout).not.toMatch(/^(WRONG|FAILS|advice)/m);

  const server = raw(place);
  expect(structured(await server.call('ssh_exec', { host: 'web', command: 'hostname' }))).toMatchObject({
    status: 'exited',
    exit_code: 0,
  });
  await sshd.caughtUp();
  const sessions = sshd.counts().sessions;
  const denied = errorOf(await server.call('ssh_exec', { host: 'web', command: 'hostname; reboot' }));
  expect(denied).toMatchObject({ code: 'POLICY_DENIED', rule: '(no rule)' });
  await sshd.caughtUp();
  expect(sshd.counts().sessions).toBe(sessions);
  server.child.stdin.end();
  expect(await server.exited).toMatchObject({ code: 0 });
  expect(server.stderr()).toBe('');

  expect((await place.audit()).map(({ event }) => event)).toEqual([
    'started',
    'admitted',
    'ended',
    'refused',
    'stopped',
  ]);
  const audit = await sallyport('audit', 'verify');
  expect(audit.stdout).toBe('5 records in 1 file: nothing was changed\n');
});
