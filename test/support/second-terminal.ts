import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BIN, type Home, type Raw, raw } from './home.ts';
import { untilTrue } from './until.ts';

/** What a command line came to. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
/** One that still runs. */
export type Running = { readonly child: ChildProcess; readonly stdout: () => string; readonly ended: Promise<Ran> };

/** Types `sallyport sessions` and what follows it in a second terminal of the same account. */
export const terminal = (place: Home, ...args: readonly string[]): Running => {
  const child = spawn(process.execPath, [BIN, 'sessions', ...args], { env: place.env, cwd: place.path });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, stdout: () => stdout, ended };
};

/** The same, waited for. */
export const type = (place: Home, ...args: readonly string[]): Promise<Ran> => terminal(place, ...args).ended;

/** Where the control sockets of an account lie. */
export const folderOf = (place: Home): string => join(place.path, '.local', 'state', 'sallyport', 'control');

/** Their names. */
export const socketsOf = async (place: Home): Promise<readonly string[]> =>
  (await readdir(folderOf(place)).catch(() => [])).filter(name => name.endsWith('.sock'));

/** A server whose control socket is open. */
export const serving = async (place: Home, args: readonly string[] = ['serve']): Promise<Raw> => {
  const before = (await socketsOf(place)).length;
  const server = raw(place, args);
  await server.request('tools/list');
  await untilTrue(async () => (await socketsOf(place)).length > before);
  return server;
};
