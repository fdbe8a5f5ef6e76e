import type { Config } from '../config/config.ts';
import { createConnections } from '../ssh/connection/connections.ts';
import type { Host } from '../ssh/host.ts';
import { fixedInventory } from '../ssh/inventory.ts';
import type { Request } from './commands.ts';
import { checkAgents } from './doctor-agent.ts';
import { checkApprovals } from './doctor-approvals.ts';
import { checkFiles, type Files } from './doctor-files.ts';
import { checkHosts, checkUnheeded } from './doctor-hosts.ts';
import { checkKnownHosts } from './doctor-known-hosts.ts';
import { checkNode } from './doctor-node.ts';
import { checkPermissions } from './doctor-permissions.ts';
import { checkRoots } from './doctor-roots.ts';
import { checkSsh } from './doctor-ssh.ts';
import { checkState } from './doctor-state.ts';
import { exitOfFindings, type Finding } from './finding.ts';
import { type Io, print, writeJson } from './io.ts';
import { hostNamed, partsFor } from './link.ts';
import { logTo } from './log.ts';
import type { Options } from './options.ts';

/** What one check found, when it has. */
type Checked = Promise<readonly Finding[]>;

/** `doctor`: looks at everything that a call needs; 1 when something is wrong, 4 when the surroundings fail. */
export const doctor = async (io: Io, { options, operands }: Request): Promise<number> => {
  const [name] = operands;
  const files = await checkFiles(io, options);
  const { config } = files;
  const hosts = config === undefined ? [] : name === undefined ? config.hosts : [hostNamed(config, name)];
  // What a connection warns of is a finding here, in its place.
  const log = logTo(io, options.logLevel === 'warn' ? 'error' : options.logLevel);
  const connections =
    config === undefined
      ? undefined
      : createConnections(fixedInventory(withHops(config.hosts, hosts)), {
          ...partsFor(io, config, log),
          meetsStrangers: true,
        });
  try {
    const reached = connections === undefined ? [] : checkHosts(io, hosts, connections, name !== undefined);
    const checks = [...checkHere(io, options, files, hosts), ...reached];
    // A check that fails while another one is waited for is heard when its turn comes.
    void Promise.allSettled(checks);
    const findings = options.json ? (await Promise.all(checks)).flat() : await tell(io, checks);
    if (options.json)
      writeJson(io, { ok: findings.every(({ status }) => status === 'ok' || status === 'advice'), findings });
    return exitOfFindings(findings);
  } finally {
    connections?.closeAll();
  }
};

/** A hop that somebody asks for by its name may be no host of its own. */
const withHops = (all: readonly Host[], asked: readonly Host[]): readonly Host[] => [
  ...all,
  ...asked.filter(({ name }) => !all.some(host => host.name === name)),
];

/** Everything that can be looked at on this machine. */
const checkHere = (
  io: Io,
  options: Options,
  { config, findings, readable }: Files,
  hosts: readonly Host[],
): readonly Checked[] => {
  const log = logTo(io, options.logLevel);
  return [
    one(checkNode(io.node)),
    checkSsh(io, hosts, config !== undefined && config.sshConfig !== 'none').then(one),
    one(...findings),
    ...(config === undefined ? [] : [...checkAccount(io, config, hosts, readable), checkRoots(io, config, options)]),
    one(...(config === undefined ? [] : checkApprovals(io, config.approvals))),
    checkState(io, options, log),
    one(...checkUnheeded(hosts)),
  ];
};

/** What logins and trust hang on. */
const checkAccount = (
  io: Io,
  { knownHosts }: Config,
  hosts: readonly Host[],
  readable: readonly string[],
): readonly Checked[] => {
  const guarding = [...knownHosts, ...hosts.flatMap(host => host.knownHosts ?? [])];
  return [
    one(...checkPermissions(io, hosts, { guarding, readable })),
    checkAgents(io, hosts),
    checkKnownHosts(knownHosts, hosts),
  ];
};

const one = async (...findings: readonly Finding[]): Checked => findings;

/** Tells each check as soon as it and those before it are done. */
const tell = async (io: Io, checks: readonly Checked[]): Checked => {
  const told: Finding[] = [];
  for (const check of checks)
    for (const finding of await check) {
      print(io, lineOf(finding));
      told.push(finding);
    }
  return told;
};

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok    ',
  advice: 'advice',
  wrong: 'WRONG ',
  unavailable: 'FAILS ',
};

const lineOf = ({ check, status, says, mend }: Finding): string =>
  `${MARKS[status]}  ${check}: ${onOneLine(says)}${mend === undefined ? '' : `\n        mend: ${onOneLine(mend)}`}`;

/** What a host or a file brings along must not look like another finding. */
const onOneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ');
