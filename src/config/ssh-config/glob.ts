import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a pattern led to: the paths that are there, in order, and the folders whose contents decide it. */
export type Globbed = { readonly paths: readonly string[]; readonly folders: readonly string[] };

const MAGIC = /[*?[]/;

/** The paths of an absolute pattern, as glob(3) finds them: `*`, `?` and `[…]` within a name, hidden names only when asked for by their dot. */
export const glob = (pattern: string): Globbed => {
  const folders: string[] = [];
  let paths = ['/'];
  for (const part of pattern.split('/').filter(text => text !== '')) {
    if (!MAGIC.test(part)) {
      paths = paths.map(path => join(path, part));
      continue;
    }
    folders.push(...paths);
    const wanted = namePattern(part);
    paths = paths.flatMap(path =>
      namesIn(path)
        .filter(name => wanted.test(name) && (part.startsWith('.') || !name.startsWith('.')))
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

const namePattern = (part: string): RegExp => {
  const source = part.replace(/\[!?\]?[^\]]*\]|[*?]|[\\^$.|+(){}[\]]/g, text => {
    if (text === '*') return '.*';
    if (text === '?') return '.';
    if (text.length === 1) return `\\${text}`;
    const set = text.slice(1, -1).replace(/[\\\]^[]/g, '\\$&');
    return set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set}]`;
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return NOTHING;
  }
};

/** A set like `[z-a]` has no members. */
const NOTHING = /^(?!)/;
