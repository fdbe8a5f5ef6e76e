import type { Now } from './window.ts';

/** What is taken for as long as something lives: free once nobody has renewed it until `untilAt`. */
export type Slot = {
  readonly id: string;
  readonly untilAt: number;
  readonly wallUntilAt: number;
  readonly amount: number;
};

/** Everything that is running under one limit. */
export type Slots = { readonly bootId: string; readonly slots: readonly Slot[] };

/** Nothing is running. */
export const noSlots = (now: Now): Slots => ({ bootId: now.bootId, slots: [] });

/**
 * The slots that are still held, in this boot's time. One of another boot ends by the wall clock; none is held longer
 * than one lease from now, whatever the clocks did. `moved` says that the result must be kept.
 */
export const settleSlots = (held: Slots, now: Now, leaseMs: number): { slots: Slots; moved: boolean } => {
  const foreign = held.bootId !== now.bootId;
  const settled = held.slots.map(slot => {
    const leftMs = foreign ? slot.wallUntilAt - now.wallMs : slot.untilAt - now.monoMs;
    return foreign || leftMs > leaseMs ? heldFor(slot, now, Math.min(leftMs, leaseMs)) : slot;
  });
  const moved = settled.some((slot, index) => slot !== held.slots[index]);
  return { slots: { bootId: now.bootId, slots: settled.filter(slot => slot.untilAt > now.monoMs) }, moved };
};

const heldFor = (slot: { id: string; amount: number }, now: Now, leftMs: number): Slot => ({
  id: slot.id,
  untilAt: Math.ceil(now.monoMs + leftMs),
  wallUntilAt: Math.ceil(now.wallMs + leftMs),
  amount: slot.amount,
});

/** How much is running. */
export const heldOf = (held: Slots): number => held.slots.reduce((sum, slot) => sum + slot.amount, 0);

/** Takes or renews one slot for one lease: a holder that was frozen past its lease counts again once it wakes. */
export const holdSlot = (held: Slots, now: Now, leaseMs: number, id: string, amount: number): Slots => ({
  ...held,
  slots: [...held.slots.filter(slot => slot.id !== id), heldFor({ id, amount }, now, leaseMs)],
});

/** Frees one slot. */
export const freeSlot = (held: Slots, id: string): Slots => ({
  ...held,
  slots: held.slots.filter(slot => slot.id !== id),
});
