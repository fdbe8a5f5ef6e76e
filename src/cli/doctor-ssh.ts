import { execFile } from 'node:child_process';
import { homeOf } from '../config/paths.ts';
import type { Host } from '../ssh/host.ts';
import { safeLine } from '../text/safe.ts';
import { type Finding, few, unavailable, well } from './finding.ts';
import type { Io } from './io.ts';

const TIMEOUT_MS = 5_000;

/** Which OpenSSH client is on PATH, and what is lost where there is none; `resolves` says that hosts come from ssh_config. */
export const checkSsh = async (io: Io, hosts: readonly Host[], resolves: boolean): Promise<Finding> => {
  const version = await versionOfSsh(io);
  if (version !== undefined) return well('ssh', version);
  const carried = hosts.filter(({ transport }) => transport === 'openssh').map(({ name }) => name);
  const lost = [
    ...(resolves ? ['the hosts of ssh_config are left out'] : []),
    ...(carried.length > 0 ? [`${few(carried)} cannot be reached ("transport": "openssh")`] : []),
  ];
  return lost.length === 0
    ? well('ssh', 'no OpenSSH client answers, and nothing here needs one')
    : unavailable('ssh', `no OpenSSH client answers: ${lost.join(', and ')}`, INSTALL);
};

const INSTALL =
  'put it on PATH, or install it: apt-get install openssh-client, dnf install openssh-clients, apk add openssh-client';

/** Its first words, which `ssh -V` says on stderr; looked for from the home folder, as the working directory may be anybody's. */
const versionOfSsh = ({ env }: Io): Promise<string | undefined> =>
  new Promise(resolve => {
    const options = {
      ...{ env, cwd: homeOf(env), timeout: TIMEOUT_MS },
      ...({ killSignal: 'SIGKILL', windowsHide: true, encoding: 'utf8' } as const),
    };
    execFile('ssh', ['-V'], options, (error, _stdout, stderr) => {
      const [line = ''] = stderr.split('\n');
      resolve(error === null && line !== '' ? safeLine(line) : undefined);
    });
  });
