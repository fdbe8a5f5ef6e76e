import type { Host } from '../../../src/ssh/host.ts';
import { openSftp, type SftpOptions } from '../../../src/ssh/sftp/open.ts';
import type { Sftp } from '../../../src/ssh/sftp/sftp.ts';
import { after } from '../../../src/ssh/timer.ts';
import { type TestConnections, testConnections } from '../../support/connections.ts';

/** A conversation with a host, and what it stands on. */
export type TestSftp = AsyncDisposable & { readonly sftp: Sftp; readonly connections: TestConnections };

type Server = { readonly host: (overrides?: Partial<Host>) => Promise<Host>; readonly knownHosts: string };

/** Begins one with the SFTP server of a host. */
export const sftpOn = async (
  server: Server,
  host: Partial<Host> = {},
  options: Partial<SftpOptions> = {},
): Promise<TestSftp> => {
  const connections = testConnections([await server.host(host)], { knownHosts: [server.knownHosts] });
  const close = async (): Promise<void> => connections.closeAll();
  try {
    const sftp = await openSftp(connections.get('web'), { after, ...options });
    return { sftp, connections, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Every name in a folder, in order. */
export const namesIn = async (sftp: Sftp, path: string): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const part of sftp.list(path)) names.push(...part.map(({ name }) => name));
  return names.toSorted();
};
