import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isHostName } from '../../ssh/host.ts';
import { isCode, type Uid } from '../../state/private.ts';
import { readTrusted } from '../trusted-file.ts';
import { glob } from './glob.ts';
import { type Line, linesOf } from './lines.ts';

/** Where ssh looks: its own two files, or one in place of both. `home` is what `~` stands for where one file includes another. */
export type SshFiles = { readonly user: string; readonly system?: string; readonly home: string };

/** What can be known of ssh_config without obeying it. */
export type Scan = {
  /** Names that a `Host` line says whole: no pattern, each once, in the order of the files. */
  readonly names: readonly string[];
  /** How many more there are than are taken. */
  readonly surplus: number;
  /** Reading it runs commands (`Match exec`), or may: it includes what cannot be seen from here. */
  readonly runsCommands: boolean;
  /** The keywords of the person's own files, in lower case. */
  readonly stated: ReadonlySet<string>;
  /** The files and folders that decide what it says, absent ones included. */
  readonly paths: readonly string[];
};

/** As much of ssh_config as anybody has written by hand; ssh reads it anew for each name. */
const MAX_BYTES = 1024 * 1024;
const MAX_FILES = 256;
const MAX_NAMES = 1_000;
/** ssh itself goes no deeper. */
const MAX_DEPTH = 16;

/** Reads the files and what they include, and runs nothing. Throws a sentence, or `NotPrivate`, about the first that is not to be used. */
export const scan = (files: SshFiles, uid: Uid): Scan => {
  const reading: Reading = {
    files,
    uid,
    paths: new Set(),
    names: new Set(),
    stated: new Set(),
    runsCommands: false,
    read: 0,
  };
  readInto(reading, { path: files.user, folder: join(files.home, '.ssh'), isOwn: true, depth: 0 });
  if (files.system !== undefined)
    readInto(reading, { path: files.system, folder: dirname(files.system), isOwn: false, depth: 0 });
  const { names, paths, stated, runsCommands } = reading;
  return {
    names: [...names].slice(0, MAX_NAMES),
    surplus: Math.max(0, names.size - MAX_NAMES),
    runsCommands,
    stated,
    paths: [...paths],
  };
};

type Reading = {
  readonly files: SshFiles;
  readonly uid: Uid;
  readonly paths: Set<string>;
  readonly names: Set<string>;
  readonly stated: Set<string>;
  runsCommands: boolean;
  read: number;
};

/** One file; relative names in its `Include` count from `folder`. */
type Part = { readonly path: string; readonly folder: string; readonly isOwn: boolean; readonly depth: number };

const readInto = (reading: Reading, part: Part): void => {
  reading.paths.add(part.path);
  reading.read += 1;
  if (part.depth > MAX_DEPTH || reading.read > MAX_FILES)
    throw new Error(`${part.path}: ssh_config includes too many files, or itself`);
  const text = textOf(part.path, reading.uid);
  if (text === undefined) return;
  // Every line that ssh could take for one, and some more, which only costs a restart.
  if (/match[^\n]*exec/i.test(text.replace(/["'\\]/g, ''))) reading.runsCommands = true;
  for (const line of linesOf(text)) {
    if (part.isOwn) reading.stated.add(line.keyword);
    if (line.keyword === 'host') for (const name of line.words.filter(isHostName)) reading.names.add(name);
    if (line.keyword === 'include') include(reading, part, line);
  }
};

const include = (reading: Reading, part: Part, { words }: Line): void => {
  for (const word of words) {
    // Another's home, a variable or a token: only ssh knows where that leads.
    if (/^~[^/]|[%\\]|\$\{/.test(word)) reading.runsCommands = true;
    const { paths, folders } = glob(absolute(word, part.folder, reading.files.home));
    for (const folder of folders) reading.paths.add(folder);
    if (folders.length === 0) reading.paths.add(absolute(word, part.folder, reading.files.home));
    for (const path of paths) readInto(reading, { ...part, path, depth: part.depth + 1 });
  }
};

const absolute = (word: string, folder: string, home: string): string => {
  if (word === '~' || word.startsWith('~/')) return join(home, word.slice(1));
  return word.startsWith('/') ? word : join(folder, word);
};

const textOf = (path: string, uid: Uid): string | undefined => {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return undefined;
    if (stats.size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
    return readTrusted(path, uid)?.text;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};
