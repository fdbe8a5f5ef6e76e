import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../shape/source.ts';

/** One program of this tree as a file that any Node runs by itself, beside a link to the installed packages. */
export const bundle = async (entry: string, folder: string): Promise<string> => {
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return outfile;
};
