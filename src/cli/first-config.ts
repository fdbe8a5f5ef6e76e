import { few } from './finding.ts';
import { Usage } from './io.ts';

/** A host as a flag names it: `NAME=USER@ADDRESS[:PORT]`, an IPv6 address in brackets when it has a port. */
export type HostLine = {
  readonly name: string;
  readonly user: string;
  readonly address: string;
  readonly port?: number;
};

/** Reads one; throws a `Usage` that shows the form, and names `what` was not of it. */
export const hostLine = (text: string, what = '--host'): HostLine => {
  const [, name, user, bracketed, plain, port] =
    /^([^=@\s]+)=([^@\s]+(?:@[^@\s]+)??)@(?:\[([^\]\s]+)\]|([^@\s[\]]+?))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (name === undefined || user === undefined || address === undefined)
    throw new Usage(`${what} ${JSON.stringify(text)} is not NAME=USER@ADDRESS[:PORT], like web=deploy@10.0.0.5:22`);
  return { name, address, ...(port === undefined ? {} : { port: Number(port) }), user };
};

/** The ways to log in that are here: an agent, and private keys by their paths. */
export type Ways = { readonly agent: boolean; readonly keys: readonly string[] };

/** A host as a line of config.json. */
export const hostEntry = ({ name, ...host }: HostLine, { agent, keys }: Ways): string => {
  const auth = [...(agent || keys.length === 0 ? [{ agent: true }] : []), ...keys.map(key => ({ key }))];
  return `${JSON.stringify(name)}: ${spaced({ ...host, auth })}`;
};

/** What stands of ssh_config in a first config.json: the value of `sshConfig`, and the names that it brings. */
export type SshHosts = { readonly sshConfig: true | string; readonly names: readonly string[] };

/** The text of a first config.json. */
export const firstConfig = (hosts: readonly HostLine[], ways: Ways, ssh?: SshHosts): string =>
  [
    '{',
    ...(ssh === undefined ? [] : sshLines(ssh)),
    `  // ${ssh === undefined ? 'Hosts by the names that agents use' : 'More hosts, or what is other than in ssh_config'}. A secret is never written here, only where it lies:`,
    '  // {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}.',
    '  "hosts": {',
    hosts.length === 0 ? EXAMPLE : hosts.map(host => `    ${hostEntry(host, ways)}`).join(',\n'),
    '  }',
    '}',
    '',
  ].join('\n');

/** Names of ssh_config that are shown. */
export const MOST_NAMES = 20;
const WIDTH = 100;

/** Names are letters, digits, dots and dashes: none can end the comment. */
const sshLines = ({ sshConfig, names }: SshHosts): readonly string[] => [
  '  // The hosts that ssh knows by name, as ssh reaches them; the policy says what may run on which:',
  ...wrapped(few(names, MOST_NAMES), WIDTH).map(line => `  // ${line}`),
  `  "sshConfig": ${JSON.stringify(sshConfig)},`,
  '',
];

/** Lines of whole words, none longer than it must be. */
const wrapped = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
};

const EXAMPLE =
  '    // "web": { "address": "10.0.0.5", "user": "deploy", "auth": [{ "agent": true }, { "key": "~/.ssh/id_ed25519" }] }';

/** JSON on one line, with the spaces that people write. */
const spaced = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return `{ ${members.join(', ')} }`;
};
