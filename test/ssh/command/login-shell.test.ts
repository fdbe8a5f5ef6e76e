import { describe, expect, test } from 'vitest';
import { testFleet } from '../../support/fleet.ts';
import { processesWith } from '../../support/processes.ts';
import { shells } from '../../support/shells.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

/** A server whose accounts seem to have this login shell. */
const sshdWith = (shell: string): Promise<Sshd> =>
  startSshd({ config: [`ForceCommand SHELL=${shell} exec ${shell} -c "$SSH_ORIGINAL_COMMAND"`] });

describe.each(shells.filter(({ before }) => before.length === 0))(
  'an account whose login shell is $name',
  ({ name, path }) => {
    test('runs texts and words, in a directory, with an environment, and stops', async () => {
      await using sshd = await sshdWith(path);
      using web = testFleet(await sshd.host(), sshd);
      const text = 'echo "$SHELL"; /usr/bin/env | grep -c ^SALLYPORT_ID=; pwd; exit 3';
      const stdout = `${path}\n1\n/usr\n`;
      expect(await web.run(text, { cwd: '/usr' })).toEqual({ end: { how: 'exited', code: 3 }, stdout, stderr: '' });
      const words = ['a b', "it's", '$HOME', '!', '\\', ''];
      const ran = await web.run({ argv: ['/usr/bin/printf', '<%s>', ...words] }, { env: { A: "it's\n!" } });
      expect(ran.stdout).toBe(words.map(word => `<${word}>`).join(''));
      const seconds = `9${Date.now()}.${name.length}`;
      const { command } = await web.start(`sleep ${seconds} & echo up; sleep ${seconds}`, { env: { TRACE: seconds } });
      await command.stdout.grown(0);
      expect(await web.cancel(command)).toMatchObject({ outcome: 'confirmed', remaining: [] });
      expect(await processesWith(seconds)).toEqual([]);
      const shell = await web.open();
      await shell.send('cd /usr');
      await shell.send('export A=1 B="$HOME"');
      expect((await shell.send('echo "$A$B"; pwd')).stdout).toMatch(/^1\/.*\n\/usr\n$/);
    });
  },
);

test('a loop of a shell alone, without a child, is found and stopped', async () => {
  await using sshd = await startSshd();
  using web = testFleet(await sshd.host(), sshd);
  const { command } = await web.start('echo up; while :; do :; done');
  await command.stdout.grown(0);
  expect(await web.cancel(command)).toEqual({ outcome: 'confirmed', signals: ['INT'], remaining: [] });
});

test('the login shell is asked for once, by whoever comes first', async () => {
  await using sshd = await startSshd();
  using web = testFleet(await sshd.host(), sshd);
  await Promise.all([web.run('true'), web.run('true'), web.run('true')]);
  await expect.poll(() => sshd.counts().sessions).toBe(4);
  await web.run('true');
  await expect.poll(() => sshd.counts().sessions).toBe(5);
});

test('values of an environment are on no command line while the program runs', async () => {
  await using sshd = await startSshd();
  using web = testFleet(await sshd.host(), sshd);
  const { command } = await web.start(
    'echo up; cat /proc/*/cmdline | tr "\\0" "\\n" | grep -c "[h]idden"; sleep 865 & wait',
    {
      env: { SECRET: 'hidden' },
    },
  );
  while (command.stdout.length < 5) await command.stdout.grown(command.stdout.length);
  expect(command.stdout.read(0, 100).text).toBe('up\n0\n');
  await web.cancel(command);
});
