import { join } from 'node:path';
import type { Uid } from '../../state/private.ts';
import type { Config } from '../config.ts';
import { homeOf } from '../paths.ts';
import { marksOf } from '../watch-marks.ts';
import { type AskSsh, askSsh } from './ask.ts';
import { type Person, personIn } from './person.ts';
import { resolveNames } from './resolve.ts';
import { type Scan, type SshFiles, scan } from './scan.ts';
import type { SshHost } from './ssh-host.ts';

/** Who asks, and by whom: the real ssh and the account that runs this unless given. */
export type Asking = { readonly person: Person; readonly ask: AskSsh; readonly uid: Uid };

/** What ssh_config says as it stands. */
export type SshConfig = {
  readonly names: readonly string[];
  readonly answers: ReadonlyMap<string, SshHost>;
  /** What is to be said to the operator, each in a sentence. */
  readonly problems: readonly string[];
  /** The names that were asked about and the file they were looked for in, as text. */
  readonly asked: string;
  /** The files on which it rests, and how they stood. */
  readonly paths: readonly string[];
  readonly marks: string;
};

/** Why what is there now was not read: it would run commands, and only a start may. */
export const RESTART =
  'ssh_config was changed, and reading it runs commands (Match exec), which only a start does: what it said before stays. Restart sallyport to have it read';

/** Those of this process. */
export const askingIn = (env: Person['env'], uid: Uid): Asking => ({
  person: personIn(env),
  ask: askSsh({ env, cwd: homeOf(env) }),
  uid,
});

/**
 * Reads ssh_config and asks ssh about every name that a person wrote: in a `Host` line, in config.json without an address
 * or an account, or as a hop of one of these. `was` comes back when nothing changed, or, with a `refusal`, when what is there
 * now must not be read. Rejects with a sentence about a file that is not to be used.
 */
export const readSshConfig = async (
  config: Config,
  asking: Asking,
  was: SshConfig | undefined,
  mayRun: boolean,
): Promise<{ readonly now: SshConfig; readonly refusal?: string }> => {
  const files = filesOf(config, asking.person);
  const found = scan(files, asking.uid);
  const names = [...new Set([...found.names, ...gapsIn(config)])];
  const asked = JSON.stringify([files, names]);
  if (was !== undefined && was.asked === asked && marksOf(was.paths) === was.marks) return { now: was };
  if (found.runsCommands && !mayRun)
    return { now: was ?? { ...NOTHING, paths: found.paths, marks: marksOf(found.paths) }, refusal: RESTART };
  const before = marksOf(found.paths);
  const file = config.sshConfig === 'usual' ? undefined : files.user;
  const said = was?.answers ?? new Map();
  const resolved = await resolveNames({ names, stated: found.stated, file }, asking.ask, asking.person, said);
  const paths = [...new Set([...found.paths, ...(resolved?.looked ?? [])])];
  const isSame = marksOf(found.paths) === before;
  return {
    now: {
      names: found.names,
      answers: resolved?.answers ?? said,
      problems: [...surplusOf(found), ...(resolved?.problems ?? [NO_SSH])],
      asked,
      paths,
      // What changed while it was read is read again.
      marks: isSame ? marksOf(paths) : before,
    },
  };
};

const NO_SSH = 'There is no ssh on PATH: hosts of ssh_config are left out, and those of config.json work';

const NOTHING = { names: [], answers: new Map<string, SshHost>(), problems: [], asked: '' } as const;

/** Where ssh looks for this configuration. */
export const filesOf = ({ sshConfig }: Pick<Config, 'sshConfig'>, { env, home }: Person): SshFiles =>
  typeof sshConfig === 'object'
    ? { user: sshConfig.file, home: homeOf(env) }
    : { user: join(home, '.ssh', 'config'), system: '/etc/ssh/ssh_config', home: homeOf(env) };

/** Hosts of config.json that leave it to ssh_config where they are, or as whom. */
const gapsIn = ({ entries }: Config): readonly string[] =>
  [...entries.values()]
    .filter(({ address, user, addedBy }) => addedBy === undefined && (address === undefined || user === undefined))
    .map(({ name }) => name);

const surplusOf = ({ names, surplus }: Scan): readonly string[] =>
  surplus === 0 ? [] : [`ssh_config has more than ${names.length} hosts: ${surplus} of them are left out`];
