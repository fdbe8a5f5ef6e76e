import type { Configure, Target } from '../call.ts';
import type { Permit } from '../gate/permit.ts';

/** A host that was added: the account, the ways to log in that it has, and the host whose connection leads there. */
export type Added = { readonly target: Target; readonly logins: readonly string[]; readonly via?: string };

/** The list of hosts, as far as agents may change it; what is changed holds for the next call. */
export type HostList = {
  /** Adds the host of the permit. `INVALID_INPUT` when its name or its address is taken, `UNSUPPORTED` when it cannot be like that host. */
  readonly add: (permit: Permit<Configure>) => Promise<Added>;
  /** Takes one away that an agent of the same grant has added. */
  readonly remove: (permit: Permit<Configure>) => Promise<void>;
};
