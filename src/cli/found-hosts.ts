import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf } from '../config/paths.ts';

import { type Person, personIn } from '../config/ssh-config/person.ts';
import { scan } from '../config/ssh-config/scan.ts';
import { filesOf } from '../config/ssh-config/ssh-config.ts';
import { isHostName } from '../ssh/host.ts';
import type { Io } from './io.ts';

/** Hosts that a person has already, found without running or dialling anything. */
export type FoundHosts = {
  /** What `sshConfig` is to be for config.json to have the hosts of ssh_config; undefined where it names none. */
  readonly sshConfig: true | string | undefined;
  /** The names of its `Host` lines. */
  readonly names: readonly string[];
  /** How many more hosts known_hosts has in plain. */
  readonly known: number;
  /** Why ssh_config is not read, in a sentence. */
  readonly refused?: string;
};

/** Looks where ssh looks; where `$HOME` is not the account's own home, which ssh goes by, only under `$HOME`. */
export const findHosts = (io: Pick<Io, 'env' | 'uid'>, person: Person = personIn(io.env)): FoundHosts => {
  const home = homeOf(io.env);
  const own = join(home, '.ssh', 'config');
  const sshConfig = isSame(home, person.home) ? (true as const) : existsSync(own) ? '~/.ssh/config' : undefined;
  const known = knownIn(join(home, '.ssh', 'known_hosts'));
  if (sshConfig === undefined) return { sshConfig, names: [], known: known.size };
  try {
    const { names } = scan(filesOf({ sshConfig: sshConfig === true ? 'usual' : { file: own } }, person), io.uid);
    for (const name of names) known.delete(name);
    return { sshConfig: names.length === 0 ? undefined : sshConfig, names, known: known.size };
  } catch (error) {
    const refused = error instanceof Error ? error.message : String(error);
    return { sshConfig: undefined, names: [], known: known.size, refused };
  }
};

const isSame = (one: string, other: string): boolean => {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return one === other;
  }
};

const MOST_BYTES = 16 * 1_048_576;

/** The names and addresses that stand in plain, without ports and patterns: most files are hashed, and have none. */
const knownIn = (file: string): Set<string> => {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > MOST_BYTES) return new Set();
    const fields = readFileSync(file, 'latin1')
      .split('\n')
      .map(line => /^(?!@|#|\|)[^ \t]+/.exec(line)?.[0] ?? '');
    return new Set(fields.map(plainName).filter(isHostName));
  } catch {
    return new Set();
  }
};

/** ssh puts the name that was typed first, and the address behind it. */
const plainName = (field: string): string => {
  const [first = ''] = field.split(',');
  return /^\[(.*)\]:\d+$/.exec(first)?.[1] ?? first;
};
