import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * The living processes of this machine that stand in a directory or below, or have it on their command line or in their environment: a look
 * that shares nothing with the server's own. A tree that hides its environment, its name and its parent keeps its directory.
 */
export const processesIn = async (directory: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(pids.map(pid => lineOf(pid, directory)));
  return found.filter(line => line !== undefined);
};

const lineOf = async (pid: string, directory: string): Promise<string | undefined> => {
  const [cwd, stat, cmdline, environ] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ...['stat', 'cmdline', 'environ'].map(name => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')),
  ]);
  if (stat === undefined || stat === '' || /\) [ZX] /.test(stat)) return undefined;
  const words = (cmdline ?? '').replaceAll('\0', ' ').trim();
  return `${cwd}\0${words}\0${environ}`.includes(directory) ? `${pid} ${words}` : undefined;
};

/** Ends what a test has left in a directory, so that no other meets it. */
export const clear = async (directory: string): Promise<void> => {
  for (let left = await processesIn(directory); left.length > 0; left = await processesIn(directory))
    for (const line of left) {
      try {
        process.kill(Number.parseInt(line, 10), 'SIGKILL');
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
};
