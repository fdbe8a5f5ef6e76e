import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Opens a TCP connection on the real network. */
export const tcp = (options: NetConnectOpts): Socket => connect(options);
