import type { Audit, AuditRecord } from '../audit/record.ts';
import type { Approvals } from '../state/approvals.ts';
import type { Store } from '../state/store.ts';

/** Opens at the first use and never twice; a failure is not kept, so that the next use tries again. */
const once = <Thing>(open: () => Promise<Thing>): (() => Promise<Thing>) => {
  let opening: Promise<Thing> | undefined;
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
};

/** Something opened late, and what belongs to its end. */
export type Late<Thing> = {
  readonly thing: Thing;
  /** Opens it now. */
  readonly ready: () => Promise<void>;
  /** Resolves when it is open or not being opened; never rejects. */
  readonly idle: () => Promise<void>;
  readonly isOpen: () => boolean;
};

/** A store that is opened by the first call that counts: a client that only lists the tools waits for no disk. */
export const lazyStore = (open: () => Promise<Store>): Late<Store> => {
  let opened: Store | undefined;
  let opening: Promise<unknown> = Promise.resolve();
  const use = once(() => {
    const store = open().then(found => {
      opened = found;
      return found;
    });
    opening = store;
    return store;
  });
  const thing: Store = {
    charge: async charges => (await use()).charge(charges),
    refund: async ticket => (await use()).refund(ticket),
    release: async ticket => (await use()).release(ticket),
    level: async charge => (await use()).level(charge),
    remember: async (grant, handle) => (await use()).remember(grant, handle),
    forget: async (grant, id) => (await use()).forget(grant, id),
    handles: async grant => (await use()).handles(grant),
    setHead: async head => (await use()).setHead(head),
    heads: async () => (await use()).heads(),
    approvals: lazyApprovals(async () => (await use()).approvals),
    close: () => opened?.close(),
  };
  return {
    thing,
    ready: async () => void (await use()),
    idle: () => settled(opening),
    isOpen: () => opened !== undefined,
  };
};

const lazyApprovals = (use: () => Promise<Approvals>): Approvals => ({
  ask: async (asking, charges, limits) => (await use()).ask(asking, charges, limits),
  look: async id => (await use()).look(id),
  all: async () => (await use()).all(),
  facts: async id => (await use()).facts(id),
  say: async (id, voice) => (await use()).say(id, voice),
  end: async (id, stance, note) => (await use()).end(id, stance, note),
  endAll: async (policy, note) => (await use()).endAll(policy, note),
  use: async (id, digest, charges) => (await use()).use(id, digest, charges),
  ended: async () => (await use()).ended(),
});

/** Notes that are kept for an audit that cannot be opened. */
const KEPT = 1_000;

/**
 * An audit that is opened by the first record. Notes wait in order until it is open, and an admission waits with them.
 * Closing twice closes once.
 */
export const lazyAudit = (open: () => Promise<Audit>): Late<Audit> & { readonly owes: () => boolean } => {
  const waiting: AuditRecord[] = [];
  let opened: Audit | undefined;
  let opening: Promise<unknown> = Promise.resolve();
  let closed = false;
  const use = once(() => {
    const audit = open().then(found => {
      opened = found;
      for (const record of waiting.splice(0)) found.note(record);
      if (closed) found.close();
      return found;
    });
    opening = audit;
    return audit;
  });
  const note = (record: AuditRecord): void => {
    if (opened !== undefined) {
      opened.note(record);
      return;
    }
    if (waiting.length < KEPT) waiting.push(record);
    use().catch(() => undefined);
  };
  const close = (): void => {
    if (!closed) opened?.close();
    closed = true;
  };
  const admit = async (record: AuditRecord): Promise<void> => (await use()).admit(record);
  return {
    thing: { admit, note, close },
    owes: () => waiting.length > 0,
    ready: async () => void (await use()),
    idle: () => settled(opening),
    isOpen: () => opened !== undefined,
  };
};

const settled = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );
