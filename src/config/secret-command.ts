import { execFile } from 'node:child_process';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 64 * 1024;

type Place = { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string };

/**
 * What a command prints on stdout: run directly, never by a shell, in the folder `cwd`, with 30 s to answer.
 * Rejects with a sentence that names the program and how it failed, and nothing it printed.
 */
export const outputOf = (
  argv: readonly [string, ...string[]],
  { env, cwd }: Place,
  timeoutMs = TIMEOUT_MS,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = argv;
    const options = {
      env,
      cwd,
      timeout: timeoutMs,
      maxBuffer: MAX_BYTES,
      killSignal: 'SIGKILL',
      windowsHide: true,
      encoding: 'utf8',
    } as const;
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${failure(error, timeoutMs)}`));
    });
    child.stdin?.on('error', () => {}).end();
  });

const failure = (error: { code?: string | number | null; killed?: boolean }, timeoutMs: number): string => {
  if (error.code === 'ENOENT') return 'is not installed, or not on PATH';
  if (error.code === 'EACCES') return 'may not be run';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${MAX_BYTES} bytes`;
  if (error.killed === true) return `did not answer within ${timeoutMs} ms`;
  return typeof error.code === 'number' ? `exited with ${error.code}` : 'was killed';
};
