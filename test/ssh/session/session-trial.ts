import { existsSync } from 'node:fs';
import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readLine } from '../../../src/shell/line.ts';
import { type TestSession, testFleet } from '../../support/fleet.ts';
import { mayChooseAccount, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { BIG_BYTES, EXPORTED, randomLines, type SessionLine } from './session-lines.ts';
import { type Deed, digest, plain, startOracle } from './session-oracle.ts';

/** What a trial found: how many lines were sent, how many of them changed something that is kept, and what differed. */
export type Trial = { readonly lines: number; readonly changes: number; readonly differences: readonly string[] };

/** The login shells that sessions are tried in: of this machine, or that of the account when it cannot have another. */
export const SESSION_SHELLS: readonly string[] = mayChooseAccount()
  ? ['/bin/bash', '/bin/dash'].filter(path => existsSync(path))
  : [userInfo().shell ?? '/bin/sh'];

/** Every so many lines the whole environment is compared, as a program sees it. */
const WHOLE_EVERY = 20;

/** Sends random lines through a managed session whose account has this login shell, and to one shell of that kind. */
export const sessionTrial = async (shell: string, seed: number, count: number): Promise<Trial> => {
  await using temp = await tempFolder();
  const folder = await realpath(temp.path);
  await mkdir(join(folder, 'files/a/deep'), { recursive: true });
  await mkdir(join(folder, 'files/two words'));
  await mkdir(join(folder, 'told'));
  await symlink('a', join(folder, 'files/link'));
  await writeFile(join(folder, 'files/big'), `${'x'.repeat(BIG_BYTES - 1)}\n`);
  const home = join(folder, 'home');
  await mkdir(home);
  await using sshd = await startSshd(mayChooseAccount() ? { account: { shell, home } } : {});
  using web = testFleet(await sshd.host(), sshd);
  const session = await web.open();
  const env = await environmentOf(session);
  const oracle = await startOracle(shell, join(folder, 'told'), { cwd: session.session.cwd, env });
  const differences: string[] = [];
  let changes = 0;
  for (const [index, line] of randomLines(seed, count, join(folder, 'files')).entries()) {
    const before = stateOf(session);
    const [mine, theirs] = [await deedOf(session, line), await oracle.do(line)];
    if (!isDeepStrictEqual(before, stateOf(session))) changes += 1;
    const found = differenceOf(line, mine, theirs);
    if (index % WHOLE_EVERY === 0)
      found.push(...unlike('whole environment', plain(await environmentOf(session)), theirs.env));
    differences.push(...found.map(what => `seed ${seed}, line ${index}, ${JSON.stringify(line.text)}: ${what}`));
    if (differences.length > 20) break;
  }
  await oracle.close();
  await session.end();
  return { lines: count, changes, differences };
};

const stateOf = ({ session: { cwd, env } }: TestSession) => ({ cwd, env });

const environmentOf = async (session: TestSession): Promise<Record<string, string>> => {
  const { stdout } = await session.send("/usr/bin/env -0 | od -An -v -tx1 | tr -d ' \\n'");
  const entries = Buffer.from(stdout, 'hex').toString('utf8').split('\0').filter(Boolean);
  return plain(
    Object.fromEntries(entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])),
  );
};

const deedOf = async (session: TestSession, { text }: SessionLine): Promise<Deed> => {
  const line = await session.begin(text);
  if (line.kind === 'done')
    return { status: line.code, stdout: digest(Buffer.from(line.stdout)), stderr: line.stderr, ...stateOf(session) };
  const { command } = line;
  const end = await command.ended;
  await line.note;
  const received = command.stdout.received();
  return {
    status:
      end.how === 'exited'
        ? end.code
        : end.how === 'signalled'
          ? `signalled ${end.signal.replace(/^SIG/, '')}`
          : end.how,
    stdout: `${received.bytes} ${'sha256' in received ? received.sha256 : ''}`,
    stderr: command.stderr.read(0, 1e9).text,
    ...stateOf(session),
  };
};

const differenceOf = ({ text, broken }: SessionLine, mine: Deed, theirs: Deed): string[] => {
  const reading = readLine(text).kind;
  const isOwn = reading !== 'run' && reading !== 'evaluate';
  const failed = isOwn || broken;
  return [
    ...unlike('status', failed ? mine.status !== 0 : mine.status, failed ? theirs.status !== 0 : theirs.status),
    ...unlike('stdout', mine.stdout, theirs.stdout),
    ...unlike(
      'stderr',
      failed ? mine.stderr !== '' : said(mine.stderr),
      failed ? theirs.stderr !== '' : said(theirs.stderr),
    ),
    ...unlike('directory', mine.cwd, theirs.cwd),
    ...EXPORTED.flatMap(name => {
      const [kept, meant] = [mine.env[name], theirs.env[name]];
      return kept === undefined || kept === meant ? [] : unlike(name, kept, meant);
    }),
  ];
};

/** What a shell says of an error, without its own name and the number of the line. */
const said = (stderr: string): string =>
  stderr.replaceAll(/^(?:\/\S*\/)?(?:bash|dash|sh|main|environment): (?:eval: )?(?:line )?(?:\d+: )(?:eval: )?/gm, '');

const unlike = (what: string, mine: unknown, theirs: unknown): string[] =>
  isDeepStrictEqual(mine, theirs) ? [] : [`${what}: ${JSON.stringify(mine)} and not ${JSON.stringify(theirs)}`];
