import type { Random } from '../call.ts';
import { type Entry, giveBack, renew, type Taken } from './ledger.ts';
import type { Ticket } from './store.ts';

/** Does something inside one transaction. */
export type InTransaction = <Out>(work: (entry: Entry) => Out, durable?: boolean) => Promise<Out>;

/** What this process has taken and not yet given back. */
export type Tickets = {
  readonly issue: (taken: readonly Taken[]) => Ticket;
  /** Gives back everything of a ticket. */
  readonly refund: (ticket: Ticket) => Promise<void>;
  /** Frees its slots. */
  readonly release: (ticket: Ticket) => Promise<void>;
  /** Holds every slot for another lease, and frees those that could not be freed when it was asked for. */
  readonly renewAll: () => Promise<void>;
};

const isSlot = (taken: Taken): boolean => taken.windowMs === undefined;

/** Tickets live in this process alone: one that dies keeps its window charges, and its slots run out. */
export const makeTickets = (random: Random, inTransaction: InTransaction): Tickets => {
  const tickets = new Map<string, readonly Taken[]>();
  const freeing = new Set<Taken>();

  const settle = async (ticket: Ticket, which: (taken: Taken) => boolean): Promise<void> => {
    const all = (tickets.get(ticket.id) ?? []).filter(which);
    tickets.delete(ticket.id);
    if (all.length === 0) return;
    for (const taken of all.filter(isSlot)) freeing.add(taken);
    await inTransaction(entry => {
      for (const taken of all) giveBack(entry, taken);
    });
    for (const taken of all) freeing.delete(taken);
  };

  return {
    issue(taken) {
      const ticket = { id: random(16).toString('base64url') };
      tickets.set(ticket.id, taken);
      return ticket;
    },
    refund: ticket => settle(ticket, () => true),
    release: ticket => settle(ticket, isSlot),
    async renewAll() {
      const held = [...tickets.values()].flat().filter(isSlot);
      const freed = [...freeing];
      if (held.length + freed.length === 0) return;
      await inTransaction(entry => {
        for (const taken of held) renew(entry, taken);
        for (const taken of freed) giveBack(entry, taken);
      });
      for (const taken of freed) freeing.delete(taken);
    },
  };
};
