import { address, port, user } from '../host-schema.ts';
import type { Hop } from './ssh-host.ts';

/** The hosts of a ProxyJump, the first one first: `[user@]host[:port]` or an ssh URI, with commas; undefined when one is no host. */
export const readJumps = (text: string | undefined): readonly Hop[] | undefined => {
  if (text === undefined) return [];
  const hops = text.split(',').map(readHop);
  return hops.every(hop => hop !== undefined) ? hops : undefined;
};

const readHop = (text: string): Hop | undefined => {
  const [, account, bracketed, plain, digits] =
    /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:@[\]]+))(?::(\d{1,5}))?\/?$/.exec(text.trim()) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined || !address.safeParse(name).success) return undefined;
  if (account !== undefined && !user.safeParse(account).success) return undefined;
  if (digits !== undefined && !port.safeParse(Number(digits)).success) return undefined;
  return {
    name,
    ...(account === undefined ? {} : { user: account }),
    ...(digits === undefined ? {} : { port: Number(digits) }),
  };
};
