// Finds a real OpenSSH sshd, and gets one when there is none: the suite and the demo talk to nothing less.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache', 'openssh');
const PLACES = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/libexec/sshd', join(cache, 'usr/sbin/sshd')];

const run = (command, args, options = {}) =>
  spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options }).status === 0;

/** The path of an sshd, installed as root or unpacked into .cache/ as anybody else; undefined when neither works. */
export const sshd = () => {
  const found = PLACES.find(existsSync);
  if (found !== undefined) return found;
  if (!existsSync('/usr/bin/apt-get')) return undefined;
  process.stderr.write('setup: no sshd here, getting OpenSSH from Debian\n');
  if (process.getuid() === 0) {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'openssh-server', 'openssh-client'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
  } else {
    mkdirSync(cache, { recursive: true });
    run('apt-get', ['download', 'openssh-server', 'openssh-client', 'openssh-sftp-server'], { cwd: cache });
    for (const deb of readdirSync(cache).filter(name => name.endsWith('.deb')))
      run('dpkg-deb', ['-x', join(cache, deb), cache]);
  }
  return PLACES.find(existsSync);
};
