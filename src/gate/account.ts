import { type Policy, standing } from '../policy/decide.ts';
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
  return { policy: policy.digest, limits };
};
