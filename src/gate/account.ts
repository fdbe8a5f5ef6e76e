import { type Policy, standing } from '../policy/decide.ts';
import { type Approval, isAnswered } from '../state/approval.ts';
import type { Store } from '../state/store.ts';

/** How much of each limit that holds for a whole grant is used now. */
export type Account = {
  readonly policy: string;
  readonly limits: readonly {
    readonly rule: string;
    readonly used: number;
    readonly max: number;
    readonly retry_after_ms?: number;
  }[];
  /** The questions of this grant that wait for an answer or a use; undefined when the store cannot say. */
  readonly approvals: readonly PendingApproval[] | undefined;
};

/** One question that stands. */
export type PendingApproval = {
  readonly id: string;
  readonly host: string;
  readonly tool: string;
  readonly by: 'client' | 'operator';
  /** Whether enough have said yes, as far as the store knows: the same call may be made again. */
  readonly answered: boolean;
  readonly expires_in_ms: number;
};

/** Reads them, charging nothing. */
export const accountOf = async (policy: Policy, store: Store, grant: string): Promise<Account> => {
  const limits = await Promise.all(
    standing(policy, grant).map(async charge => {
      const { used, max, freeInMs } = await store.level(charge);
      const wait = freeInMs === undefined ? {} : { retry_after_ms: Math.ceil(freeInMs) };
      return { rule: charge.rule, used, max, ...wait };
    }),
  );
  // What cannot be read hides nothing else: a policy without limits needs no store.
  const approvals = await store.approvals.all().catch(() => undefined);
  const own = approvals?.filter(one => one.grant === grant && one.stance === 'asked');
  return { policy: policy.digest, limits, approvals: own?.map(pendingOf) };
};

const pendingOf = (approval: Approval & { readonly leftMs: number }): PendingApproval => {
  const { id, host, tool, by, leftMs } = approval;
  return { id, host, tool, by, answered: isAnswered(approval), expires_in_ms: Math.floor(leftMs) };
};
