import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's top folder; a bundled script is told it. */
export const ROOT = process.env.SALLYPORT_ROOT ?? resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** One file of the source, as the shape tests read it. */
export type Source = {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly lines: readonly string[];
};

/** Every TypeScript file below a folder of the project. */
export const sources = (folder: string): readonly Source[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(ROOT, file);
      const text = readFileSync(file, 'utf8');
      return { path, room: roomOf(path), text, lines: text.split('\n') };
    });

/** The room of a file below src/: its folder, or its own name when it stands alone. */
export const roomOf = (path: string): string => {
  const [, first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
};

/** What a file imports: module specifiers of static, dynamic and type imports. */
export const importsOf = (source: Source): readonly string[] =>
  [
    ...source.text.matchAll(
      /(?:^|[\s;(])(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
    ),
  ]
    .map(match => match[1] ?? match[2] ?? match[3] ?? '')
    .filter(name => name !== '');

/** The text without comments and string contents, for rules about code. */
export const codeOf = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/(^|[^:])\/\/[^\n]*/g, '$1');
