import { readdir, readFile } from 'node:fs/promises';

/** The living processes of this machine whose command line or environment contains the text: a look that shares nothing with the server. */
export const processesWith = async (text: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(pids.map(pid => lineOf(pid, text)));
  return found.filter(line => line !== undefined);
};

const lineOf = async (pid: string, text: string): Promise<string | undefined> => {
  const [stat, cmdline, environ] = await Promise.all(
    ['stat', 'cmdline', 'environ'].map(name => read(`/proc/${pid}/${name}`)),
  );
  const dead = /\) [ZX]/.test(stat ?? '') || stat === '';
  const words = (cmdline ?? '').replaceAll('\0', ' ').trim();
  if (dead || !`${words}\0${environ}`.includes(text)) return undefined;
  return `${pid} ${words}`;
};

/** Empty when the process is gone. */
const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** Resolves when no process with the text is left, or throws after ten seconds with those that are. */
export const noneLeft = async (text: string): Promise<void> => {
  const until = performance.now() + 10_000;
  for (;;) {
    const left = await processesWith(text);
    if (left.length === 0) return;
    if (performance.now() > until) throw new Error(`still there: ${left.join('; ')}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
};
