import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Program } from '../../../src/call.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { openTerminal } from '../../support/terminals.ts';

const PASSWORD = 'correct horse battery';

/** Asks as sudo does: on the terminal, without an echo, again after a wrong answer, and then runs what it was given. */
const SUDO = `#!/bin/sh
while :; do
  printf 'Password for me: '; stty -echo; read -r given; stty echo; echo
  [ "$given" = '${PASSWORD}' ] && { echo "as $given"; exec "$@"; }
  echo 'Sorry, try again.'
done
`;

let sshd: Sshd;
let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
  for (const name of ['sudo', 'askpass']) await chmod(await temp.write(name, SUDO), 0o755);
  sshd = await startSshd({ config: [`SetEnv PATH=${temp.path}:/usr/bin:/bin`] });
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const fleetWith = async (password: string | undefined) => {
  const resolve = async (): Promise<string> => {
    if (password === undefined) throw new Error('no such file');
    return password;
  };
  const logged: string[] = [];
  const fleet = testFleet(await sshd.host({ sudoPassword: new Secret({ file: '/nowhere' }, resolve) }), {
    knownHosts: sshd.knownHosts,
    log: (level, message, fields) => logged.push(JSON.stringify({ level, message, fields })),
  });
  return { fleet, logged };
};

describe('a password that sudo asks for', () => {
  test('is answered by the configuration where the program was granted by its words, and is shown nowhere [G12]', async () => {
    const { fleet, logged } = await fleetWith(PASSWORD);
    using web = fleet;
    const cat = await openTerminal(web, { canonical: "'sudo' 'cat'" });
    await cat.until('waiting_input', 'cat');
    const text = await cat.shows('as ');
    expect(text).toContain('as [redacted]');
    expect(JSON.stringify([text, logged, cat.terminal])).not.toContain(PASSWORD);
    expect((await cat.end()).outcome).toBe('confirmed');
  });

  test('is answered once: a wrong one is left to a person', async () => {
    const { fleet } = await fleetWith('something else');
    using web = fleet;
    const cat = await openTerminal(web, { canonical: "'sudo' 'cat'" });
    await cat.shows('Sorry, try again.');
    await cat.until('password', 'sudo');
    await expect(cat.send({ text: 'guess' })).rejects.toMatchObject({ code: 'PASSWORD_ASKED' });
    await cat.end();
  });

  test.each<[string, Program]>([
    ['a text that any rule lets run', { text: 'sudo cat' }],
    ['words that no rule judged', { argv: ['sudo', 'cat'] }],
    ['a program by another name', { canonical: "'askpass' 'cat'" }],
    ['one of several commands', { canonical: "'true' ; 'sudo' 'cat'" }],
  ])('is left alone for %s', async (_what, program) => {
    const { fleet } = await fleetWith(PASSWORD);
    using web = fleet;
    const cat = await openTerminal(web, program);
    await cat.until('password');
    expect(cat.terminal.transcript.read(0, 1e6).text).not.toContain('as ');
    await cat.end();
  });

  test('that cannot be fetched is told to the operator, and the terminal still says that it is asked for', async () => {
    const { fleet, logged } = await fleetWith(undefined);
    using web = fleet;
    const cat = await openTerminal(web, { canonical: "'sudo' 'cat'" });
    await cat.until('password', 'sudo');
    expect(logged.join('\n')).toContain('the password for sudo could not be had');
    await cat.end();
  });
});
