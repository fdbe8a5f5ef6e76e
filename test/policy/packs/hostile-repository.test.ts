import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PACKS } from '../../../src/policy/packs/index.ts';
import { readCommands } from '../../../src/policy/packs/pack.ts';
import { commandsOf, grant } from '../../../src/policy/synopsis/commands.ts';
import { wordsOf } from '../synopsis/support.ts';

let folder = '';
let repository = '';
let trace = '';

const git = (...words: readonly string[]): string =>
  execFileSync('git', words, {
    cwd: repository,
    input: '',
    stdio: ['pipe', 'pipe', 'ignore'],
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin:/usr/local/bin', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
  });

/** A repository whose own configuration starts a program wherever git lets it, each of which leaves its name. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packs-'));
  repository = join(folder, 'app');
  trace = join(folder, 'trace');
  mkdirSync(repository);
  const program = (name: string, then = 'exit 0'): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho ${name} >> ${trace}\n${then}\n`, { mode: 0o755 });
    return path;
  };
  git('init', '-q', '-b', 'main', '.');
  git('config', 'user.email', 'a@example.com');
  git('config', 'user.name', 'a');
  writeFileSync(join(repository, 'f'), 'one\n');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  writeFileSync(join(repository, 'f'), 'two\n');
  git('commit', '-q', '-a', '-m', 'two');
  signHead();
  for (const [key, value] of [
    ['core.fsmonitor', program('monitor')],
    ['core.pager', program('pager')],
    ['core.sshCommand', program('transport')],
    ['diff.external', program('external')],
    ['diff.d.command', program('driver')],
    ['diff.d.textconv', program('textconv', 'cat "$1"')],
    ['gpg.program', program('signature')],
    ['log.showSignature', 'true'],
    ['format.pretty', '%H %G?'],
  ] as const)
    git('config', key, value);
  const hooks = join(repository, '.git', 'hooks');
  mkdirSync(hooks, { recursive: true });
  writeFileSync(join(hooks, 'post-index-change'), `#!/bin/sh\necho hook >> ${trace}\n`, { mode: 0o755 });
  writeFileSync(join(repository, '.gitattributes'), '* diff=d\n');
  writeFileSync(join(repository, 'f'), 'three\n');
});

/** A commit that claims a signature, so that whatever verifies one is asked. */
const signHead = (): void => {
  const signed = `tree ${git('write-tree').trim()}\nparent ${git('rev-parse', 'HEAD').trim()}\nauthor a <a@example.com> 1 +0000\ncommitter a <a@example.com> 1 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\nthree\n`;
  const file = join(folder, 'commit');
  writeFileSync(file, signed);
  git('update-ref', 'HEAD', git('hash-object', '-t', 'commit', '-w', file).trim());
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the words made git start. */
const startedBy = (words: readonly string[]): readonly string[] => {
  rmSync(trace, { force: true });
  utimesSync(join(repository, 'f'), 1, 1);
  git(...words.slice(1));
  return existsSync(trace) ? [...new Set(readFileSync(trace, 'utf8').trim().split('\n'))].sort() : [];
};

/** The words as the pack writes them: what runs is that, and not what the agent sent. */
const hardened = (text: string): readonly string[] => {
  const outcome = readCommands([`@git-read(${folder})`], false, PACKS);
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes));
  const words = wordsOf(text);
  const granted = grant(commandsOf(outcome.listed), { words, shaped: false });
  if (!granted.hit) throw new Error(`${text}: ${granted.why}`);
  const before = (place: number): readonly string[] =>
    granted.written.filter(each => each.before === place).flatMap(({ words }) => words);
  return [...words.flatMap(({ text }, place) => [...before(place), text]), ...before(words.length)];
};

test.each([
  ['status', 'monitor'],
  ['diff', 'driver'],
  ['log -p', 'textconv'],
  ["log --format='%G?'", 'signature'],
  ['show', 'signature'],
  ['blame f', 'textconv'],
  ['ls-files -m', 'monitor'],
  ['grep -n three', 'monitor'],
])('git %s starts nothing that the repository configures, though by itself it would', (verb, unhardened) => {
  const text = `git -C ${repository} ${verb}`;
  expect(startedBy(wordsOf(text).map(word => word.text))).toContain(unhardened);
  expect(startedBy(hardened(text))).toEqual([]);
});
