import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../src/ssh/host.ts';
import { startSshd } from './sshd.ts';
import { tempFolder } from './temp.ts';

const PROGRAM = fileURLToPath(new URL('./rude-sftp.mjs', import.meta.url));

/** A real sshd whose SFTP server misbehaves; commands run there as anywhere. */
export type RudeSftp = AsyncDisposable & {
  readonly host: (overrides?: Partial<Host>) => Promise<Host>;
  readonly knownHosts: string;
  readonly port: number;
  /** Conversations that begin from now on meet another manner, and `requests` begins anew. */
  readonly behave: (manner: string) => Promise<void>;
  /** The requests that it was sent so far, in order: `open /etc/motd`, `read`. */
  readonly requests: () => Promise<readonly string[]>;
};

/** Starts one with a manner of the table in `rude-sftp.mjs`. */
export const startRudeSftp = async (manner = 'polite'): Promise<RudeSftp> => {
  const temp = await tempFolder('sallyport-rude-sftp-');
  const behave = async (next: string): Promise<void> => {
    await temp.write('manner', next);
    await temp.write('requests', '');
  };
  await behave(manner);
  const sshd = await startSshd({ config: [`Subsystem sftp ${process.execPath} ${PROGRAM} ${temp.path}`] });
  return {
    ...{ host: sshd.host, knownHosts: sshd.knownHosts, port: sshd.port, behave },
    requests: async () => {
      const text = await readFile(`${temp.path}/requests`, 'utf8');
      return text.split('\n').flatMap(line => (line === '' ? [] : [line.trim()]));
    },
    [Symbol.asyncDispose]: async () => {
      await sshd.close();
      await temp.remove();
    },
  };
};
