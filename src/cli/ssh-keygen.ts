import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../config/paths.ts';
import { ensurePrivateFolder, type Uid } from '../state/private.ts';

/** Where it runs: `folder` is private, and `env` what the program is given. */
export type KeygenPlace = { readonly folder: string; readonly uid: Uid; readonly env: Env };

/** How it ended; `code` is null when a signal, or our patience, ended it. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

type Run = {
  /** The arguments, given the paths under which the files can be read. */
  readonly args: (paths: readonly string[]) => readonly string[];
  readonly files?: readonly (string | Buffer)[];
  readonly input: string;
  readonly program?: string;
  /** A person sits there: what the program says and asks is theirs to see, for as long as they need. */
  readonly attended?: boolean;
};

const PATIENCE_MS = 10_000;
const MOST_CHARS = 65_536;
const DESCRIPTORS = '/proc/self/fd';

/**
 * Runs ssh-keygen(1): a `program` of PATH, unless a path is given. The files have no names where the system can open them again
 * by their descriptors (proc(5)), so that no path leads another process of this account to them. Rejects when it cannot be started.
 */
export const runKeygen = async ({ folder, uid, env }: KeygenPlace, run: Run): Promise<Ran> => {
  ensurePrivateFolder(folder, uid);
  const place = mkdtempSync(join(folder, 'keygen-'));
  const files = (run.files ?? []).map((content, index) => ({ content, path: join(place, String(index)) }));
  const descriptors = files.map(({ path }) => openSync(path, 'wx+', 0o600));
  const nameless = existsSync(DESCRIPTORS);
  try {
    if (nameless) for (const { path } of files) unlinkSync(path);
    for (const [index, { content }] of files.entries()) writeFileSync(descriptors[index] ?? -1, content);
    const readable = files.map(({ path }, index) => (nameless ? `${DESCRIPTORS}/${FIRST + index}` : path));
    return await started(run.args(readable), descriptors, env, run);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    rmSync(place, { recursive: true, force: true });
  }
};

/** The first descriptor behind stdin, stdout and stderr. */
const FIRST = 3;

const started = (
  args: readonly string[],
  descriptors: readonly number[],
  env: Env,
  { input, program = 'ssh-keygen', attended = false }: Run,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...env, LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', attended ? 'inherit' : 'pipe', ...descriptors],
      timeout: attended ? 0 : PATIENCE_MS,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout = (stdout + chunk.toString('latin1')).slice(0, MOST_CHARS);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('latin1')).slice(0, MOST_CHARS);
    });
    child.once('error', reject);
    child.once('close', code => resolve({ code, stdout, stderr }));
    child.stdin?.on('error', () => undefined).end(input);
  });
