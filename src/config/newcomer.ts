import type { Configure, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { chainTo, type Host, type Login } from '../ssh/host.ts';
import { ipOf } from '../text/network.ts';
import type { Written } from './edit.ts';
import type { Env } from './paths.ts';

type Add = Extract<Configure, { change: 'add' }>;

/** What is known of the host that it is like: as it is reached, as the file has it, and in whose surroundings. */
type Known = {
  readonly host: Host | undefined;
  readonly written: Written | undefined;
  /** The host of a name. */
  readonly named: (name: string) => Host | undefined;
  readonly env: Env;
  /** A word that nobody has used. */
  readonly unique: () => string;
};

/**
 * The entry of a host that is like another: its account, its keys and the way that leads to it, at an address of its own.
 * Its key is looked up under a name that no known_hosts file has until a person trusts it: an address may be known already,
 * and so may a host that was added under this name before, elsewhere or for another account.
 */
export const newcomer = ({ target, like }: Add, { host, written, named, env, unique }: Known): Written => {
  if (host === undefined || host.user !== target.user || (written?.user ?? host.user) !== host.user)
    throw new Failure('CANCELLED', `${like.host} was configured anew in the meantime.`);
  if (host.transport === 'openssh') throw unlike(like, 'is reached by the OpenSSH client, as it alone is configured');
  const auth =
    written?.auth === undefined
      ? host.auth.flatMap(login => writtenLogin(login, env))
      : listOf(written.auth).filter(isKey);
  if (auth.length === 0) throw unlike(like, 'logs in with nothing but a password, and passwords are never handed on');
  const { via } = host;
  if (via !== undefined && !isSame(named(via.name), via))
    throw unlike(like, 'is reached through a host that has no name of its own');
  const { address, port, user, tags } = target;
  return {
    address,
    ...(port === 22 ? {} : { port }),
    user,
    auth,
    ...(via === undefined ? {} : { via: via.name }),
    keyAlias: `sallyport-added.${target.host}.${unique()}`,
    ...(tags.length === 0 ? {} : { tags }),
  };
};

const isSame = (one: Host | undefined, { address, port, user }: Host): boolean =>
  one?.address === address && one.port === port && one.user === user;

/** Why a name or an address is not free: a second name for a host would be a way around the rules for the first. */
export const placeTaken = (
  { host, address }: Target,
  hosts: readonly Host[],
  entries: Readonly<Record<string, Written>>,
): Failure | undefined => {
  const others = [
    ...hosts.flatMap(chainTo).map(other => ({ name: other.name, address: other.address })),
    ...Object.entries(entries).map(([name, entry]) => ({ name, address: String(entry.address ?? name) })),
    // A way that a person wrote and that leads nowhere today is not for an agent to lay.
    ...Object.values(entries).flatMap(({ via }) => (typeof via === 'string' ? [{ name: via, address: via }] : [])),
  ];
  const same = others.find(({ name }) => name.toLowerCase() === host.toLowerCase());
  if (same !== undefined)
    return new Failure('INVALID_INPUT', `There is a host called ${same.name} already.`, {
      next: 'Choose another name.',
    });
  const there = others.find(other => isSameAddress(other.address, address));
  return there === undefined
    ? undefined
    : new Failure('INVALID_INPUT', `${address} is the address of ${there.name}.`, { next: `Use ${there.name}.` });
};

const isSameAddress = (one: string, other: string): boolean => {
  const [a, b] = [ipOf(one), ipOf(other)];
  if (a !== undefined && b !== undefined) return a.bits === b.bits && a.value === b.value;
  const plain = (text: string): string => text.toLowerCase().replace(/\.$/, '');
  return plain(one) === plain(other);
};

const unlike = ({ host }: Target, why: string): Failure =>
  new Failure('UNSUPPORTED', `A host cannot be like ${host}: it ${why}.`, {
    next: 'Name another host, or ask the operator to add it: sallyport hosts add.',
  });

const listOf = (auth: unknown): readonly unknown[] => (Array.isArray(auth) ? auth : [auth]);

/** What proves who we are without telling it: a password would be told to whatever answers at the new address. */
const isKey = (login: unknown): boolean =>
  typeof login === 'object' && login !== null && ('agent' in login || 'key' in login);

/** A login of ssh_config, which has no passphrases, as config.json writes it. */
const writtenLogin = (login: Login, { SSH_AUTH_SOCK = '' }: Env): readonly Written[] => {
  if (login.kind === 'agent') {
    const { only, socket } = login;
    const own = socket === SSH_AUTH_SOCK ? {} : { socket };
    return [{ agent: true, ...own, ...(only === undefined ? {} : { only }) }];
  }
  if (login.kind !== 'key' || login.passphrase !== undefined) return [];
  const { path, certificate } = login;
  return [{ key: path, ...(certificate === undefined ? {} : { certificate }) }];
};
