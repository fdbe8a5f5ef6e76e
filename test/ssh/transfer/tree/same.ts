import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a mode becomes on its way. */
export type Mode = (mode: number, kind: 'file' | 'folder') => number;

/** The mode of a file or folder of a host, here: its own, and nobody else writes to it. */
export const here: Mode = (mode, kind) => (kind === 'file' ? 0o600 : 0o700) | (mode & 0o755);

const asIs: Mode = mode => mode;

/** Everything below a folder and the folder itself, a line each, by bytes: kind, mode, second of change, size and sum, or where it leads. */
export const tableOf = (root: string, mode = asIs): readonly string[] => {
  const lines: string[] = [];
  const visit = (path: Buffer, name: string): void => {
    const stat = lstatSync(path);
    const seconds = Math.floor(stat.mtimeMs / 1_000);
    if (stat.isSymbolicLink()) lines.push(`${name} link ${readlinkSync(path, 'latin1')}`);
    else if (stat.isFile()) {
      const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
      lines.push(`${name} file ${mode(stat.mode & 0o777, 'file').toString(8)} ${seconds} ${stat.size} ${sum}`);
    } else {
      lines.push(`${name} folder ${mode(stat.mode & 0o777, 'folder').toString(8)} ${seconds}`);
      for (const inner of readdirSync(path, { encoding: 'latin1' }))
        visit(Buffer.concat([path, Buffer.from(`/${inner}`, 'latin1')]), `${name}/${inner}`);
    }
  };
  visit(Buffer.from(root), '');
  return lines.sort();
};

/** What `diff` says of two trees, links as links; empty when they are the same. */
export const diff = async (one: string, other: string): Promise<string> => {
  try {
    return (await run('diff', ['-r', '--no-dereference', one, other])).stdout;
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
};
