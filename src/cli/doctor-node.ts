import { type Finding, well, wrong } from './finding.ts';

/** The oldest Node that is tested. */
const OLDEST = [20, 19] as const;

/** Whether this Node is one that is tested. */
export const checkNode = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return old
    ? wrong(
        'node',
        `${version} is older than ${OLDEST.join('.')}`,
        'install a newer Node, for example with your package manager',
      )
    : well('node', version);
};
