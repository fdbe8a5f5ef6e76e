import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config/config.ts';
import { homeOf } from '../config/paths.ts';
import { InvalidFile } from '../errors.ts';
import { type Registration, registrations } from './clients.ts';
import type { Request } from './commands.ts';
import { writeNew } from './files.ts';
import { few } from './finding.ts';
import { firstConfig, type HostLine, hostEntry, hostLine, MOST_NAMES, type Ways } from './first-config.ts';
import { type FoundHosts, findHosts } from './found-hosts.ts';
import { nextSteps, WRITE } from './init-steps.ts';
import { counted, EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import type { Options } from './options.ts';
import { writeFirst } from './policy-init.ts';
import { presetText } from './presets.ts';

type Status = 'written' | 'exists' | 'not written';
type Made = { readonly path: string; readonly status: Status; readonly content: string };
type Outcome = {
  readonly files: readonly [Made, Made];
  readonly registrations: readonly Registration[];
  /** Lines for a config.json that was there already. */
  readonly add: readonly string[];
  /** What was found of hosts that ssh knows. */
  readonly found: FoundHosts;
  readonly next: readonly string[];
};

/** `init`: writes what is not there yet, overwrites nothing, and shows how to go on. */
export const init = async (io: Io, { options, flags }: Request): Promise<number> => {
  const hosts = hostsFrom(flags.get('host') ?? []);
  const clients = registrations(flags.get('client')?.[0], programFor(io, options));
  const policy = presetText(flags.get('preset')?.[0] ?? 'observe');
  const ways = waysIn(io);
  const found = findHosts(io);
  const config = firstConfig(
    hosts,
    ways,
    found.sshConfig === undefined ? undefined : { ...found, sshConfig: found.sshConfig },
  );
  checkConfig(config, options, io);
  const dry = flags.has('print');
  const make = (path: string, content: string, write: typeof writeFirst): Made => ({
    path,
    content,
    status: dry ? look(path) : write(io, path, content) ? 'written' : 'exists',
  });
  const files: Outcome['files'] = [
    make(options.paths.config, config, writeOne),
    make(options.paths.policy, policy, writeFirst),
  ];
  const add = files[0].status === 'exists' ? hosts.map(host => hostEntry(host, ways)) : [];
  const next = dry ? [WRITE] : await nextSteps(io, options, { hosts, add, found });
  const outcome = { files, registrations: clients, add, found, next };
  if (options.json) writeJson(io, outcome);
  else tell(io, outcome, dry);
  return EXIT.ok;
};

const look = (path: string): Status => (existsSync(path) ? 'exists' : 'not written');

const writeOne = (io: Io, path: string, content: string): boolean =>
  writeNew(path, content, io.random(8).toString('hex'));

const SAID: Readonly<Record<Status, string>> = {
  written: 'written',
  exists: 'exists, and stays as it is',
  'not written': 'would be written:',
};

/** What a script would want, the files and the registration lines, goes to stdout; the rest is said to a person. */
const tell = (io: Io, { files, registrations, add, found, next }: Outcome, dry: boolean): void => {
  for (const { path, status, content } of files) {
    say(io, `${path} ${SAID[status]}`);
    if (dry && status !== 'exists') io.stdout.write(content);
  }
  tellFound(io, found, dry);
  if (add.length > 0) {
    say(io, `\nInto "hosts" in ${files[0].path}:`);
    for (const line of add) print(io, line);
  }
  for (const { title, into, text } of registrations) {
    say(io, `\n${title}, into ${into}:`);
    print(io, text);
  }
  say(io, `\nNext:\n${next.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}`);
};

const tellFound = (io: Io, { sshConfig, names, known, refused }: FoundHosts, dry: boolean): void => {
  if (refused !== undefined) say(io, `ssh_config is left alone: ${refused}`);
  if (sshConfig !== undefined)
    say(io, `ssh_config names ${counted(names.length, 'host')}: ${few(names, dry ? names.length : MOST_NAMES)}`);
  if (known > 0)
    say(io, `known_hosts has ${counted(known, 'host')} more: init --host NAME=USER@ADDRESS shows how to have one`);
};

const hostsFrom = (texts: readonly string[]): readonly HostLine[] => {
  const hosts = texts.map(text => hostLine(text));
  const twice = hosts.find((host, index) => hosts.findIndex(({ name }) => name === host.name) < index);
  if (twice !== undefined) throw new Usage(`--host names ${twice.name} twice`);
  return hosts;
};

/** What the flags say must make a sound file, or nothing is written. */
const checkConfig = (text: string, { paths }: Options, io: Io): void => {
  try {
    readConfig(text, paths.config, io.env);
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    throw new Usage(error.problems.map(({ pointer, message }) => `--host: ${pointer} ${message}`).join('\n'));
  }
};

const KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** The ways to log in that ssh would try here. */
export const waysIn = ({ env }: Io): Ways => ({
  agent: env.SSH_AUTH_SOCK !== undefined && env.SSH_AUTH_SOCK !== '',
  keys: KEYS.filter(name => existsSync(join(homeOf(env), '.ssh', name))).map(name => `~/.ssh/${name}`),
});

/** The line that a client starts: what was chosen here is chosen there, by absolute paths. */
const programFor = (io: Io, { paths, named, grant }: Options): readonly [string, ...string[]] => [
  ...io.program,
  'serve',
  ...(named.config ? ['--config', paths.config] : []),
  ...(named.policy ? ['--policy', paths.policy] : []),
  ...(named.state ? ['--state', paths.state] : []),
  ...(grant === undefined ? [] : ['--grant', grant]),
];
