import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Opens a TCP connection on the real network. */
export const tcp = (options: NetConnectOpts): Socket => connect(options);

/** Every address that this machine knows for a name, in the order of its resolver. */
export const lookUp = (name: string): Promise<readonly LookupAddress[]> => lookup(name, { all: true, verbatim: true });
