import { createHostList, type HostListParts } from '../config/host-list.ts';
import type { HostList } from '../tools/host-change.ts';
import { configFile } from './config-file.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';

/** The list of hosts as agents of a server may change it: in the file of its configuration, and then in its inventory. */
export const hostListOf = (
  io: Io,
  options: Options,
  parts: Pick<HostListParts, 'inventory' | 'reload' | 'log'>,
): HostList => createHostList({ file: configFile(io, options), env: io.env, ...parts });
