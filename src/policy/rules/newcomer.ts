import { contains, ipOf, networkOf } from '../../text/network.ts';
import { matchRun } from '../synopsis/path.ts';

/** Whether an address is one of a rule's: a name may be any address, and an address may have any name. */
export type Likeness = 'yes' | 'maybe' | 'no';

/** What a rule says of hosts to be added, beside their names. */
export type Newcomers = {
  /** Whether it says where they lie. */
  readonly placed: boolean;
  readonly address: (address: string) => Likeness;
  readonly port: (port: number) => boolean;
  /** Whether they may have all of these tags. */
  readonly tags: (tags: readonly string[]) => boolean;
};

type Raw = {
  readonly effect?: unknown;
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly (number | string)[] | undefined;
  readonly tags?: readonly string[] | undefined;
};

const SSH_PORT = 22;

/** A grant without `ports` is of port 22, and one without `tags` of none; a deny without them is of all. */
export const compileNewcomers = ({ effect, addresses, ports, tags = [] }: Raw): Newcomers => {
  const likeness = (addresses ?? []).map(compileAddress);
  const ranges = (ports ?? (effect === 'deny' ? ['1-65535'] : [SSH_PORT])).map(rangeOf);
  return {
    placed: addresses !== undefined || ports !== undefined,
    address: address => {
      if (addresses === undefined) return 'yes';
      const said = likeness.map(each => each(address));
      return said.find(each => each === 'yes') ?? said.find(each => each === 'maybe') ?? 'no';
    },
    port: port => ranges.some(([from, to]) => port >= from && port <= to),
    tags: given => given.every(tag => tags.includes(tag)),
  };
};

/** Whether an address, or a name, is one of an entry of `addresses`. */
export const compileAddress = (entry: string): ((address: string) => Likeness) => {
  if (entry === EVERYWHERE) return () => 'yes';
  const network = networkOf(entry);
  const name = entry.toLowerCase();
  return address => {
    const ip = ipOf(address);
    if ((ip === undefined) !== (network === undefined)) return 'maybe';
    if (ip !== undefined && network !== undefined) return contains(network, ip) ? 'yes' : 'no';
    return matchRun(name, address.toLowerCase()) ? 'yes' : 'no';
  };
};

/** The first and the last port of an entry of `ports`. */
export const rangeOf = (entry: number | string): readonly [number, number] => {
  const [from = 0, to = from] = String(entry).split('-').map(Number);
  return [from, to];
};

/** Every name and every address, for tunnels alone. */
export const EVERYWHERE = '*';

const LABELS = /^(?:[a-z0-9_*?](?:[a-z0-9_*?-]*[a-z0-9_*?])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?$/i;

/** What is wrong with an entry of `addresses`, or undefined: whose domain it is must stand there in full. */
export const strangeAddress = (entry: string): string | undefined =>
  entry === EVERYWHERE || networkOf(entry) !== undefined || (LABELS.test(entry) && entry.length <= 253)
    ? undefined
    : 'must be a network such as 10.20.0.0/16, an address, or a DNS name that ends in a domain, such as *.staging.example.com';

/** Whether this is an address in its plain form, or a DNS name that no reader takes for one. */
export const isPlainAddress = (text: string): boolean =>
  ipOf(text) !== undefined || (LABELS.test(text) && !/[*?]/.test(text) && text.length <= 253);
