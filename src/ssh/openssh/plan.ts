import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';
import { pinnedKnownHosts } from './pins.ts';
import { configText, type Described, guards, isPlainName, TARGET } from './ssh-config.ts';

/** The arguments of an ssh, and the files that must be there for it. */
export type Plan = {
  readonly args: readonly string[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
};

type Given = {
  /** A folder that nobody else reads, and the socket in it that ssh is to listen on. */
  readonly folder: string;
  readonly socket: string;
  readonly knownHosts: readonly string[];
  readonly times: Parameters<typeof guards>[0];
  /** An OpenSSH before 8.7, where no ssh_config can ask it to go to the background. */
  readonly older: boolean;
};

/** Session type none, no terminal, and its own messages to the first debug level, by which it is followed. */
const SWITCHES = ['-M', '-N', '-T', '-o', 'LogLevel=DEBUG1'];

const BACKGROUND = 'ForkAfterAuthentication';

/** Whether an ssh said that it is an older one. */
export const saysOlder = (words: readonly string[]): boolean =>
  words.some(line => /Bad configuration option: forkafterauthentication/i.test(line));

/** A host of the person's ssh_config is left to that file; one of config.json is told whole, and no file of the person's is read. */
export const plan = async (host: Host, given: Given): Promise<Plan> => {
  const listening = [...SWITCHES, '-S', given.socket.replaceAll('%', '%%')];
  if (host.alias !== undefined) return { args: [...listening, ...byAlias(host, host.alias, given)], files: [] };
  return { args: [...listening, '-F', join(given.folder, CONFIG), '--', TARGET], files: await told(host, given) };
};

const byAlias = (host: Host, alias: string, { times, older }: Given): readonly string[] => {
  if (!isPlainName(alias)) throw strange(host);
  if (host.hostKeys.length > 0) throw pinnedAlias(host);
  const alone = older ? [] : [[BACKGROUND, 'no'] as const];
  const options = [...guards(times), ...alone].flatMap(([keyword, value]) => ['-o', `${keyword}=${value}`]);
  const file = host.aliasFile === undefined ? [] : ['-F', host.aliasFile];
  return [...options, ...file, '--', alias];
};

const CONFIG = 'config';

/** What is written for it: its ssh_config, with every hop, and a known_hosts file for each that has a pin. */
const told = async (host: Host, { folder, knownHosts, times }: Given): Promise<Plan['files']> => {
  const files: { name: string; text: string }[] = [];
  const describe = async (one: Host, at: number): Promise<Described> => {
    const usual = one.knownHosts ?? knownHosts;
    if (one.alias !== undefined && one.transport === 'openssh') throw hopByAlias(host, one);
    if (one.hostKeys.length === 0) return { host: one, knownHosts: usual };
    const name = `known_hosts_${at}`;
    files.push({ name, text: await pinnedKnownHosts(one, usual) });
    return { host: one, knownHosts: [join(folder, name)] };
  };
  const hops: Host[] = [];
  for (let hop = host.via; hop !== undefined; hop = hop.via) hops.push(hop);
  const target = await describe(host, 0);
  const rest = await Promise.all(hops.map((hop, at) => describe(hop, at + 1)));
  return [...files, { name: CONFIG, text: configText([target, ...rest], guards(times)) }];
};

const NEXT = 'Ask the operator to take the transport ssh2 for this host, or to describe it otherwise.';

const refused = ({ name }: Host, why: string): Failure =>
  new Failure('UNSUPPORTED', `${name} cannot be reached by way of OpenSSH: ${why}.`, {
    next: NEXT,
    details: { host: name },
  });

const strange = (host: Host): Failure => refused(host, 'its name in ssh_config is no plain name');

const pinnedAlias = (host: Host): Failure =>
  refused(host, 'it has a pin, and what ssh_config describes is checked against known_hosts alone');

const hopByAlias = (host: Host, hop: Host): Failure =>
  refused(host, `the hop ${hop.name} is described by ssh_config, which only a host that stands there too can go by`);
