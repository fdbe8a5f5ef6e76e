// What the suite talks to beside sshd: the shells that the reading of command texts is held against, programs for terminals, and
// another SSH server than OpenSSH's.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const SHELLS = { dash: 'dash', bash: 'bash', zsh: 'zsh', mksh: 'mksh', busybox: 'busybox' };
const ON_TERMINALS = { vim: 'vim', htop: 'htop', less: 'less', top: 'procps', python3: 'python3' };
const SERVERS = { dropbear: 'dropbear-bin' };
const FOLDERS = ['/bin', '/usr/bin', '/usr/local/bin'];

const missing = (programs, folders) =>
  Object.keys(programs).filter(name => !folders.some(folder => existsSync(`${folder}/${name}`)));
const shells = () => missing(SHELLS, FOLDERS);
const onTerminals = () => missing(ON_TERMINALS, ['/usr/bin']);
const servers = () => missing(SERVERS, ['/usr/sbin']);

/** Installs what is missing where that is allowed (root, Debian); gives the names of those that cannot be had. */
export const programs = () => {
  const packages = [
    ...shells().map(name => SHELLS[name]),
    ...onTerminals().map(name => ON_TERMINALS[name]),
    ...servers().map(name => SERVERS[name]),
  ];
  if (packages.length > 0 && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const run = args => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env });
    run(['update', '-qq']);
    run(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  }
  return { shells: shells(), onTerminals: onTerminals(), servers: servers() };
};
