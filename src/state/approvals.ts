import type { Random } from '../call.ts';
import type { Charge } from '../policy/decision.ts';
import {
  type Approval,
  type Asking,
  type AskLimits,
  type AskResult,
  ageMs,
  isApproval,
  leftMs,
  type UseResult,
  type Voice,
} from './approval.ts';
import type { Pages } from './book.ts';
import { type Charged, chargeAll, type Entry, giveBack } from './ledger.ts';
import type { InTransaction, Tickets } from './tickets.ts';
import type { Now } from './window.ts';

/** Questions to people and what became of them, shared by every process of the machine; each method is one transaction. */
export type Approvals = {
  /**
   * The question about this digest that stands, or a new one: the same is never asked twice at a time, and one that was declined
   * stays so until it would have expired. What a window counts is taken now, what runs at one time when it is used.
   */
  readonly ask: (asking: Asking, charges: readonly Charge[], limits: AskLimits) => Promise<AskResult>;
  readonly look: (id: string) => Promise<(Approval & { readonly leftMs: number }) | undefined>;
  /** All that are remembered, the oldest first, each with the time it has left. */
  readonly all: () => Promise<readonly (Approval & { readonly leftMs: number })[]>;
  /** The text that the digest of a question is over; undefined when it no longer stands. */
  readonly facts: (id: string) => Promise<string | undefined>;
  /** Adds a yes to one that waits, once for each key and each name; undefined when it does not wait. */
  readonly say: (id: string, voice: Voice) => Promise<Approval | undefined>;
  /** Ends one that was not used up; what it holds of limits is given back. Undefined when there is none. */
  readonly end: (
    id: string,
    stance: 'declined' | 'withdrawn' | 'expired',
    note?: string,
  ) => Promise<Approval | undefined>;
  /** Ends all that were asked under a policy. */
  readonly endAll: (policy: string, note: string) => Promise<void>;
  /** Takes one use of a question with this digest, in the same step as the limits that count it; the caller knows that it was answered. */
  readonly use: (id: string, digest: string, charges: readonly Charge[]) => Promise<UseResult>;
  /** Those that ended unused since it was last called, by whichever process: each is given out once. */
  readonly ended: () => Promise<readonly Approval[]>;
};

const INDEX = 'a';
const KEPT_MS = 24 * 60 * 60_000;
/** Questions that are remembered; those that ended first make room. */
const MOST = 512;
const MINUTE_MS = 60_000;

/** Questions on pages of their own: one for all of them, and one for the facts of each while it stands. */
export const makeApprovals = (
  random: Random,
  inTransaction: InTransaction,
  tickets: Tickets,
  newId: () => string,
): Approvals => {
  const { withAll, change } = makeShelf(inTransaction);
  const nextId = (): string => `ap_${random(16).toString('base64url')}`;
  return {
    ask: (asking, charges, limits) =>
      withAll((all, entry) => askOne(all, entry, { asking, charges, limits, nextId, newId }), true),
    look: id => withAll((all, { now }) => all.filter(one => one.id === id).map(one => withLeft(one, now))[0]),
    all: () => withAll((all, { now }) => all.map(one => withLeft(one, now))),
    facts: id => inTransaction(({ pages }) => pages.get(pageOf(id)) || undefined),
    say: (id, voice) => change(id, (one, { now }) => heard(one, voice, now)),
    end: (id, stance, note) =>
      change(id, (one, entry) => (one.stance === 'asked' ? ended(one, stance, entry, note) : undefined)),
    endAll: (policy, note) =>
      withAll((all, entry) => {
        for (const [index, one] of all.entries())
          if (one.policy === policy && one.stance === 'asked') all[index] = ended(one, 'withdrawn', entry, note);
      }, true),
    use: async (id, digest, charges) => {
      const result = await withAll((all, entry) => useOne(all, entry, { id, digest, charges, newId }), true);
      return result.kind === 'used' ? { ...result, ticket: tickets.issue(result.taken) } : result;
    },
    ended: () =>
      withAll(all => {
        const untold = all.filter(one => !one.told && one.stance !== 'asked' && one.stance !== 'used');
        for (const one of untold) all[all.indexOf(one)] = { ...one, told: true };
        return untold;
      }),
  };
};

type Edit = (one: Approval, entry: Entry) => Approval | undefined;

/** All questions, with those ended whose time has run out, in one transaction; what was changed of them is kept. */
const makeShelf = (inTransaction: InTransaction) => {
  const withAll = <Out>(work: (all: Approval[], entry: Entry) => Out, durable = false): Promise<Out> =>
    inTransaction(entry => {
      const before = read(entry.pages);
      const all = before.map(one => settled(one, entry));
      const out = work(all, entry);
      if (all.length !== before.length || all.some((one, index) => one !== before[index])) write(entry, all);
      return out;
    }, durable);
  const change = (id: string, edit: Edit): Promise<Approval | undefined> =>
    withAll((all, entry) => {
      const index = all.findIndex(one => one.id === id);
      const found = all[index];
      const changed = found === undefined ? undefined : edit(found, entry);
      if (changed !== undefined) all[index] = changed;
      return changed;
    }, true);
  return { withAll, change };
};

type AskingOne = {
  readonly asking: Asking;
  readonly charges: readonly Charge[];
  readonly limits: AskLimits;
  readonly nextId: () => string;
  readonly newId: () => string;
};

const askOne = (all: Approval[], entry: Entry, { asking, charges, limits, nextId, newId }: AskingOne): AskResult => {
  const { now } = entry;
  const { facts, ...named } = asking;
  const standing = all.findLast(one => one.digest === named.digest && one.grant === named.grant && answers(one, now));
  if (standing !== undefined) return { kind: 'asked', approval: standing, leftMs: leftMs(standing, now), fresh: false };
  const enough = tooMany(all, named.grant, limits, now);
  if (enough !== undefined) return enough;
  const charged = chargeAll(entry, charges.filter(isWindow), newId);
  if (!charged.ok) return shortOf(charged);
  const { taken } = charged;
  const id = nextId();
  const approval: Approval = { ...named, id, stance: 'asked', askedAt: now, voices: [], used: 0, taken, told: false };
  all.push(approval);
  entry.pages.put(pageOf(id), facts, lifeOf(now));
  return { kind: 'asked', approval, leftMs: named.expiresMs, fresh: true };
};

const withLeft = (one: Approval, now: Now) => ({ ...one, leftMs: leftMs(one, now) });

const pageOf = (id: string): string => `a:${id}`;
const isWindow = ({ span }: Charge): boolean => span.kind === 'window';

const lifeOf = ({ bootId, monoMs, wallMs }: Now) => ({
  bootId,
  untilAt: Math.floor(monoMs + KEPT_MS),
  wallUntilAt: Math.floor(wallMs + KEPT_MS),
});

const read = (pages: Pages): readonly Approval[] => {
  const text = pages.get(INDEX);
  const value: unknown = text === undefined ? [] : JSON.parse(text);
  if (Array.isArray(value) && value.every(isApproval)) return value;
  throw new Error('the page of approvals is damaged');
};

/** What ended first makes room; what stands is bounded by what each grant may ask. */
const write = ({ pages, now }: Entry, all: readonly Approval[]): void => {
  const over = all.length - MOST;
  const gone = new Set(over > 0 ? all.filter(({ stance }) => stance !== 'asked').slice(0, over) : []);
  pages.put(INDEX, JSON.stringify(all.filter(one => !gone.has(one))), lifeOf(now));
};

/** One whose time has run out has ended; a use that is left over is worth nothing then. */
const settled = (one: Approval, entry: Entry): Approval =>
  one.stance !== 'asked' || leftMs(one, entry.now) > 0 ? one : ended(one, one.used > 0 ? 'used' : 'expired', entry);

const ended = (one: Approval, stance: Approval['stance'], entry: Entry, note?: string): Approval => {
  for (const taken of one.taken) giveBack(entry, taken);
  entry.pages.put(pageOf(one.id), '', lifeOf(entry.now));
  return { ...one, stance, taken: [], ...(note === undefined ? {} : { note }) };
};

/** Whether it answers for another asking of the same: it stands, or somebody said no a moment ago. */
const answers = ({ stance, askedAt, expiresMs }: Approval, now: Now): boolean =>
  stance === 'asked' || (stance === 'declined' && ageMs(askedAt, now) < expiresMs);

const tooMany = (
  all: readonly Approval[],
  grant: string,
  { perMinute, waiting }: AskLimits,
  now: Now,
): Extract<AskResult, { kind: 'enough' }> | undefined => {
  const own = all.filter(one => one.grant === grant);
  const standing = own.filter(({ stance }) => stance === 'asked');
  if (standing.length >= waiting) {
    const retryAfterMs = Math.min(...standing.map(one => leftMs(one, now)));
    return { kind: 'enough', reason: `${standing.length} questions are waiting already.`, retryAfterMs };
  }
  const recent = own.map(({ askedAt }) => ageMs(askedAt, now)).filter(age => age < MINUTE_MS);
  if (recent.length < perMinute) return undefined;
  const reason = `At most ${perMinute} questions are asked in a minute.`;
  return { kind: 'enough', reason, retryAfterMs: MINUTE_MS - Math.max(...recent.slice(-perMinute)) };
};

const shortOf = (charged: Extract<Charged, { ok: false }>) =>
  ({
    kind: 'short',
    short: charged.short,
    ...(charged.retryAfterMs === undefined ? {} : { retryAfterMs: charged.retryAfterMs }),
  }) as const;

/** More voices than are needed are kept too, as far as one cannot crowd out another: whoever verifies may not believe all. */
const MOST_VOICES = 20;

const heard = (one: Approval, voice: Voice, now: Now): Approval | undefined => {
  if (one.stance !== 'asked' || one.voices.length >= MOST_VOICES) return undefined;
  const voices = [
    ...one.voices.filter(({ key, principal }) => key !== voice.key && principal !== voice.principal),
    voice,
  ];
  const answeredAt = voices.length >= one.approvers ? { answeredAt: one.answeredAt ?? now } : {};
  return { ...one, voices, ...answeredAt };
};

type Using = {
  readonly id: string;
  readonly digest: string;
  readonly charges: readonly Charge[];
  readonly newId: () => string;
};

/** The first use has what was taken when it was asked; each further one is charged as a call of its own. */
const useOne = (all: Approval[], entry: Entry, { id, digest, charges, newId }: Using) => {
  const index = all.findIndex(one => one.id === id && one.digest === digest);
  const one = all[index];
  if (one === undefined || one.stance !== 'asked' || one.used >= one.uses) return { kind: 'gone' } as const;
  const due = one.used === 0 ? charges.filter(charge => !isWindow(charge)) : charges;
  const charged = chargeAll(entry, due, newId);
  if (!charged.ok) return shortOf(charged);
  const used = one.used + 1;
  const last = used >= one.uses;
  if (last) entry.pages.put(pageOf(id), '', lifeOf(entry.now));
  const after: Approval = {
    ...one,
    used,
    taken: [],
    answeredAt: one.answeredAt ?? entry.now,
    stance: last ? 'used' : 'asked',
  };
  all[index] = after;
  return { kind: 'used', taken: [...one.taken, ...charged.taken], approval: after } as const;
};
