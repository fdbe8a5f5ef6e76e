import { existsSync } from 'node:fs';
import { startSshd } from '../support/sshd.ts';
import { startEmbedded } from './embedded-host.ts';

/** A throw-away SSH host, and what can be seen from its side. */
export type Target = AsyncDisposable & {
  readonly what: string;
  readonly port: number;
  readonly user: string;
  readonly keyPath: string;
  readonly knownHosts: string;
  /** Commands that arrived there so far. */
  readonly arrived: () => number;
};

/** A real OpenSSH server where there is one, otherwise one made of ssh2. */
export const startTarget = async (sshdPath: string | undefined): Promise<Target> => {
  if (sshdPath === undefined || !existsSync(sshdPath)) return startEmbedded();
  const sshd = await startSshd();
  const key = await sshd.userKey();
  return {
    what: `OpenSSH sshd (${sshdPath})`,
    port: sshd.port,
    user: sshd.user,
    keyPath: key.path,
    knownHosts: sshd.knownHosts,
    arrived: () => sshd.counts().sessions,
    [Symbol.asyncDispose]: () => sshd.close(),
  };
};
