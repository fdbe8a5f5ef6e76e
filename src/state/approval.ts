import type { Charge } from '../policy/decision.ts';
import type { Taken } from './ledger.ts';
import type { Ticket } from './store.ts';
import type { Now } from './window.ts';

/** One yes of an operator, as it was handed in: whoever relies on it verifies the signature. */
export type Voice = {
  /** Who the signer says to be, and the fingerprint of the key: for people, proved by the signature alone. */
  readonly principal: string;
  readonly key: string;
  readonly note: string;
  /** Wall time; it is signed. */
  readonly time: number;
  /** Armoured, as `ssh-keygen -Y sign` writes it. */
  readonly signature: string;
};

/** Where a question stands. `asked` has no or too few voices, or enough; all others are for good. */
export type Stance = 'asked' | 'declined' | 'expired' | 'withdrawn' | 'used';

/** One question, from its asking to the last use of its answer. */
export type Approval = {
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  readonly host: string;
  readonly policy: string;
  readonly digest: string;
  readonly rule: string;
  /** What the agent says it is for; nobody vouches for that. */
  readonly why: string;
  readonly by: 'client' | 'operator';
  readonly approvers: number;
  readonly expiresMs: number;
  readonly uses: number;
  readonly ttlMs: number;
  readonly stance: Stance;
  readonly askedAt: Now;
  /** When the last voice came that was needed. */
  readonly answeredAt?: Now;
  readonly voices: readonly Voice[];
  /** Why it was declined or withdrawn. */
  readonly note?: string;
  readonly used: number;
  /** What it holds of limits until it is used, or ends without. */
  readonly taken: readonly Taken[];
  /** A server has put its end on record. */
  readonly told: boolean;
};

/** What is asked, by whom it must be answered, and everything that is bound, as the text that its digest is over. */
export type Asking = Pick<
  Approval,
  'grant' | 'tool' | 'host' | 'policy' | 'digest' | 'rule' | 'why' | 'by' | 'approvers' | 'expiresMs' | 'uses' | 'ttlMs'
> & { readonly facts: string };

/** How much may be asked: questions of one grant in a minute, and those that wait at one time. */
export type AskLimits = { readonly perMinute: number; readonly waiting: number };

/**
 * The question, `fresh` when it was not asked before; or why it is not asked: a limit is `short`, or this grant has asked as
 * much as it may.
 */
export type AskResult =
  | { readonly kind: 'asked'; readonly approval: Approval; readonly leftMs: number; readonly fresh: boolean }
  | { readonly kind: 'short'; readonly short: Charge; readonly retryAfterMs?: number }
  | { readonly kind: 'enough'; readonly reason: string; readonly retryAfterMs: number };

/** One use, and what it holds of limits; or why there is none. */
export type UseResult =
  | { readonly kind: 'used'; readonly ticket: Ticket; readonly approval: Approval }
  | { readonly kind: 'gone' }
  | { readonly kind: 'short'; readonly short: Charge; readonly retryAfterMs?: number };

/** By how much two readings of clocks that nobody moved may disagree. */
const SLACK_MS = 5_000;

/** How long ago `then` was, by whichever clock says more; endless when a clock has been set back since. */
export const ageMs = (then: Now, now: Now): number => {
  const wallMs = now.wallMs - then.wallMs;
  if (wallMs < -SLACK_MS) return Number.POSITIVE_INFINITY;
  if (then.bootId !== now.bootId) return wallMs;
  const monoMs = now.monoMs - then.monoMs;
  return monoMs < -SLACK_MS ? Number.POSITIVE_INFINITY : Math.max(wallMs, monoMs, 0);
};

/** How long it may still be answered, or used once it is answered; 0 when it may not. */
export const leftMs = ({ stance, askedAt, answeredAt, expiresMs, ttlMs }: Approval, now: Now): number => {
  if (stance !== 'asked') return 0;
  const left = answeredAt === undefined ? expiresMs - ageMs(askedAt, now) : ttlMs - ageMs(answeredAt, now);
  return Math.max(0, left);
};

/** Whether as many have said yes as are needed, as far as the store can tell. */
export const isAnswered = ({ answeredAt }: Approval): boolean => answeredAt !== undefined;

const STANCES: readonly unknown[] = ['asked', 'declined', 'expired', 'withdrawn', 'used'] satisfies readonly Stance[];

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (fields: Readonly<Record<string, unknown>>, type: 'string' | 'number', names: readonly string[]): boolean =>
  names.every(name => typeof fields[name] === type);

const isNow = (value: unknown): value is Now =>
  isFields(value) && has(value, 'string', ['bootId']) && has(value, 'number', ['monoMs', 'wallMs']);
const isVoice = (value: unknown): value is Voice =>
  isFields(value) && has(value, 'string', ['principal', 'key', 'note', 'signature']) && has(value, 'number', ['time']);
const isTaken = (value: unknown): value is Taken =>
  isFields(value) &&
  has(value, 'string', ['name', 'id']) &&
  Number.isSafeInteger(value.amount) &&
  Number.isSafeInteger(value.windowMs);

const isId = (value: unknown): boolean => typeof value === 'string' && /^ap_[A-Za-z0-9_-]{22}$/.test(value);

/** Whether somebody of ours wrote it, as far as its form shows. */
export const isApproval = (value: unknown): value is Approval =>
  isFields(value) &&
  isId(value.id) &&
  has(value, 'string', ['grant', 'tool', 'host', 'policy', 'digest', 'rule', 'why']) &&
  has(value, 'number', ['approvers', 'expiresMs', 'uses', 'ttlMs', 'used']) &&
  (value.by === 'client' || value.by === 'operator') &&
  STANCES.includes(value.stance) &&
  isNow(value.askedAt) &&
  (value.answeredAt === undefined || isNow(value.answeredAt)) &&
  Array.isArray(value.voices) &&
  value.voices.every(isVoice) &&
  (value.note === undefined || typeof value.note === 'string') &&
  Array.isArray(value.taken) &&
  value.taken.every(isTaken) &&
  typeof value.told === 'boolean';
