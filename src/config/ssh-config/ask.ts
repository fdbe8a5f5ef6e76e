import { execFile } from 'node:child_process';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 256 * 1024;

/** What ssh says of one host, or why it says nothing. */
export type Said =
  | { readonly text: string }
  | { readonly why: 'no ssh' }
  | { readonly why: 'refused'; readonly message: string };

/** Asks ssh with these arguments; never rejects. */
export type AskSsh = (args: readonly string[]) => Promise<Said>;

/**
 * Runs `ssh -G` (ssh(1)), which connects to nothing and prints what it would do: directly, never by a shell, in the folder
 * `cwd`, with 10 s to answer.
 */
export const askSsh =
  ({ env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string }): AskSsh =>
  async args =>
    await new Promise(resolve => {
      const options = {
        env,
        cwd,
        timeout: TIMEOUT_MS,
        maxBuffer: MAX_BYTES,
        killSignal: 'SIGKILL',
        windowsHide: true,
        encoding: 'utf8',
      } as const;
      const child = execFile('ssh', ['-T', '-G', ...args], options, (error, stdout, stderr) => {
        if (error === null) resolve({ text: stdout });
        else if (error.code === 'ENOENT') resolve({ why: 'no ssh' });
        else resolve({ why: 'refused', message: reasonOf(error, stderr) });
      });
      child.stdin?.on('error', () => {}).end();
    });

const reasonOf = (error: { code?: string | number | null; killed?: boolean }, stderr: string): string => {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${MAX_BYTES} bytes`;
  if (error.killed === true) return `did not answer within ${TIMEOUT_MS} ms`;
  // The first line names the file, the line and the keyword; others only repeat that it is not taken.
  const [first = ''] = stderr.split(/\r?\n/).filter(line => line.trim() !== '');
  return first === '' ? `ended with ${error.code ?? 'a signal'}` : first.slice(0, 300);
};
