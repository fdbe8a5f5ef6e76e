import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A shell as sshd starts one for a command: `shell -c text`. */
export type Shell = { readonly name: string; readonly path: string; readonly before: readonly string[] };

const KNOWN: readonly Shell[] = [
  { name: 'sh', path: '/bin/sh', before: [] },
  { name: 'bash', path: '/bin/bash', before: [] },
  { name: 'dash', path: '/bin/dash', before: [] },
  { name: 'zsh', path: '/bin/zsh', before: [] },
  { name: 'busybox ash', path: '/bin/busybox', before: ['ash'] },
  { name: 'mksh', path: '/bin/mksh', before: [] },
  { name: 'ksh93', path: '/bin/ksh93', before: [] },
  { name: 'yash', path: '/usr/bin/yash', before: [] },
  { name: 'fish', path: '/usr/bin/fish', before: [] },
];

/** The shells of this machine, `/bin/sh` always among them. */
export const shells: readonly Shell[] = KNOWN.filter(shell => existsSync(shell.path));

/** What a program did: `signal` is set when one ended it. */
export type Ran = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a command text as that login shell would, with nothing on its stdin. */
export const runShell = (shell: Shell, text: string, env: Record<string, string> = {}, cwd = '/'): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(shell.path, [...shell.before, '-c', text], {
      cwd,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/', SHELL: shell.path, LC_ALL: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
