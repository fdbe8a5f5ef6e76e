// Everything that must hold: format, lint, types, build, and the whole suite against a real sshd.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { sshd } from './openssh.mjs';
import { programs } from './programs.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = name => join(root, 'node_modules', '.bin', name);

const step = (title, command, args, env = {}) => {
  const begun = Date.now();
  process.stdout.write(`\n== ${title}\n`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  process.stdout.write(
    `== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${((Date.now() - begun) / 1000).toFixed(1)} s)\n`,
  );
  return status === 0;
};

const server = sshd();
if (server === undefined) {
  process.stdout.write(
    'No OpenSSH sshd is here and none could be had: install the package openssh-server, then run again.\n',
  );
  process.exit(1);
}

const { shells: absent, onTerminals, servers } = programs();
if (absent.length > 0) process.stdout.write(`Not held against ${absent.join(', ')}: install them to do so.\n`);
if (servers.length > 0)
  process.stdout.write(`The tests of other SSH servers need ${servers.join(', ')} in /usr/sbin.\n`);
if (onTerminals.length > 0)
  process.stdout.write(`The tests of terminals need ${onTerminals.join(', ')} in /usr/bin.\n`);

const [, , ...filters] = process.argv;
await build();
const results = [
  step('format and lint', bin('biome'), ['ci', '--error-on-warnings', '.']),
  step('types', bin('tsc'), ['--noEmit']),
  step('suite', bin('vitest'), ['run', ...filters], {
    SALLYPORT_SSHD: server,
    ...(absent.length === 0 ? {} : { SALLYPORT_TEST_OPTIONAL_SHELLS: absent.join(',') }),
  }),
];
process.exit(results.every(Boolean) ? 0 : 1);
