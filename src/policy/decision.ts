import type { Action } from '../call.ts';

/** What a policy may answer, from mildest to strictest. */
export const EFFECTS = ['allow', 'ask', 'deny'] as const;
/** One of them. */
export type Effect = (typeof EFFECTS)[number];

/** Why a policy answers as it does: `rule` is a JSON pointer into the document, or `(default deny)` and its like. */
export type Reason = { readonly rule: string; readonly reason: string };

/** A decision always says why. */
export type Because = readonly [Reason, ...Reason[]];

/** The stricter of the two; equals are equal. */
export const stricter = (a: Effect, b: Effect): Effect => (EFFECTS.indexOf(a) >= EFFECTS.indexOf(b) ? a : b);

/** What one limit takes for one call: `amount` of at most `max`, in every span of `windowMs`, or at one time. */
export type Charge = {
  /** The limit in the document: `/tools/ssh_exec/limits/<counter>`. */
  readonly rule: string;
  /** What is counted, and for whom: two charges with the same key share one budget. */
  readonly key: string;
  readonly amount: number;
  readonly max: number;
  readonly span: { readonly kind: 'window'; readonly windowMs: number } | { readonly kind: 'concurrent' };
  /** What a refusal says. */
  readonly reason: string;
};

/** What an allowed call must keep to. */
export type Obligations = { readonly timeoutMs?: number; readonly maxOutputBytes?: number };

/** How somebody must be asked: `client` is whoever sits at the agent, `operator` whoever holds an approver's key. */
export type ApprovalTerms = {
  readonly by: 'client' | 'operator';
  /** How many different people must say yes. */
  readonly approvers: number;
  /** How long the question may be answered. */
  readonly expiresMs: number;
  /** How often the same request may then run, and for how long after the last yes. */
  readonly uses: number;
  readonly ttlMs: number;
};

/** The codes a policy refuses with; each is in the table of failures. */
export type DenialCode =
  | 'POLICY_DENIED'
  | 'RATE_LIMITED'
  | 'APPROVAL_REQUIRED'
  | 'APPROVAL_DECLINED'
  | 'APPROVAL_EXPIRED'
  | 'APPROVAL_UNAVAILABLE'
  | 'POLICY_UNAVAILABLE';

/** No, and why. */
export type Denial = {
  readonly effect: 'deny';
  readonly code: DenialCode;
  readonly because: Because;
  /** From now, in milliseconds, when waiting alone would help. */
  readonly retryAfterMs?: number;
  /** What to do next, where the code's own next step is not exact. */
  readonly next?: string;
  /** The question that waits for an answer. */
  readonly approval?: { readonly id: string; readonly expires_at: string };
};

/** Yes within bounds, ask a person, or no. `action` is what may be done: as it was declared, or as the rules have written it anew. */
export type Decision<A extends Action = Action> =
  | ((
      | { readonly effect: 'allow' }
      /** How somebody is asked. */
      | { readonly effect: 'ask'; readonly terms: ApprovalTerms }
    ) & {
      readonly because: Because;
      readonly charges: readonly Charge[];
      readonly obligations: Obligations;
      readonly action: A;
    })
  | Denial;

/** A refusal for one reason, frozen, to be made once and given many times. */
export const denial = (rule: string, reason: string, code: DenialCode = 'POLICY_DENIED'): Denial =>
  Object.freeze({ effect: 'deny', code, because: becauseOf(rule, reason) });

/** One reason, frozen. */
export const becauseOf = (rule: string, reason: string): Because => {
  const because: Because = [Object.freeze({ rule, reason })];
  return Object.freeze(because);
};
