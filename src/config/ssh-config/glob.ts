import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a pattern led to: the paths that are there, in order, and the folders whose contents decide it. */
export type Globbed = { readonly paths: readonly string[]; readonly folders: readonly string[] };

const MAGIC = /[*?[]/;
/** All are looked into before anything else goes on. */
const MOST_FOLDERS = 4_096;

/**
 * The paths of an absolute pattern, as glob(3) finds them: `*`, `?` and `[…]` within a name, hidden names only when asked for by
 * their dot. Throws a sentence about one that leads through too many folders.
 */
export const glob = (pattern: string): Globbed => {
  const folders: string[] = [];
  let paths = ['/'];
  for (const part of pattern.split('/').filter(text => text !== '')) {
    if (!MAGIC.test(part)) {
      paths = paths.map(path => join(path, part));
      continue;
    }
    folders.push(...paths);
    if (folders.length > MOST_FOLDERS)
      throw new Error(`Include ${pattern} leads through more than ${MOST_FOLDERS} folders`);
    const wanted = namePattern(part);
    paths = paths.flatMap(path =>
      namesIn(path)
        .filter(name => wanted(name) && (part.startsWith('.') || !name.startsWith('.')))
        .map(name => join(path, name)),
    );
  }
  return { paths: paths.filter(isThere), folders };
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** In at most pattern × name steps, whatever the pattern. */
const namePattern = (part: string): ((name: string) => boolean) => {
  const wanted = [...part.matchAll(/\[!?\]?[^\]]*\]|./gsu)].map(([text]) => oneOf(text));
  return name => {
    const letters = [...name];
    let [at, next, star, resume] = [0, 0, -1, 0];
    while (next < letters.length) {
      const here = wanted[at];
      if (here === ANY) [star, resume, at] = [at, next, at + 1];
      else if (here?.test(letters[next] ?? '') === true) [at, next] = [at + 1, next + 1];
      else if (star === -1) return false;
      else [at, next, resume] = [star + 1, resume + 1, resume + 1];
    }
    return wanted.slice(at).every(rest => rest === ANY);
  };
};

/** Any number of letters, and one letter. */
const ANY = /.*/s;
const ONE = /./s;

const oneOf = (text: string): RegExp => {
  if (text === '*') return ANY;
  if (text === '?') return ONE;
  if (!/^\[.+\]$/s.test(text)) return new RegExp(text.replace(/[\\^$.|+(){}[\]]/, '\\$&'), 'u');
  const set = text.slice(1, -1).replace(/[\\\]^[]/g, '\\$&');
  try {
    return new RegExp(set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set}]`, 'u');
  } catch {
    return NOTHING;
  }
};

/** A set like `[z-a]` has no members. */
const NOTHING = /^(?!)/;
