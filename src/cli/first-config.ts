import { Usage } from './io.ts';

/** A host as a flag names it: `NAME=USER@ADDRESS[:PORT]`, an IPv6 address in brackets when it has a port. */
export type HostLine = {
  readonly name: string;
  readonly user: string;
  readonly address: string;
  readonly port?: number;
};

/** Reads one `--host`; throws a `Usage` that shows the form. */
export const hostLine = (text: string): HostLine => {
  const [, name, user, bracketed, plain, port] =
    /^([^=@\s]+)=([^@\s]+(?:@[^@\s]+)??)@(?:\[([^\]\s]+)\]|([^@\s[\]]+?))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (name === undefined || user === undefined || address === undefined)
    throw new Usage(`--host ${JSON.stringify(text)} is not NAME=USER@ADDRESS[:PORT], like web=deploy@10.0.0.5:22`);
  return { name, address, ...(port === undefined ? {} : { port: Number(port) }), user };
};

/** The ways to log in that are here: an agent, and private keys by their paths. */
export type Ways = { readonly agent: boolean; readonly keys: readonly string[] };

/** A host as a line of config.json. */
export const hostEntry = ({ name, ...host }: HostLine, { agent, keys }: Ways): string => {
  const auth = [...(agent || keys.length === 0 ? [{ agent: true }] : []), ...keys.map(key => ({ key }))];
  return `${JSON.stringify(name)}: ${spaced({ ...host, auth })}`;
};

/** The text of a first config.json. */
export const firstConfig = (hosts: readonly HostLine[], ways: Ways): string =>
  [
    '{',
    '  // Hosts by the names that agents use. A secret is never written here, only where it lies:',
    '  // {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}.',
    '  "hosts": {',
    hosts.length === 0 ? EXAMPLE : hosts.map(host => `    ${hostEntry(host, ways)}`).join(',\n'),
    '  }',
    '}',
    '',
  ].join('\n');

const EXAMPLE =
  '    // "web": { "address": "10.0.0.5", "user": "deploy", "auth": [{ "agent": true }, { "key": "~/.ssh/id_ed25519" }] }';

/** JSON on one line, with the spaces that people write. */
const spaced = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return `{ ${members.join(', ')} }`;
};
