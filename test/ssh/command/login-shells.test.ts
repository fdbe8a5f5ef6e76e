import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read } from '../../../src/shell/read.ts';
import { write } from '../../../src/shell/write.ts';
import { loginShells } from '../../shell/recorder.ts';
import { type TestFleet, testFleet } from '../../support/fleet.ts';
import { mayChooseAccount, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

/** Files with the names that an attacker would choose; a pattern meets all but the hidden one, in this order. */
const FILES = ['!', '$(touch pwned)', "'", '*', '-rf', '[b]', 'a b', 'a.log', 'b\nc', 'x;b'] as const;
/** Programs on the account's PATH; each writes down what it was called with. */
const NAMES = [
  'a',
  'b',
  'c',
  'if',
  'ls',
  'grep',
  'true',
  'pwned',
  '-n',
  'a b',
  'a=b',
  '~',
  '$x',
  '!',
  'touch',
  'env',
  'sh',
] as const;

/** Every text with the words of each program that it must start, and no other. */
const TEXTS: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ['a ./*', [['a', ...FILES.map(name => `./${name}`)]]],
  ['a a?b a.*', [['a', 'a b', 'a.log']]],
  ['a ./[a-x]*', [['a', './a b', './a.log', './b\nc', './x;b']]],
  ["a '*'* ./\\'* nothing*", [['a', '*', "./'", 'nothing*']]],
  ["a ./'$('*", [['a', './$(touch pwned)']]],
  ['a', [['a']]],
  ['a x  y', [['a', 'x', 'y']]],
  [`a "it's" 'say "x"'`, [['a', "it's", 'say "x"']]],
  ["a '' '' x", [['a', '', '', 'x']]],
  ["a ' two  blanks\t'", [['a', ' two  blanks\t']]],
  ["a '!' '!!' '!x y!' 'x!'", [['a', '!', '!!', '!x y!', 'x!']]],
  ["a '\\' '\\\\' 'a\\y' '\\n' '\\!'", [['a', '\\', '\\\\', 'a\\y', '\\n', '\\!']]],
  [`a "'\\\\!'" "\\\\'"`, [['a', "'\\!'", "\\'"]]],
  ["a '$HOME' '${x}' '$(touch pwned)' '`touch pwned`'", [['a', '$HOME', '${x}', '$(touch pwned)', '`touch pwned`']]],
  ["a '$((1+1))' '$x' '$1' '$$'", [['a', '$((1+1))', '$x', '$1', '$$']]],
  [`a "\\$HOME" "\\\`touch pwned\\\`"`, [['a', '$HOME', '`touch pwned`']]],
  ["a '*' '?' '[a-z]' '.*'", [['a', '*', '?', '[a-z]', '.*']]],
  ["a '{a,b}' '{1..3}' '(a)' '^x' 'x^y'", [['a', '{a,b}', '{1..3}', '(a)', '^x', 'x^y']]],
  ["a '~' '~root' '=a' '#x' 'x#y'", [['a', '~', '~root', '=a', '#x', 'x#y']]],
  ["a '; touch pwned' '& touch pwned' '| touch pwned'", [['a', '; touch pwned', '& touch pwned', '| touch pwned']]],
  [
    "a '&&' '||' '<' '>' '>>' '<<x' '2>&1' '>(b)' '<(b)'",
    [['a', '&&', '||', '<', '>', '>>', '<<x', '2>&1', '>(b)', '<(b)']],
  ],
  ['a "\'; touch pwned; \'"', [['a', "'; touch pwned; '"]]],
  ["a '%s\\n' '-n' '-e' '--' '-'", [['a', '%s\\n', '-n', '-e', '--', '-']]],
  ["a 'é' '日本' '🌍'", [['a', 'é', '日本', '🌍']]],
  ['a \\$x \\; \\| \\& \\  \\*', [['a', '$x', ';', '|', '&', ' ', '*']]],
  ['a x=1 A=b --opt=1', [['a', 'x=1', 'A=b', '--opt=1']]],
  ["a 'pwned' exec env eval if done", [['a', 'pwned', 'exec', 'env', 'eval', 'if', 'done']]],
  ["'if' x", [['if', 'x']]],
  ["'a b' x", [['a b', 'x']]],
  ["'$x' y", [['$x', 'y']]],
  [
    'ls -l; grep x',
    [
      ['ls', '-l'],
      ['grep', 'x'],
    ],
  ],
  ['a && b', [['a'], ['b']]],
  ['a || b', [['a']]],
  ['a || b; c', [['a'], ['c']]],
  ['a && b || c', [['a'], ['b']]],
  ['a\nb\n', [['a'], ['b']]],
  [
    'a x | b y',
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
  ],
  ["a '|' | b | c ';'", [['a', '|'], ['b'], ['c', ';']]],
  ['a | b && c; ls | grep', [['a'], ['b'], ['c'], ['ls'], ['grep']]],
  ['a 2>&1 | b', [['a'], ['b']]],
  ['a >out', [['a']]],
  ["a >>'out $(touch pwned)' 2>/dev/null", [['a']]],
  ["a x >/dev/null 2>&1; b <'a b'", [['a', 'x'], ['b']]],
  ['a 2>err >&2', [['a']]],
  ["a <'-rf'; b >'o u;t'", [['a'], ['b']]],
];
const WRITTEN = ['err', 'o u;t', 'out', 'out $(touch pwned)'];

const replaced = [...NAMES.filter(name => /^[a-z]+$/.test(name) && name !== 'if' && name !== 'pwned'), 'printf', 'cat'];
const each = (line: (name: string) => string): string => replaced.map(name => `${line(name)}\n`).join('');
const functions = each(name => `${name}() { pwned; }`);

/** Startup files that put `pwned` in the place of every program that a text or the server itself names. */
const STARTUP: Readonly<Record<string, string>> = {
  '.bashrc': `${functions}${each(name => `export -f ${name}`)}shopt -s expand_aliases extglob nullglob\n${each(name => `alias ${name}=pwned`)}`,
  '.zshenv': `${functions}${each(name => `alias -g ${name}=pwned`)}setopt extendedglob nullglob\n`,
  '.config/fish/config.fish': each(name => `function ${name}; pwned; end`),
  '.tcshrc': each(name => `alias ${name} pwned`),
  '.mkshrc': functions,
  '.kshrc': functions,
  '.yashrc': functions,
  '.profile': functions,
};

/** One way to replace `exec` itself, for the shells that read a startup file and let it. */
const WITHOUT_EXEC: Readonly<Record<string, readonly [string, string]>> = {
  bash: ['.bashrc', 'exec() { pwned; }\n'],
  zsh: ['.zshenv', 'alias exec=pwned\n'],
  tcsh: ['.tcshrc', 'alias exec pwned\n'],
};

type Place = {
  readonly home: string;
  readonly odd: string;
  readonly bin: string;
  readonly ran: () => Promise<string[][]>;
};

/** A home with hostile startup files, a folder of an odd name, hostile file names in both, and a PATH of recorders. */
const hostilePlace = async (temp: TempFolder, startup: Readonly<Record<string, string>>): Promise<Place> => {
  const at = (name: string): string => join(temp.path, name);
  const [home, odd, bin, log] = [at('home'), at("it's \\ $(touch pwned) !"), at('bin'), at('log')];
  await Promise.all([...[home, odd, bin].map(folder => mkdir(folder)), writeFile(log, '')]);
  const script = `#!/bin/sh\nprintf '%s\\0' "$#" "\${0##*/}" "$@" >>'${log}'\n`;
  const recorder = await temp.write('recorder', script, 0o755);
  await Promise.all(NAMES.map(name => symlink(recorder, join(bin, name))));
  // All that the proof of the host needs from its PATH.
  await symlink('/usr/bin/cat', join(bin, 'cat'));
  for (const folder of [home, odd]) {
    await Promise.all([...FILES, '.hid'].map(name => writeFile(join(folder, name), '')));
  }
  await Promise.all(Object.entries(startup).map(([name, content]) => temp.write(join('home', name), content)));
  const ran = async (): Promise<string[][]> => {
    const fields = (await readFile(log, 'utf8')).split('\0');
    await writeFile(log, '');
    const vectors: string[][] = [];
    for (let at = 0; at + 1 < fields.length; at += 2 + Number(fields[at])) {
      vectors.push(fields.slice(at + 1, at + 2 + Number(fields[at])));
    }
    return vectors;
  };
  return { home, odd, bin, ran };
};

/** Starts an sshd whose account has this login shell; `name` is busybox where its ash is meant. */
const login = async (name: string, path: string, temp: TempFolder, { home, bin }: Place) => {
  const shell = name === 'busybox' ? join(temp.path, 'ash') : path;
  if (name === 'busybox') await symlink(path, shell);
  // No SHLVL: bash reads its startup file under sshd then.
  const config = [`SetEnv PATH=${bin} LC_ALL=C.UTF-8`];
  return { shell, sshd: await startSshd({ account: { shell, home }, config }) };
};

const canonical = (text: string): string => {
  const analysis = read(text);
  if (analysis.kind === 'unknown') throw new Error(`${JSON.stringify(text)} holds ${analysis.construct}`);
  return write(analysis.script);
};

/** What ran, to be compared: in its order, but for what a pipe joins, which starts in any. */
const shown = (text: string, vectors: readonly (readonly string[])[]): string => {
  const lines = vectors.map(vector => JSON.stringify(vector));
  return (text.includes(' | ') ? lines.sort() : lines).join('\n');
};

const wrongOf = async (web: TestFleet, place: Place, cwd: { cwd?: string }): Promise<readonly unknown[]> => {
  const wrong: unknown[] = [];
  for (const [text, expected] of TEXTS) {
    const { end, stdout, stderr } = await web.run({ canonical: canonical(text) }, cwd);
    const ran = await place.ran();
    const isRight = end.how === 'exited' && end.code === 0 && stdout === '' && stderr === '';
    if (!isRight || shown(text, ran) !== shown(text, expected)) wrong.push({ text, ran, end, stdout, stderr });
  }
  return wrong;
};

// Only a real login shell is one: without root or mount namespaces, `shell -c` is proved by test/shell/canonical.test.ts.
const shells = mayChooseAccount() ? loginShells().map(({ name, command: [path] }) => ({ name, path })) : [];
const reads = new Set(['bash', 'zsh', 'fish', 'tcsh']);

test(`login shells over a real sshd: ${shells.map(({ name }) => name).join(' ') || 'none, for want of root and unshare -m'}`, () => {
  expect(shells.length > 0).toBe(mayChooseAccount());
  expect(TEXTS.length).toBeGreaterThanOrEqual(40);
});

describe.each(shells)('with $name as the login shell of the account', ({ name, path }) => {
  test('every canonical text starts exactly the judged words, and nothing else runs', async () => {
    await using temp = await tempFolder('sallyport-login-');
    const place = await hostilePlace(temp, STARTUP);
    const { sshd, shell } = await login(name, path, temp, place);
    await using _ = sshd;
    using web = testFleet(await sshd.host(), sshd);
    expect(await wrongOf(web, place, {})).toEqual([]);
    expect(await wrongOf(web, place, { cwd: place.odd })).toEqual([]);
    await expect.poll(() => sshd.counts()).toMatchObject({ logins: 1, sessions: 1 + 2 * TEXTS.length });
    for (const folder of [place.home, place.odd]) {
      const files = (await readdir(folder)).filter(file => !file.startsWith('.'));
      expect(files.sort()).toEqual([...FILES, ...WRITTEN].sort());
    }
    // The same account, asked without the canonical form: it has that shell, and its startup files do replace programs.
    expect((await web.run({ argv: ['/usr/bin/printenv', 'SHELL'] })).stdout).toBe(`${shell}\n`);
    await place.ran();
    await web.run('a x');
    expect((await place.ran()).map(([first]) => first)).toEqual([reads.has(name) ? 'pwned' : 'a']);
  }, 120_000);
});

describe.each(shells.filter(({ name }) => name in WITHOUT_EXEC))('with $name and a startup file', ({ name, path }) => {
  test('that replaces exec, no canonical text is sent', async () => {
    await using temp = await tempFolder('sallyport-login-');
    const [file = '', content = ''] = WITHOUT_EXEC[name] ?? [];
    const place = await hostilePlace(temp, { [file]: content });
    const { sshd } = await login(name, path, temp, place);
    await using _ = sshd;
    using web = testFleet(await sshd.host(), sshd);
    await expect(web.run({ canonical: "'a'" })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect.poll(() => sshd.counts().sessions).toBe(1);
    expect((await place.ran()).map(([first]) => first)).toEqual(['pwned']);
  });
});
