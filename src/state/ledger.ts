import { Failure } from '../errors.ts';
import type { Charge } from '../policy/decision.ts';
import { type Pages, readSlots, readWindow, writeSlots, writeWindow } from './book.ts';
import { freeSlot, heldOf, holdSlot, noSlots, type Slots, settleSlots } from './slots.ts';
import type { Level } from './store.ts';
import { addHit, emptyWindow, type Now, settle, takeBack, usedOf, type Window, waitMs } from './window.ts';

/** One thing that a ticket took, and where: in this bucket of this window, or as this slot. */
export type Taken = {
  readonly name: string;
  readonly id: string;
  readonly amount: number;
  /** Absent for a slot. */
  readonly windowMs?: number;
};

/** All charges taken, or the one that was short; `retryAfterMs` is absent when waiting alone would not help. */
export type Charged =
  | { readonly ok: true; readonly taken: readonly Taken[] }
  | { readonly ok: false; readonly short: Charge; readonly retryAfterMs?: number };

/** What every entry needs: the pages of one transaction, the time read inside it, and how long a slot lasts unrenewed. */
export type Entry = { readonly pages: Pages; readonly now: Now; readonly leaseMs: number };

type Account = {
  readonly name: string;
  readonly used: number;
  /** Everything that this call takes from it. */
  readonly total: number;
  /** How long until `excess` of it is free again, when that is known. */
  readonly freeInMs: (excess: number) => number | undefined;
  readonly take: (id: string, amount: number) => Taken;
  /** Keeps what settling changed, even when nothing is taken. */
  readonly keep: () => void;
};

/** Takes every charge or none. `newId` names what is taken: unique among all processes. */
export const chargeAll = (entry: Entry, charges: readonly Charge[], newId: () => string): Charged => {
  for (const charge of charges) mustBeCountable(charge);
  const accounts = openAccounts(entry, charges);
  const refusal = shortest(charges, accounts);
  if (refusal !== undefined) {
    for (const account of accounts.values()) account.keep();
    return { ok: false, ...refusal };
  }
  const taken = [...accounts.values()].filter(({ total }) => total > 0).map(each => each.take(newId(), each.total));
  return { ok: true, taken };
};

/** How full one limit is; writes nothing. */
export const levelOf = (entry: Entry, charge: Charge): Level => {
  mustBeCountable(charge);
  const account = open(entry, charge, charge.amount);
  const excess = charge.amount - (charge.max - account.used);
  const freeInMs = charge.max === 0 || charge.amount > charge.max ? undefined : account.freeInMs(excess);
  const { used } = account;
  return { used, max: charge.max, ...(excess <= 0 || freeInMs === undefined ? {} : { freeInMs }) };
};

/** Gives one thing back: from its own bucket, or its own slot, and from nothing else. */
export const giveBack = (entry: Entry, taken: Taken): void => {
  const { pages, now } = entry;
  if (taken.windowMs === undefined) {
    const held = readSlots(pages, taken.name);
    if (held !== undefined) writeSlots(pages, taken.name, freeSlot(held, taken.id));
    return;
  }
  const window = readWindow(pages, taken.name);
  if (window === undefined) return;
  const settled = settle(window, now, taken.windowMs).window;
  writeWindow(pages, taken.name, takeBack(settled, taken.id, taken.amount), taken.windowMs);
};

/** Holds one slot for another lease, and takes it again if it was lost. */
export const renew = (entry: Entry, taken: Taken): void => {
  const { pages, now, leaseMs } = entry;
  const { slots } = settleSlots(readSlots(pages, taken.name) ?? noSlots(now), now, leaseMs);
  writeSlots(pages, taken.name, holdSlot(slots, now, leaseMs, taken.id, taken.amount));
};

const nameOf = ({ key, span }: Charge): string => (span.kind === 'window' ? `w:${span.windowMs}:${key}` : `c:${key}`);

/** Charges with one name share one budget, so what they take is added up before any of them is judged. */
const openAccounts = (entry: Entry, charges: readonly Charge[]): Map<string, Account> => {
  const accounts = new Map<string, Account>();
  for (const charge of charges) {
    const name = nameOf(charge);
    const total = (accounts.get(name)?.total ?? 0) + charge.amount;
    accounts.set(name, open(entry, charge, total));
  }
  return accounts;
};

const open = (entry: Entry, charge: Charge, total: number): Account =>
  charge.span.kind === 'window'
    ? openWindow(entry, nameOf(charge), charge.span.windowMs, total)
    : openSlots(entry, nameOf(charge), total);

const openWindow = ({ pages, now }: Entry, name: string, windowMs: number, total: number): Account => {
  const { window, moved } = settle(readWindow(pages, name) ?? emptyWindow(now), now, windowMs);
  const save = (changed: Window): void => writeWindow(pages, name, changed, windowMs);
  return {
    name,
    total,
    used: usedOf(window),
    freeInMs: excess => waitMs(window, now, windowMs, excess),
    take: (newId, amount) => {
      const added = addHit(window, now, windowMs, amount, newId);
      save(added.window);
      return { name, id: added.id, amount, windowMs };
    },
    keep: () => (moved ? save(window) : undefined),
  };
};

const openSlots = ({ pages, now, leaseMs }: Entry, name: string, total: number): Account => {
  const { slots, moved } = settleSlots(readSlots(pages, name) ?? noSlots(now), now, leaseMs);
  const save = (changed: Slots): void => writeSlots(pages, name, changed);
  return {
    name,
    total,
    used: heldOf(slots),
    freeInMs: () => undefined,
    take: (id, amount) => {
      save(holdSlot(slots, now, leaseMs, id, amount));
      return { name, id, amount };
    },
    keep: () => (moved ? save(slots) : undefined),
  };
};

type Refusal = { readonly short: Charge; readonly retryAfterMs?: number };

/** The charge that stands longest in the way: one that can never be met, then one without a known wait, then the longest wait. */
const shortest = (charges: readonly Charge[], accounts: ReadonlyMap<string, Account>): Refusal | undefined => {
  let worst: Refusal | undefined;
  let worstMs = -1;
  for (const charge of charges) {
    const account = accounts.get(nameOf(charge));
    if (account === undefined) continue;
    const { used, total } = account;
    const never = charge.max === 0 || total > charge.max;
    if (!never && used <= charge.max - total) continue;
    const freeInMs = never ? undefined : account.freeInMs(used - (charge.max - total));
    const standsMs = never ? Number.POSITIVE_INFINITY : (freeInMs ?? Number.MAX_VALUE);
    if (standsMs <= worstMs) continue;
    worst = { short: charge, ...(freeInMs === undefined ? {} : { retryAfterMs: freeInMs }) };
    worstMs = standsMs;
  }
  return worst;
};

const isAmount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const mustBeCountable = ({ amount, max, span, rule }: Charge): void => {
  const spanOk = span.kind === 'concurrent' || (Number.isSafeInteger(span.windowMs) && span.windowMs > 0);
  if (isAmount(amount) && isAmount(max) && spanOk) return;
  throw new Failure(
    'POLICY_UNAVAILABLE',
    `The limit ${rule} cannot be counted: its numbers must be whole and not negative.`,
  );
};
