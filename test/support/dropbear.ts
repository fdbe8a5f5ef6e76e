import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { Host } from '../../src/ssh/host.ts';
import { freePort, makeKey } from './sshd.ts';
import { tempFolder } from './temp.ts';

const DROPBEAR = '/usr/sbin/dropbear';
const run = promisify(execFile);

/** Another SSH server than OpenSSH's, on loopback. */
export type Dropbear = AsyncDisposable & { readonly host: (overrides?: Partial<Host>) => Promise<Host> };

/** Runs a server until its own stdin ends, in a mount namespace in which the account's home is a folder of the test. */
const WATCHER = '"$@" & server=$!; echo $server; read -r _; kill $server; wait $server';

/**
 * Starts one, which takes the keys of an account from its home only: it takes root and mount namespaces to have another home, and
 * to be without the SFTP server that this machine has.
 */
export const startDropbear = async ({ sftp = true }: { readonly sftp?: boolean } = {}): Promise<Dropbear> => {
  await access(DROPBEAR).catch(error => {
    throw new Error(`${DROPBEAR} cannot be started (${error.message}); install it: apt-get install dropbear-bin`);
  });
  const temp = await tempFolder('sallyport-dropbear-');
  const [port, key] = await Promise.all([freePort(), makeKey(`${temp.path}/user`)]);
  const { username } = userInfo();
  await mkdir(`${temp.path}/home/.ssh`, { recursive: true });
  await writeFile(`${temp.path}/home/.ssh/authorized_keys`, `${key.publicKey}\n`);
  for (const folder of ['', '/home', '/home/.ssh']) await chmod(`${temp.path}${folder}`, 0o700);
  await chmod(`${temp.path}/home/.ssh/authorized_keys`, 0o600);
  const passwd = (await readFile('/etc/passwd', 'utf8')).replace(
    new RegExp(`^(${username}:.*):[^:]*:[^:]*$`, 'm'),
    (_line, rest: string) => `${rest}:${temp.path}/home:/bin/sh`,
  );
  await writeFile(`${temp.path}/passwd`, passwd);
  await run('dropbearkey', ['-t', 'ed25519', '-f', `${temp.path}/host`]);
  const shown = await run('dropbearkey', ['-y', '-f', `${temp.path}/host`]);
  const known = /^ssh-ed25519 \S+/m.exec(shown.stdout)?.[0] ?? '';
  await writeFile(`${temp.path}/host.pub`, `${known}\n`);
  const fingerprint = (await run('ssh-keygen', ['-l', '-f', `${temp.path}/host.pub`])).stdout.split(' ')[1] ?? '';
  const without = sftp ? '' : 'mount --bind /dev/null "$(readlink -f /usr/lib/sftp-server)" && ';
  const script = `mount --bind "$0" /etc/passwd && ${without}exec "$@"`;
  const account = ['unshare', '-m', 'sh', '-c', script, `${temp.path}/passwd`];
  const server = [DROPBEAR, '-F', '-E', '-s', '-r', `${temp.path}/host`, '-p', `127.0.0.1:${port}`];
  server.push('-P', `${temp.path}/pid`);
  const child = spawn('sh', ['-c', WATCHER, 'dropbear', ...account, ...server], { stdio: 'pipe' });
  child.stdout.resume();
  const [said] = await once(child.stderr, 'data');
  if (!String(said).includes('Not backgrounding')) throw new Error(`dropbear did not start: ${said}`);
  child.stderr.resume();
  return {
    host: async overrides => ({
      ...{ name: 'web', address: '127.0.0.1', port, user: username, tags: [], hostKeys: [fingerprint] },
      auth: [{ kind: 'key', path: key.path }],
      ...overrides,
    }),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
      await temp.remove();
    },
  };
};
