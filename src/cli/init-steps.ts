import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { InvalidFile } from '../errors.ts';
import { chainTo } from '../ssh/host.ts';
import { loadTrust } from '../ssh/trust/trust.ts';
import { NotPrivate } from '../state/private.ts';
import type { HostLine } from './first-config.ts';
import type { FoundHosts } from './found-hosts.ts';
import type { Io } from './io.ts';
import { withEveryHost } from './link.ts';
import type { Options } from './options.ts';

/** What init was asked for, and what it found. */
type Begun = {
  readonly hosts: readonly HostLine[];
  /** Lines that a config.json which was there already has to be given by hand. */
  readonly add: readonly string[];
  readonly found: FoundHosts;
};

/** The only step after a look at what would be written. */
export const WRITE = 'sallyport init, without --print, writes the files';

/** What a person does next, in order: for every host whose key nobody has trusted yet, that comes before the rest. */
export const nextSteps = async (io: Io, options: Options, begun: Begun): Promise<readonly string[]> => {
  const { hosts, add, found } = begun;
  const own = configThere(io, options);
  const config = own && (await withEveryHost(io, own, options));
  const file = options.paths.config;
  const missing = own?.sshConfig === 'none' && found.sshConfig !== undefined;
  const isEmpty = hosts.length === 0 && (config === undefined || config.hosts.length === 0);
  return [
    ...(add.length > 0
      ? [`put the lines above into ${file}`]
      : isEmpty && !missing
        ? [`put your hosts into ${file}`]
        : []),
    ...(missing
      ? [`put "sshConfig": ${JSON.stringify(found.sshConfig)} beside "hosts" in ${file}, to have those of ssh_config`]
      : []),
    ...(found.sshConfig === undefined ? [] : ['sallyport hosts list']),
    ...trustSteps(isEmpty ? ['NAME'] : await untrusted(config, hosts)),
    'sallyport doctor',
    'register the server with your client, as shown above',
  ];
};

/** The configuration as it stands now; what is wrong with it is for the other commands to say. */
const configThere = (io: Io, options: Options): Config | undefined => {
  try {
    return loadConfig(options, io).config;
  } catch (error) {
    if (error instanceof InvalidFile || error instanceof NotPrivate) return undefined;
    throw error;
  }
};

/** Hosts whose key is unknown, those first that were just asked for, and hops before what lies behind them. */
const untrusted = async (config: Config | undefined, asked: readonly HostLine[]): Promise<readonly string[]> => {
  const there = (config?.hosts ?? []).flatMap(chainTo);
  const absent = asked.map(({ name }) => name).filter(name => !there.some(host => host.name === name));
  const judged = await Promise.all(
    there.map(async host => ({ host, trust: await loadTrust(host, config?.knownHosts ?? []) })),
  );
  const unknown = judged.filter(({ trust }) => trust.standing === 'unknown').map(({ host }) => host);
  const inOrder = unknown.toSorted((one, other) => chainTo(one).length - chainTo(other).length);
  return [...new Set([...absent, ...inOrder.map(({ name }) => name)])];
};

const MOST_TRUSTS = 3;

const trustSteps = (names: readonly string[]): readonly string[] => {
  const more = names.length - MOST_TRUSTS;
  const steps = names.slice(0, MOST_TRUSTS).map(name => `sallyport hosts trust ${name}`);
  return more > 0 ? [...steps, `the same for ${more} more, which hosts list names`] : steps;
};
