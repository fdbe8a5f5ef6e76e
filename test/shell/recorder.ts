import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../support/temp.ts';

/** A shell and how it takes a command text. */
export type Shell = { readonly name: string; readonly command: readonly [string, ...string[]] };

const WANTED = [
  { name: 'dash', path: '/bin/dash', before: ['-c'] },
  { name: 'bash', path: '/bin/bash', before: ['-c'] },
  { name: 'zsh', path: '/bin/zsh', before: ['-c'] },
  { name: 'mksh', path: '/bin/mksh', before: ['-c'] },
  { name: 'busybox', path: '/bin/busybox', before: ['ash', '-c'] },
  { name: 'ksh93', path: '/bin/ksh93', before: ['-c'] },
  { name: 'yash', path: '/usr/bin/yash', before: ['-c'] },
  { name: 'fish', path: '/usr/bin/fish', before: ['-c'] },
  { name: 'tcsh', path: '/usr/bin/tcsh', before: ['-c'] },
] as const;

const REQUIRED = new Set(['dash', 'bash', 'zsh', 'mksh', 'busybox']);
const OPTIONAL = new Set((process.env.SALLYPORT_TEST_OPTIONAL_SHELLS ?? '').split(','));

/** The login shells of this machine; one of the five that matter may be missing only if SALLYPORT_TEST_OPTIONAL_SHELLS names it. */
export const loginShells = (): readonly Shell[] => {
  const missing = WANTED.filter(({ name, path }) => REQUIRED.has(name) && !OPTIONAL.has(name) && !existsSync(path));
  if (missing.length > 0) {
    throw new Error(`install ${missing.map(({ name }) => name).join(', ')}: the reader is proved against them`);
  }
  return WANTED.filter(({ path }) => existsSync(path)).map(({ name, path, before }) => ({
    name,
    command: [path, ...before],
  }));
};

/** The five POSIX shells that a text is always tried in. */
export const fiveShells = (): readonly Shell[] => loginShells().filter(({ name }) => REQUIRED.has(name));

/** Every login shell that reads POSIX sh. */
export const posixShells = (): readonly Shell[] =>
  loginShells().filter(({ name }) => name !== 'fish' && name !== 'tcsh');

/** What happened: the vectors that each line started, and the files that stand in its folder afterwards. */
export type Outcome = { readonly ran: readonly (readonly (readonly string[])[])[]; readonly files: readonly string[] };

/** Files that patterns meet, with the names that an attacker would choose. */
export const HOSTILE_FILES = [
  '-rf',
  '$(b)',
  'a b',
  'x;b',
  '.hid',
  'a.log',
  'b\nc',
  '*',
  'f',
  'ab',
  "'",
  '[b]',
  'a0',
  '!',
] as const;

/** The account that runs the lines: its locale, and the startup files in its home. */
export type Account = { readonly locale: 'C' | 'C.UTF-8'; readonly home: Readonly<Record<string, string>> };

/**
 * Runs every line as `shell -c LINE` in a folder of its own, with nothing on PATH but a program under each of the names
 * that writes down what it was called with. No network and no file outside where the machine has bubblewrap.
 */
export const record = async (
  shell: Shell,
  lines: readonly string[],
  names: Iterable<string>,
  account: Account = { locale: 'C.UTF-8', home: {} },
): Promise<Outcome> => {
  await using temp = await tempFolder('sallyport-shell-');
  const at = {
    bin: join(temp.path, 'bin'),
    cwd: join(temp.path, 'cwd'),
    home: join(temp.path, 'home'),
    log: join(temp.path, 'log'),
  };
  await mkdir(at.bin);
  await mkdir(at.cwd);
  await mkdir(at.home);
  await Promise.all(Object.entries(account.home).map(([name, content]) => temp.write(join('home', name), content)));
  const recorder = await temp.write(
    'recorder',
    `#!/bin/sh\nprintf '%s\\0' "$N" "$#" "\${0##*/}" "$@" >>'${at.log}'\n`,
    0o755,
  );
  await Promise.all([...new Set(names)].filter(isFileName).map(name => symlink(recorder, join(at.bin, name))));
  await Promise.all(HOSTILE_FILES.map(name => writeFile(join(at.cwd, name), '')));
  await writeFile(at.log, '');
  const command = shell.command.map(quoted).join(' ');
  const driver = lines.map((line, index) => `N=${index} ${command} ${quoted(line)}`).join('\n');
  await temp.write('driver', `export PATH=${quoted(at.bin)}\n${driver}\n/bin/sleep 0.2\n`);
  await run([...sandbox(temp.path), '/bin/sh', join(temp.path, 'driver')], at.cwd, {
    PATH: '/usr/bin:/bin',
    HOME: at.home,
    LC_ALL: account.locale,
    SSH_CLIENT: '127.0.0.1 50000 22',
  });
  return { ran: parse(await readFile(at.log, 'utf8'), lines.length), files: await readdir(at.cwd) };
};

const isFileName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) < 200;

/** Quoting of its own: what is tested must not feed the test. */
const quoted = (text: string): string => `'${text.replaceAll('\0', '').replaceAll("'", `'"'"'`)}'`;

const HAS_BWRAP =
  spawnSync('bwrap', ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--unshare-all', 'true']).status === 0;

const sandbox = (folder: string): readonly string[] =>
  HAS_BWRAP
    ? [
        'bwrap',
        '--ro-bind',
        '/',
        '/',
        '--dev',
        '/dev',
        '--proc',
        '/proc',
        '--tmpfs',
        '/tmp',
        '--bind',
        folder,
        folder,
        '--unshare-all',
        '--die-with-parent',
      ]
    : [];

const run = ([file = '', ...args]: readonly string[], cwd: string, env: Record<string, string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: 'ignore', timeout: 600_000, killSignal: 'SIGKILL' });
    child.on('error', reject);
    child.on('close', code => (code === 0 ? resolve() : reject(new Error(`the driver ended with ${code}`))));
  });

const parse = (log: string, count: number): readonly (readonly (readonly string[])[])[] => {
  const ran: string[][][] = Array.from({ length: count }, () => []);
  const fields = log.split('\0');
  for (let at = 0; at + 2 < fields.length; ) {
    const operands = Number(fields[at + 1]);
    ran[Number(fields[at])]?.push(fields.slice(at + 2, at + 3 + operands));
    at += 3 + operands;
  }
  return ran;
};
