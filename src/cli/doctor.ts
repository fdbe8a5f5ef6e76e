import { createConnections } from '../ssh/connections.ts';
import { fixedInventory } from '../ssh/inventory.ts';
import type { Request } from './commands.ts';
import { checkFiles } from './doctor-files.ts';
import { checkHosts } from './doctor-hosts.ts';
import { checkState } from './doctor-state.ts';
import { exitOfFindings, type Finding, well, wrong } from './finding.ts';
import { type Io, print, writeJson } from './io.ts';
import { hostNamed, partsFor } from './link.ts';
import { logTo } from './log.ts';

/** `doctor`: looks at everything that a call needs; 1 when something is wrong, 4 when the surroundings fail. */
export const doctor = async (io: Io, { options, operands }: Request): Promise<number> => {
  const [name] = operands;
  const { config, findings: files } = checkFiles(io, options);
  const hosts = config === undefined ? [] : name === undefined ? config.hosts : [hostNamed(config, name)];
  const log = logTo(io, options.logLevel);
  const connections =
    config === undefined ? undefined : createConnections(fixedInventory(config.hosts), partsFor(io, config, log));
  try {
    const [state, reached] = await Promise.all([
      checkState(io, options, log),
      connections === undefined ? [] : checkHosts(io, hosts, connections),
    ]);
    const findings = [checkNode(io.node), ...files, ...state, ...reached];
    if (options.json)
      writeJson(io, { ok: findings.every(({ status }) => status === 'ok' || status === 'advice'), findings });
    else for (const finding of findings) print(io, lineOf(finding));
    return exitOfFindings(findings);
  } finally {
    connections?.closeAll();
  }
};

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok    ',
  advice: 'advice',
  wrong: 'WRONG ',
  unavailable: 'FAILS ',
};

const lineOf = ({ check, status, says, mend }: Finding): string =>
  `${MARKS[status]}  ${check}: ${says}${mend === undefined ? '' : `\n        mend: ${mend}`}`;

/** The oldest Node that is tested. */
const OLDEST = [20, 19] as const;

const checkNode = (version: string): Finding => {
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
