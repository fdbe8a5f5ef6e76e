import { randomBytes } from 'node:crypto';
import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Clock, Log } from '../../src/call.ts';
import type { Channel } from '../../src/ssh/command/channel.ts';
import type { Connections } from '../../src/ssh/connection/connection.ts';
import { createConnections, type Parts } from '../../src/ssh/connection/connections.ts';
import { lookUp } from '../../src/ssh/dial/tcp.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory, type Inventory } from '../../src/ssh/inventory.ts';
import { realClock } from './clock.ts';

/** Connections that close when the test ends, what they asked of the network, and what they logged. */
export type TestConnections = Connections &
  Disposable & { readonly dials: readonly NetConnectOpts[]; readonly logged: readonly string[] };

/** Connections to some hosts with one link each, real time and a real network, unless told otherwise. */
export const testConnections = (
  hosts: readonly Host[],
  {
    inventory = fixedInventory(hosts),
    ...parts
  }: Partial<Parts> & {
    readonly inventory?: Inventory;
    readonly knownHosts: readonly string[];
    readonly clock?: Clock;
  },
): TestConnections => {
  const dials: NetConnectOpts[] = [];
  const logged: string[] = [];
  const log: Log = (level, message, fields) => logged.push(JSON.stringify({ level, message, fields }));
  const dial = parts.connect ?? ((options: NetConnectOpts) => connect(options));
  const connections = createConnections(inventory, {
    clock: realClock,
    random: randomBytes,
    log,
    pause: ms => setTimeout(ms),
    lookUp,
    connectTimeoutMs: 10_000,
    ...parts,
    caps: { linksPerHost: 1, ...parts.caps },
    connect: options => {
      dials.push(options);
      return dial(options);
    },
  });
  return { ...connections, dials, logged, [Symbol.dispose]: () => connections.closeAll() };
};

/** What a channel wrote and how it closed: `code` is undefined when no status came. */
export type Ran = { stdout: string; stderr: string; code: number | null | undefined; signal: string | undefined };

/** For `attach`: reads both streams to their end. */
export const reader = (): { attach: (channel: Channel) => void; ran: Promise<Ran> } => {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let done: (ran: Ran) => void = () => {};
  const ran = new Promise<Ran>(resolve => {
    done = resolve;
  });
  const attach = (channel: Channel): void => {
    channel.on('data', (chunk: Buffer) => out.push(chunk));
    channel.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    channel.on('close', (code: number | null | undefined, signal: string | undefined) =>
      done({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), code, signal }),
    );
  };
  return { attach, ran };
};

/** Runs a command with this stdin, or with none, and reads it to its end. */
export const run = async (
  connections: Connections,
  command: string,
  { host = 'web', stdin = '' }: { host?: string; stdin?: string | Uint8Array } = {},
): Promise<Ran> => {
  const { attach, ran } = reader();
  const channel = await connections.get(host).exec(command, { attach });
  channel.end(stdin);
  return await ran;
};
