import { describe, expect, test } from 'vitest';
import type { Program } from '../../../src/call.ts';
import { launchText, scriptText } from '../../../src/ssh/command/launch.ts';
import type { LoginShell } from '../../../src/ssh/command/login-shell.ts';
import { createMarks, isMark } from '../../../src/ssh/command/mark.ts';
import { runShell, shells } from '../../support/shells.ts';

const mark = createMarks(() => Buffer.from('0123456789abcdef', 'hex'))();
type More = { cwd?: string; env?: Record<string, string> };
const launch = (program: Program, more: More = {}, shell: LoginShell = 'other'): string =>
  launchText({ program, env: {}, mark, ...more }, shell);

const ENV = 'exec /usr/bin/env SALLYPORT_ID=0123456789abcdef.0123456789abcdef';
const EXPORT = 'export SALLYPORT_ID=0123456789abcdef.0123456789abcdef;';

describe('the command line', () => {
  test.each<[LoginShell, Program, More, string]>([
    ['posix', { text: 'uptime' }, {}, `${EXPORT} uptime`],
    ['posix', { text: "-x\necho 'hi'" }, {}, `${EXPORT} -x\necho 'hi'`],
    ['posix', { text: 'ls' }, { cwd: "it's" }, `${EXPORT} CDPATH= \\cd -- './it'\\''s' || exit 125; ls`],
    [
      'posix',
      { argv: ['rm', '-rf', 'a b'] },
      { cwd: '~' },
      `${EXPORT} CDPATH= \\cd -- "$HOME" || exit 125; exec 'rm' '-rf' 'a b'`,
    ],
    ['posix', { text: 'ls' }, { env: { A: 'secret' } }, `${ENV} A='secret' "$SHELL" -c 'ls'`],
    ['other', { text: 'uptime' }, {}, `${ENV} "$SHELL" -c 'uptime'`],
    ['posix', { canonical: "'uptime'" }, {}, `${ENV} /bin/sh -c \\''uptime'\\'`],
    [
      'other',
      { canonical: "'ls' '-l'" },
      { cwd: '/srv/app', env: { TZ: 'UTC' } },
      `${ENV} TZ='UTC' /bin/sh -c 'CDPATH= cd -- "$1" || exit 125; shift; exec "$@"' sh '/srv/app' /bin/sh -c \\''ls'\\'' '\\''-l'\\'`,
    ],
    ['other', { text: '-x' }, {}, `${ENV} "$SHELL" -c ' -x'`],
    ['other', { text: "echo 'hi' $HOME" }, {}, `${ENV} "$SHELL" -c 'echo '\\''hi'\\'' $HOME'`],
    ['other', { argv: ['rm', '-rf', 'a b'] }, {}, `${ENV} 'rm' '-rf' 'a b'`],
    ['other', { text: 'ls' }, { env: { A: 'x y', B: '' } }, `${ENV} A='x y' B='' "$SHELL" -c 'ls'`],
    [
      'other',
      { argv: ['ls'] },
      { cwd: '~/src' },
      `${ENV} /bin/sh -c 'CDPATH= cd -- "$1" || exit 125; shift; exec "$@"' sh "$HOME"'/src' 'ls'`,
    ],
  ])('for a %s shell, of %j with %j', (shell, program, more, text) => {
    expect(launch(program, more, shell)).toBe(text);
  });

  test.each<[Program, More, string]>([
    [{ text: 'a\0b' }, {}, 'command contains a NUL character'],
    [{ argv: ['a', 'b\0'] }, {}, 'argv contains a NUL character'],
    [{ text: 'ls' }, { cwd: 'a\0' }, 'cwd contains a NUL character'],
    [{ text: 'ls' }, { env: { A: '\0' } }, 'env contains a NUL character'],
    [{ text: 'ls' }, { env: { 'A-B': '1' } }, '"A-B" is no name'],
    [{ text: 'ls' }, { env: { '': '1' } }, '"" is no name'],
    [{ text: 'ls' }, { env: { 'A=B': '1' } }, '"A=B" is no name'],
    [{ text: 'ls' }, { env: { SALLYPORT_ID: '1' } }, 'SALLYPORT_ID marks the processes'],
    [{ argv: ['A=B', 'ls'] }, {}, 'begins with - or contains ='],
    [{ argv: ['-S', 'ls'] }, {}, 'begins with - or contains ='],
    [{ text: "'".repeat(120_001) }, {}, 'longer than 120000 bytes'],
  ])('of %j with %j is refused', (program, more, message) => {
    for (const shell of ['posix', 'other'] as const)
      expect(() => launch(program, more, shell)).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
      );
  });
});

test('marks of one process begin alike, and each is its own', () => {
  let count = 0;
  const newMark = createMarks(() => Buffer.from([0, 0, 0, 0, 0, 0, 0, count++]));
  expect([newMark(), newMark()]).toEqual(['0000000000000000.0000000000000001', '0000000000000000.0000000000000002']);
  expect(isMark('0000000000000000.0000000000000001; id')).toBe(false);
  expect(() => createMarks(() => Buffer.alloc(3))()).toThrow('eight bytes');
});

const rows = shells.flatMap(shell =>
  (shell.name === 'fish' ? (['other'] as const) : (['posix', 'other'] as const)).map(kind => ({
    name: shell.name,
    kind,
    shell,
  })),
);

test.each(rows.filter(({ shell }) => shell.before.length === 0))(
  'a text is read by $name itself when it is the login shell, spoken to as $kind, with mark, environment and directory',
  async ({ shell, kind }) => {
    const text = 'echo "$SALLYPORT_ID|$A|$SHELL"; pwd; exit 3';
    const ran = await runShell(shell, launch({ text }, { cwd: '/usr', env: { A: "it's $x\n!" } }, kind));
    expect(ran).toEqual({ code: 3, signal: null, stdout: `${mark}|it's $x\n!|${shell.path}\n/usr\n`, stderr: '' });
    const bare = await runShell(shell, launch({ text: '/usr/bin/env | grep SALLYPORT; pwd' }, { cwd: '/usr' }, kind));
    expect(bare).toEqual({ code: 0, signal: null, stdout: `SALLYPORT_ID=${mark}\n/usr\n`, stderr: '' });
  },
);

describe.each(rows)('under $name as the login shell, spoken to as $kind', ({ shell, kind }) => {
  const seen = { code: 0, signal: null, stderr: '' };

  test('words reach a program as they are', async () => {
    const words = ['a b', "it's", '\\', '!', '$HOME', '`id`', '-n', '', '*', 'two\nlines', 'я'];
    const ran = await runShell(shell, launch({ argv: ['/usr/bin/printf', '<%s>', ...words] }, { cwd: '/' }, kind));
    expect(ran).toEqual({ ...seen, stdout: words.map(word => `<${word}>`).join('') });
  });

  test('a directory that is not there means 125, and nothing runs', async () => {
    const ran = await runShell(shell, launch({ argv: ['echo', 'ran'] }, { cwd: '/no/such/place' }, kind));
    expect(ran).toEqual({ ...seen, code: 125, stdout: '', stderr: expect.stringContaining('/no/such/place') });
  });

  test.each([
    ['~', '/'],
    ['~/usr', '/usr'],
    ['usr', '/usr'],
    ['-', '125'],
  ])('the directory %s is %s', async (cwd, there) => {
    const ran = await runShell(shell, launch({ argv: ['/bin/pwd'] }, { cwd }, kind), { CDPATH: '/var' });
    expect(ran.code === 0 ? ran.stdout.trim() : String(ran.code)).toBe(there);
  });

  test('a canonical text is read by /bin/sh, in its directory', async () => {
    const canonical = "'pwd' && 'printf' '<%s>' '$HOME' 'it'\\''s' \\! '*' | 'cat'";
    const ran = await runShell(shell, launch({ canonical }, { cwd: '/usr' }, kind));
    expect(ran).toEqual({ ...seen, stdout: "/usr\n<$HOME><it's><!><*>" });
  });

  test('a script of ours is read by /bin/sh', async () => {
    const ran = await runShell(shell, scriptText('echo "$1 $2 $V"', ["it's", '$x!'], { V: 'v' }));
    expect(ran).toEqual({ ...seen, stdout: "it's $x! v\n" });
  });
});
