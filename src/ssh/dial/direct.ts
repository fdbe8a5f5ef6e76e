import type { LookupAddress } from 'node:dns';
import { isIP, type NetConnectOpts, type Socket } from 'node:net';
import { unlessGivenUp } from '../given-up.ts';
import type { Host } from '../host.ts';
import { forbidden } from './dial-failure.ts';
import { isOneHost, type MayDial } from './networks.ts';
import { type Pipe, socketPipe } from './pipe.ts';

/** What reaching an address needs from outside. */
export type Network = {
  /** Opens a TCP connection; `net.connect`. */
  readonly connect: (options: NetConnectOpts) => Socket;
  /** Every address of a name; `dns.lookup` with `all`. */
  readonly lookUp: (name: string) => Promise<readonly LookupAddress[]>;
  /** The addresses that may be dialled: every one unless given. */
  readonly mayDial?: MayDial | undefined;
  /** Whether `mayDial` refuses any; it does unless said otherwise. */
  readonly isLimited?: (() => boolean) | undefined;
};

/**
 * A TCP connection to a host. Its name is looked up once, and what that gave is judged and dialled, whatever the name may
 * stand for a moment later: each address in turn, 250 ms apart, the families alternating, until one answers (RFC 8305).
 */
export const connectTo = async (host: Host, network: Network, signal: AbortSignal): Promise<Pipe> => {
  const addresses = await unlessGivenUp(addressesOf(host, network), signal);
  return socketPipe(await connectToAny(host, addresses, network, signal));
};

/** A TCP connection to one of these addresses of a place. */
export const connectToAny = async (
  place: Pick<Host, 'address' | 'port'>,
  addresses: readonly LookupAddress[],
  { connect }: Pick<Network, 'connect'>,
  signal: AbortSignal,
): Promise<Socket> => await connected(connect(socketOptions(place, addresses)), signal);

const addressesOf = async (host: Host, network: Network): Promise<readonly LookupAddress[]> => {
  const family = isIP(host.address);
  const found = family === 0 ? await network.lookUp(host.address) : [{ address: host.address, family }];
  const allowed = found.filter(({ address }) => isOneHost(address) && network.mayDial?.(address) !== false);
  if (allowed.length > 0) return allowed;
  throw forbidden(
    host,
    found.map(({ address }) => address),
  );
};

/** No delay from the first byte: with Nagle's algorithm a command over a warm connection takes ten times as long. */
const socketOptions = (
  { address, port }: Pick<Host, 'address' | 'port'>,
  addresses: readonly LookupAddress[],
): NetConnectOpts => ({
  host: address,
  port,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 15_000,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 250,
  // Asked with `all` where families are selected.
  lookup: (_name, _options, answer) => answer(null, [...addresses]),
});

const connected = (socket: Socket, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    // For good: between here and who reads it next, an error unheard would end this process.
    socket.on('error', reject);
    socket.once('close', () => signal.removeEventListener('abort', giveUp));
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(socket);
    });
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
