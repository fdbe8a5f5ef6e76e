import type { Connections } from '../ssh/connection/connection.ts';
import type { Host } from '../ssh/host.ts';
import { checkHost } from './doctor-host.ts';
import { advice, type Finding, few, grouped } from './finding.ts';
import type { Io } from './io.ts';

/** Hosts that are looked at at the same time: as many as are dialled at once. */
const AT_ONCE = 10;

/** Looks at hosts, a few at once; one list of findings for each, in the order of the hosts. */
export const checkHosts = (
  io: Io,
  hosts: readonly Host[],
  connections: Connections,
  alone: boolean,
): readonly Promise<readonly Finding[]>[] =>
  inTurn(hosts, AT_ONCE, async ({ name }) => await checkHost(io, connections.get(name), alone));

/** Begins at once with some, and with another whenever one of them is done. */
const inTurn = <Thing, Result>(
  things: readonly Thing[],
  most: number,
  work: (thing: Thing) => Promise<Result>,
): readonly Promise<Result>[] => {
  const waiting: (() => void)[] = [];
  let free = most;
  return things.map(async thing => {
    if (free === 0) await new Promise<void>(resolve => void waiting.push(resolve));
    else free--;
    try {
      return await work(thing);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  });
};

/** What of ssh_config is not obeyed, each thing once with its hosts. */
export const checkUnheeded = (hosts: readonly Host[]): readonly Finding[] => {
  const all = hosts.flatMap(host => wordsOf(host).map(words => ({ name: host.name, words })));
  return [...grouped(all, ({ words }) => words)].map(([words, users]) => {
    const names = few(users.map(({ name }) => name));
    return advice('ssh_config', `${isLockedKey(words) ? '' : 'not obeyed: '}${words} (${names})`, mendFor(words));
  });
};

/** A locked key is what agents are for: nothing is amiss where one is asked. */
const wordsOf = ({ auth, unheeded = [] }: Host): readonly string[] => {
  const asksAgent = auth.some(login => login.kind === 'agent' && login.socket !== '');
  return asksAgent ? unheeded.filter(words => !isLockedKey(words)) : unheeded;
};

const isLockedKey = (words: string): boolean => words.startsWith('IdentityFile ');

const mendFor = (words: string): string => {
  if (isLockedKey(words)) return 'ssh-add it, or write in config.json: "auth": { "key": "path", "passphrase": SECRET }';
  return words.includes('"openssh"')
    ? 'give the host "transport": "openssh" in config.json, or leave it where the host can do without'
    : 'leave it where the host can do without; docs/connecting.md says what is obeyed';
};
