import { expect, test } from 'vitest';
import { PROBE } from '../../../src/shell/probe.ts';
import { q } from '../../../src/shell/quote.ts';
import { after } from '../../../src/ssh/timer.ts';
import { testFleet } from '../../support/fleet.ts';
import { type Manner, manners, startRudeHost } from '../../support/rude-host.ts';
import { startSshd } from '../../support/sshd.ts';

const ECHO = { canonical: "'echo' 'it'\\''s'" };
/** Whether it is sent exactly as any canonical text is. */
const isProbe = (command: string): boolean =>
  command.replace(/[0-9a-f]{16}\.[0-9a-f]{16}/, 'MARK') ===
  `exec /usr/bin/env SALLYPORT_ID=MARK /bin/sh -c ${q(PROBE)}`;
const ran = { end: { how: 'exited', code: 0 }, stdout: "it's\n", stderr: '' };

test('a host proves itself once for the canonical texts of one connection, and again on the next one', async () => {
  await using sshd = await startSshd();
  using web = testFleet(await sshd.host(), sshd);
  expect(await Promise.all([web.run(ECHO), web.run(ECHO), web.run(ECHO)])).toEqual([ran, ran, ran]);
  await expect.poll(() => sshd.counts()).toMatchObject({ logins: 1, sessions: 4 });
  expect(await web.run(ECHO)).toEqual(ran);
  await expect.poll(() => sshd.counts().sessions).toBe(5);
  await web.fleet.disconnect(web.permit({ kind: 'stop', what: 'connection', target: web.target }));
  expect(await web.run(ECHO)).toEqual(ran);
  await expect.poll(() => sshd.counts()).toMatchObject({ logins: 2, sessions: 7 });
});

test('text that is sent as it is needs no proof', async () => {
  await using host = await startRudeHost();
  using web = testFleet(host.host(), host);
  await web.run('uptime');
  await web.run({ argv: ['uptime'] });
  expect(host.seen.commands.filter(isProbe)).toEqual([]);
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
  ['answers with nonsense', says('Welcome to the router.\r\n'), undefined, 'the answer was not what was sent'],
  ['repeats what it was sent', manners.polite, undefined, 'the answer was not what was sent'],
  ['answers nothing', says(''), undefined, 'the answer was not what was sent'],
  ['says it cannot', says("'exec' is not recognized as a command", 1), undefined, 'the answer was not what was sent'],
  ['never ends its answer', manners.patient, undefined, 'there was no whole answer'],
  ['never says how it ended', manners.noStatus, undefined, 'there was no whole answer'],
  ['never answers', manners.silent, undefined, 'there was no answer'],
  ['greets as Windows', manners.polite, 'OpenSSH_for_Windows_9.5', 'OpenSSH_for_Windows_9.5 is no POSIX system'],
])('a host that %s runs no canonical text [G5]', async (_what, exec, ident, why) => {
  await using host = await startRudeHost({ exec: () => exec, ...(ident === undefined ? {} : { ident }) });
  using web = testFleet(host.host(), { ...host, after: (ms, run) => after(ms / 50, run) });
  await expect(web.run(ECHO, { timeoutMs: 600_000 })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `The login shell of deploy on web does not pass commands on unchanged (${why}), so no command that rules judge may run there; nothing was sent.`,
    next: expect.stringContaining('POSIX login shell'),
  });
  expect(host.seen.commands.map(isProbe)).toEqual(ident === undefined ? [true] : []);
});

test('a host that drops the connection instead of a proof is unreachable, and may prove itself later', async () => {
  let drops = 1;
  await using host = await startRudeHost({ exec: () => (drops-- > 0 ? manners.drop : says('nonsense')) });
  using web = testFleet(host.host(), host);
  await expect(web.run(ECHO)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(web.run(ECHO)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(host.seen.commands.map(isProbe)).toEqual([true, true]);
});
