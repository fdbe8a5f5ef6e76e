import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Looks at a path from a process of its own, all the while. */
export type Watcher = {
  /** Ends it, and says how often it looked and every size but the right one that it saw there. */
  readonly end: () => Promise<{ readonly looks: number; readonly wrong: readonly number[] }>;
};

const PROGRAM = `
const { statSync } = require('node:fs');
const [path, size] = process.argv.slice(1);
const wrong = new Set();
let looks = 0;
let over = false;
process.stdin.resume().on('end', () => { over = true; });
const look = () => {
  for (let i = 0; i < 50; i++) {
    const stats = statSync(path, { throwIfNoEntry: false });
    looks += 1;
    if (stats !== undefined && stats.size !== Number(size)) wrong.add(stats.size);
  }
  if (!over) return setTimeout(look, 1);
  process.stdout.write(JSON.stringify({ looks, wrong: [...wrong] }));
};
process.stdout.write('ready\\n');
look();
`;

/** Begins to look; only this size, or nothing at all, is right there. */
export const watch = async (path: string, size: number): Promise<Watcher> => {
  const child = spawn(process.execPath, ['-e', PROGRAM, path, String(size)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child.stdout, 'data');
  return {
    end: async () => {
      child.stdin.end();
      await once(child, 'close');
      return JSON.parse(said.slice('ready\n'.length));
    },
  };
};
