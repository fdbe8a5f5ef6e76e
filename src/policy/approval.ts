import type { ApprovalTerms } from './decision.ts';
import { windowMsOf } from './limit.ts';

/** Terms as a document writes them; what is left out is as strict as it can be without being useless. */
export type RawApproval = {
  readonly by?: 'client' | 'operator' | undefined;
  readonly approvers?: number | undefined;
  readonly expires?: string | undefined;
  readonly uses?: number | undefined;
  readonly ttl?: string | undefined;
};

const FIVE_MINUTES_MS = 300_000;

/** Whoever sits at the agent may be a program: an operator is asked unless the document says that a client is enough. */
export const compileTerms = ({ by, approvers, expires, uses, ttl }: RawApproval = {}): ApprovalTerms =>
  Object.freeze({
    by: by ?? 'operator',
    approvers: approvers ?? 1,
    expiresMs: spanOf(expires),
    uses: uses ?? 1,
    ttlMs: spanOf(ttl),
  });

const spanOf = (text: string | undefined): number =>
  (text === undefined ? undefined : windowMsOf(text)) ?? FIVE_MINUTES_MS;

/** What holds where several ask, or one that says nothing: operators, the most of them, the shortest times, the fewest uses. */
export const strictestTerms = (all: readonly ApprovalTerms[]): ApprovalTerms => {
  const [first = compileTerms(), ...rest] = all;
  return rest.reduce<ApprovalTerms>(
    (a, b) => ({
      by: a.by === 'operator' ? a.by : b.by,
      approvers: Math.max(a.approvers, b.approvers),
      expiresMs: Math.min(a.expiresMs, b.expiresMs),
      uses: Math.min(a.uses, b.uses),
      ttlMs: Math.min(a.ttlMs, b.ttlMs),
    }),
    first,
  );
};

/** Whether a yes that was given under `given` would do under `asked` too. */
export const meets = (given: ApprovalTerms, asked: ApprovalTerms): boolean =>
  (given.by === 'operator' || asked.by === 'client') && given.approvers >= asked.approvers;
