import type { Configure, Log, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Permit } from '../gate/permit.ts';
import type { Inventory } from '../ssh/inventory.ts';
import type { HostList } from '../tools/host-change.ts';
import { readConfig } from './config.ts';
import { type Edit, edited, entriesIn, NotEdited, type Written } from './edit.ts';
import { newcomer, placeTaken } from './newcomer.ts';
import type { Env } from './paths.ts';
import { type Rewriting, rewrite } from './rewrite.ts';

/** What the list of hosts is changed in: its file, and the inventory that is to have the change. */
export type HostListParts = {
  readonly file: Rewriting;
  readonly env: Env;
  readonly inventory: Pick<Inventory, 'all' | 'get'>;
  /** Resolves when the inventory is as the file says now. */
  readonly reload: () => Promise<void>;
  readonly log: Log;
};

type Entries = Readonly<Record<string, Written>>;

/** The list of hosts as agents may change it, in the file of the configuration. */
export const createHostList = (parts: HostListParts): HostList => ({
  add: async permit => {
    const action = permit.spend();
    if (action.change !== 'add') throw new Failure('DEFECT', 'A permit to remove a host adds none.');
    const { target, like } = action;
    let entry: Written = {};
    await change(parts, permit, `added ${target.host}`, entries => {
      const taken = placeTaken(target, parts.inventory.all(), entries);
      if (taken !== undefined) throw taken;
      const known = {
        host: parts.inventory.get(like.host),
        written: entries[like.host],
        named: parts.inventory.get,
        env: parts.env,
        unique: parts.file.unique,
      };
      entry = { ...newcomer(action, known), addedBy: permit.grant };
      return { change: 'add', name: target.host, entry };
    });
    const { auth, via } = entry;
    const logins = Array.isArray(auth) ? auth.flatMap(login => Object.keys(login).slice(0, 1)) : [];
    return { target, logins, ...(typeof via === 'string' ? { via } : {}) };
  },
  remove: async permit => {
    const { change: what, target } = permit.spend();
    if (what !== 'remove') throw new Failure('DEFECT', 'A permit to add a host removes none.');
    await change(parts, permit, `removed ${target.host}`, entries => {
      if (entries[target.host]?.addedBy !== permit.grant) throw changedMeanwhile(target);
      refuseNeeded(target, entries);
      return { change: 'remove', name: target.host };
    });
  },
});

/** Hosts that are reached through another go where it goes: none is taken away under them. */
const refuseNeeded = ({ host }: Target, entries: Entries): void => {
  const needing = Object.entries(entries).flatMap(([name, { via }]) => (via === host ? [name] : []));
  if (needing.length === 0) return;
  throw new Failure('INVALID_INPUT', `${host} is the way to ${needing.join(', ')}.`, { next: 'Remove those first.' });
};

const changedMeanwhile = ({ host }: Target): Failure =>
  new Failure('CANCELLED', `${host} was configured anew in the meantime.`);

const change = async (
  { file, env, reload, log }: HostListParts,
  permit: Permit<Configure>,
  what: string,
  plan: (entries: Entries) => Edit,
): Promise<void> => {
  const { path } = file;
  try {
    await rewrite(file, `${what} (${permit.grant}, ${permit.callId})`, text => {
      if (permit.revoked.aborted) throw new Failure('CANCELLED', 'It was revoked before anything was changed.');
      const after = edited(text, path, plan(entriesIn(text, path)));
      readConfig(after, path, env);
      return after;
    });
  } catch (error) {
    const failure = failureOf(error);
    if (failure.operator !== undefined) log('error', `${what}: it failed`, { cause: failure.operator });
    throw failure;
  }
  await reload();
};

/** What is wrong with the file is for the operator. */
const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error;
  if (error instanceof NotEdited) return new Failure('CANCELLED', 'The list of hosts changed in the meantime.');
  return new Failure('CONFIG_UNAVAILABLE', 'The configuration file cannot be changed so.', {
    operator: error instanceof Error ? error.message : String(error),
    cause: error,
  });
};
