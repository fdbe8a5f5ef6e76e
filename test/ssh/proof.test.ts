import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROBE } from '../../src/shell/probe.ts';
import { after } from '../../src/ssh/timer.ts';
import { testFleet } from '../support/fleet.ts';
import { type Manner, manners, startRudeHost } from '../support/rude-host.ts';
import { startSshd } from '../support/sshd.ts';
import { tempFolder } from '../support/temp.ts';

const ECHO = { canonical: "'echo' 'it'\\''s'" };
const ran = { end: { how: 'exited', code: 0 }, stdout: "it's\n", stderr: '' };

test('a host proves itself once for the canonical texts of one connection, and again on the next one', async () => {
  await using sshd = await startSshd();
  using web = testFleet(await sshd.host(), sshd);
  expect(await Promise.all([web.run(ECHO), web.run(ECHO), web.run(ECHO)])).toEqual([ran, ran, ran]);
  expect(sshd.counts()).toMatchObject({ logins: 1, sessions: 4 });
  expect(await web.run(ECHO)).toEqual(ran);
  expect(sshd.counts().sessions).toBe(5);
  await web.fleet.disconnect(web.permit({ kind: 'stop', what: 'connection', target: web.target }));
  expect(await web.run(ECHO)).toEqual(ran);
  expect(sshd.counts()).toMatchObject({ logins: 2, sessions: 7 });
});

test('text that is sent as it is needs no proof', async () => {
  await using host = await startRudeHost();
  using web = testFleet(host.host(), host);
  await web.run('uptime');
  await web.run({ argv: ['uptime'] });
  expect(host.seen.commands.filter(command => command.includes('sallyport>') || command === PROBE)).toEqual([]);
  expect(host.seen.commands.length).toBe(3);
});

const says =
  (output: string, code = 0): Manner =>
  exec => {
    const channel = exec.accept();
    channel.write(output);
    channel.exit(code);
    channel.end();
  };

test.each<[string, Manner, string | undefined, string]>([
  ['answers with nonsense', says('Welcome to the router.\r\n'), undefined, 'not what was sent'],
  ['repeats what it was sent', manners.polite, undefined, 'not what was sent'],
  ['answers nothing', says(''), undefined, 'not what was sent'],
  ['says it cannot', says("'exec' is not recognized as a command", 1), undefined, 'not what was sent'],
  ['never ends its answer', manners.patient, undefined, 'no whole answer'],
  ['never says how it ended', manners.noStatus, undefined, 'no whole answer'],
  ['never answers', manners.silent, undefined, 'no answer'],
  ['greets as Windows', manners.polite, 'OpenSSH_for_Windows_9.5', 'OpenSSH_for_Windows_9.5 is no POSIX system'],
])('a host that %s runs no canonical text', async (_what, exec, ident, why) => {
  await using host = await startRudeHost({ exec: () => exec, ...(ident === undefined ? {} : { ident }) });
  using web = testFleet(host.host(), { ...host, after: (ms, run) => after(ms / 50, run) });
  await expect(web.run(ECHO, { timeoutMs: 600_000 })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `The login shell of deploy on web does not pass commands on unchanged (${why === 'not what was sent' ? `the answer was ${why}` : why.startsWith('no ') ? `there was ${why}` : why}), so no command that rules judge may run there; nothing was sent.`,
    next: expect.stringContaining('POSIX login shell'),
  });
  expect(host.seen.commands).toEqual(ident === undefined ? [PROBE] : []);
});

test('a host that drops the connection instead of a proof is unreachable, and may prove itself later', async () => {
  let drops = 1;
  await using host = await startRudeHost({ exec: () => (drops-- > 0 ? manners.drop : says('nonsense')) });
  using web = testFleet(host.host(), host);
  await expect(web.run(ECHO)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(web.run(ECHO)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(host.seen.commands).toEqual([PROBE, PROBE]);
});

test('an account whose startup file replaces exec runs no canonical text', async () => {
  await using home = await tempFolder();
  await home.write('.bashrc', `exec() { : >"$HOME/pwned"; builtin exec /bin/echo hijacked; }\n`);
  await using sshd = await startSshd({
    config: [`ForceCommand HOME=${home.path} exec /bin/bash --rcfile x -c ". $HOME/.bashrc; eval \\"$SSH_ORIGINAL_COMMAND\\""`],
  });
  await writeFile(join(home.path, 'unused'), '');
  using web = testFleet(await sshd.host(), sshd);
  await expect(web.run(ECHO)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(sshd.counts().sessions).toBe(1);
});
