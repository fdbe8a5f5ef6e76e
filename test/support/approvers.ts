import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BIN, type Home } from './home.ts';

/** Somebody with an SSH key: the path of its private half, and the line by which it is listed. */
export type Person = { readonly name: string; readonly key: string; readonly line: (options?: string) => string };

/** Makes somebody a key in a folder. */
export const personIn = (folder: string, name: string, type = 'ed25519'): Person => {
  const key = join(folder, `key-${name}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', key]);
  const [kind = '', blob = ''] = readFileSync(`${key}.pub`, 'utf8').split(' ');
  return { name, key, line: (options = '') => `${[name, options, kind, blob].filter(Boolean).join(' ')}\n` };
};

/** Writes a list that only its owner can change. */
export const listIn = async (folder: string, name: string, ...lines: readonly string[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, lines.join(''), { mode: 0o600 });
  return path;
};

/** How a command line ended. */
export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** `sallyport approvals …` in a second terminal of the same account. */
export const approvals = async (place: Home, ...args: readonly string[]): Promise<Ran> => {
  const child = spawn(process.execPath, [BIN, 'approvals', ...args], { env: place.env, cwd: place.path });
  let [stdout, stderr] = ['', ''];
  child.stdin.end();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
};
