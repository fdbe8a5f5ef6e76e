import * as z from 'zod';
import { networkOf } from '../text/network.ts';
import { strict } from '../text/schema-problems.ts';

const network = z
  .string()
  .refine(text => networkOf(text) !== undefined, 'must be an address or a network, like 10.0.0.0/8 or fd00::/8');

/** Which addresses may be dialled: those in `allow`, every one where that is absent, and never those in `deny`. */
export const NETWORKS = strict({ allow: z.array(network).min(1).optional(), deny: z.array(network).min(1).optional() });

/** Addresses and networks in CIDR notation (RFC 4632, RFC 4291 section 2.3). */
export type Networks = z.output<typeof NETWORKS>;
