import type { Host } from '../../ssh/host.ts';

/** One stop on the way, as ProxyJump writes it. */
export type Hop = { readonly name: string; readonly user?: string; readonly port?: number };

/**
 * A host as ssh says it. Those that lead to it, the first one first, are still names; `byOpenssh` are the keywords that only
 * an OpenSSH client honours.
 */
export type SshHost = Omit<Host, 'via'> & { readonly jumps: readonly Hop[]; readonly byOpenssh?: readonly string[] };

/** What ssh was asked, as a key. */
export const keyOf = ({ name, user, port }: Hop): string => JSON.stringify([name, user ?? null, port ?? null]);
