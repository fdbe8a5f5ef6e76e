import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempFolder } from './temp.ts';

const run = promisify(execFile);

/** A real ssh-agent with a socket of its own. */
export type Agent = AsyncDisposable & {
  readonly socket: string;
  /** Adds a key file without a passphrase; `confirm` makes each use of it a question, which nobody here answers. */
  readonly add: (path: string, confirm?: 'confirm') => Promise<void>;
};

/** Starts one without keys. */
export const startAgent = async (): Promise<Agent> => {
  const temp = await tempFolder('sallyport-agent-');
  const socket = join(temp.path, 'agent.sock');
  const child = spawn('ssh-agent', ['-D', '-a', socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' },
  });
  // It prints the socket's path once it listens.
  await once(child.stdout, 'data');
  await stat(socket);
  return {
    socket,
    add: async (path, confirm) => {
      await run('ssh-add', ['-q', ...(confirm === undefined ? [] : ['-c']), path], {
        env: { SSH_AUTH_SOCK: socket, PATH: process.env.PATH },
      });
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
      await temp.remove();
    },
  };
};
