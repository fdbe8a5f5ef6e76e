import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of the host that moves what a path leads to, as fast as it can. */
export type Racer = AsyncDisposable;

const PROGRAM = `
const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
const [manner, path, good, bad] = process.argv.slice(1);
let over = false;
process.stdin.resume().on('end', () => { over = true; });
const put = target => { symlinkSync(target, path + '.new'); renameSync(path + '.new', path); };
const turns = {
  link: () => { put(bad); put(good); },
  folder: () => {
    renameSync(path, good);
    symlinkSync(bad, path);
    unlinkSync(path);
    renameSync(good, path);
  },
};
const run = () => {
  for (let i = 0; i < 20; i++) turns[manner]();
  if (!over) setImmediate(run);
};
process.stdout.write('ready\\n');
run();
`;

/**
 * Begins to race. `link`: a path is a link to `good` and to `bad` by turns. `folder`: a path is a folder, which is `good` while a link to `bad`
 * stands in its place.
 */
export const startRacer = async (
  manner: 'link' | 'folder',
  path: string,
  good: string,
  bad: string,
): Promise<Racer> => {
  const child = spawn(process.execPath, ['-e', PROGRAM, manner, path, good, bad], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await once(child, 'close');
    },
  };
};
