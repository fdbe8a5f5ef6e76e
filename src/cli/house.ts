import { openAudit } from '../audit/log.ts';
import type { Audit } from '../audit/record.ts';
import type { Log } from '../call.ts';
import type { Config } from '../config/config.ts';
import { liveInventory } from '../config/inventory.ts';
import { compilePinned, LivePolicy } from '../config/live-policy.ts';
import { load } from '../config/load.ts';
import { InvalidFile } from '../errors.ts';
import { Gate } from '../gate/gate.ts';
import { Seal } from '../mcp/seal.ts';
import type { Service } from '../mcp/server.ts';
import { NO_POLICY, type Policy, visibility } from '../policy/decide.ts';
import { createConnections } from '../ssh/connection/connections.ts';
import type { Networks } from '../ssh/dial/networks.ts';
import { createFleet, type Fleet } from '../ssh/fleet.ts';
import type { Inventory } from '../ssh/inventory.ts';
import { Overseer } from '../ssh/overseer.ts';
import type { Files } from '../ssh/transfer/files.ts';
import type { Handles } from '../state/handles.ts';
import { openSqlite } from '../state/sqlite.ts';
import type { Store } from '../state/store.ts';
import { TOOLS } from '../tools/index.ts';
import { askingOf } from './asking.ts';
import { controlOf } from './control.ts';
import { hostListOf } from './host-list.ts';
import { noHosts } from './hosts-list.ts';
import type { Io } from './io.ts';
import { keptFrom } from './kept-files.ts';
import { lazyAudit, lazyStore } from './lazy.ts';
import { capsOf, leaseOf, partsFor } from './link.ts';
import type { Options } from './options.ts';
import { placesIn } from './record.ts';
import { followPolicy, takeCandidate } from './reload.ts';

/** Every room, wired: what a server serves, and what it must put down when it ends. */
export type OpenHouse = {
  readonly service: Service;
  readonly fleet: Fleet;
  readonly audit: Audit;
  /** Opens what is opened late; what fails is said to the operator, and again to the first call that needs it. */
  readonly warmUp: () => Promise<void>;
  /** Opens the socket on which the operator's own command line asks; without it the server goes on, with a warning. */
  readonly openControl: () => Promise<void>;
  /** Resolves when nothing is being opened any more. */
  readonly idle: () => Promise<void>;
  /** Whether refusals wait for a record that is still being opened; nothing runs on a host then. */
  readonly owes: () => boolean;
  /** Follows the files of the policy, and of the candidate, from now on; `toolsChanged` is told when other tools are shown. */
  readonly follow: (toolsChanged: () => void) => () => void;
  /** Closes the record, then the store once it has taken what the record told it. */
  readonly close: () => Promise<void>;
};

/** Reads the files and wires the rooms; nothing is dialled and no database opened. Throws `InvalidFile` or `NotPrivate`. */
export const openHouse = (io: Io, options: Options, log: Log): OpenHouse => {
  const { config, hasConfig, configText, grant, policyFile, policyText } = load(options, io);
  const live = new LivePolicy(policyFile, firstPolicy(policyFile, policyText, options.pin), options.pin);
  const shadow = options.shadow === undefined ? undefined : takeCandidate(options.shadow, log);
  if (config.entries.size === 0 && config.sshConfig === 'none') log('warn', noHosts(options.paths.config, hasConfig));
  if (policyText === undefined) log('warn', `There is no ${policyFile}: every call is denied. Run sallyport init.`);
  const kept = keep(io, options, { log, grant, policy: live.policy });
  const { store, audit } = kept;
  const { clock, env, uid } = io;
  const policy = (): Policy => live.policy;
  const inventory = liveInventory({ config, text: configText, file: options.paths.config, env, uid, log });
  const asking = askingOf(io, options, { config, inventory, policy, store, audit, log });
  const gate = new Gate({ policy, candidate: () => shadow?.candidate.policy, store, audit, clock, log, asking });
  const networks = (): Networks | undefined => live.policy.networks;
  const filling = { inventory, networks, log, handles: store, ...filesOf(io, options, config, policyFile) };
  const { fleet, ...seen } = fleetOf(io, config, filling);
  const control = controlOf(io, options, { grant, ...seen, audit, log });
  const hosts = hostListOf(io, options, { inventory, reload: inventory.reload, log });
  const service: Service = {
    tools: TOOLS,
    house: { gate, fleet, hosts, version: io.version },
    grant,
    shows: tool => visibility(policy(), tool),
    newCallId: () => `call_${io.random(16).toString('base64url')}`,
    seal: new Seal(io.random, clock),
    clock,
    log,
  };
  const follow = (toolsChanged: () => void): (() => void) => {
    const followed = { file: policyFile, text: policyText };
    const parts = { audit, log, gate, fleet, toolsChanged };
    const ends = [followPolicy(io, followed, live, parts), inventory.follow(), shadow?.follow()];
    return () => {
      for (const end of ends) end?.();
    };
  };
  const { warmUp, idle, owes, close } = kept;
  return { service, fleet, follow, audit, openControl: control.open, warmUp, idle, owes, close };
};

/** The fleet over the configured hosts, and what the operator sees of it. */
const fleetOf = (io: Io, config: Config, { networks, ...filling }: Filling) => {
  const { clock, random } = io;
  const lease = leaseOf(config);
  const overseer = new Overseer();
  const connections = createConnections(filling.inventory, { ...partsFor(io, config, filling.log, networks), lease });
  const parts = { ...filling, connections, clock, random, overseer };
  const fleet = createFleet({ ...parts, graceMs: lease.graceMs, caps: capsOf(config) });
  return { fleet, overseer, connections };
};

type Filling = {
  readonly inventory: Inventory;
  readonly networks: () => Networks | undefined;
  readonly log: Log;
  readonly handles: Handles;
  readonly files?: Files;
};

/** The folders for transfers: none that would let one change what it is judged by. */
const filesOf = ({ uid, env }: Io, options: Options, config: Config, policy: string): { files?: Files } =>
  config.files === undefined
    ? {}
    : { files: { ...config.files, uid, kept: [...keptFrom(options, env, config), policy] } };

const firstPolicy = (file: string, text: string | undefined, pin: string | undefined): Policy => {
  if (text !== undefined) return compilePinned(text, file, pin);
  if (pin === undefined) return NO_POLICY;
  throw new InvalidFile([
    { file, line: 1, column: 1, pointer: '', message: `does not exist, and ${pin} is asked for` },
  ]);
};

type Keeping = { readonly log: Log; readonly grant: string; readonly policy: Policy };
type Kept = Pick<OpenHouse, 'audit' | 'warmUp' | 'idle' | 'owes' | 'close'> & { readonly store: Store };

/** What outlives the process: the counters and the record, opened when they are first needed. */
const keep = (io: Io, { paths }: Options, { log, grant, policy }: Keeping): Kept => {
  const { clock, random, uid } = io;
  const places = placesIn(paths.state);
  const store = lazyStore(() => openSqlite({ file: places.store, clock, log, random, uid }));
  const audit = lazyAudit(() =>
    openAudit({
      folder: places.audit,
      keyFile: places.key,
      ...{ clock, store: store.thing, log, random, uid },
      about: { version: io.version, grant, policy: policy.digest },
    }),
  );
  const warmUp = async (): Promise<void> => {
    const opened = await Promise.allSettled([store.ready(), audit.ready()]);
    for (const one of opened) if (one.status === 'rejected') log('error', String(one.reason));
  };
  const idle = async (): Promise<void> => void (await Promise.all([store.idle(), audit.idle()]));
  const close = async (): Promise<void> => {
    audit.thing.close();
    await store.idle();
    if (store.isOpen()) await store.thing.heads();
    store.thing.close();
  };
  return { store: store.thing, audit: audit.thing, warmUp, idle, owes: audit.owes, close };
};
