import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import * as z from 'zod';
import type { Clock, Random } from '../call.ts';
import { canonical } from '../text/canonical.ts';

/** Which question a client was given, and until when it may be answered by the clock that nobody sets. */
const CLAIM = z.strictObject({ id: z.string(), digest: z.string(), untilMonoMs: z.number() });
/** One of them. */
export type Claim = z.output<typeof CLAIM>;

/** The call that a question belongs to: with any other grant, tool or argument its state does not open. */
export type Bound = {
  readonly grant: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
};

/** What became of a state that came back: what it claims, or why it claims nothing. */
export type Opened = { readonly kind: 'open'; readonly claim: Claim } | { readonly kind: 'expired' | 'foreign' };

const CIPHER = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16] as const;
const FORM = /^sp1\.[A-Za-z0-9_-]{60,600}$/;
const FOREIGN: Opened = { kind: 'foreign' };

/**
 * Seals what a client carries from a question to its answer (`requestState`, MCP 2026-07-28): it can neither read nor make nor
 * change one. The key lives and dies with this object, so that no state outlives its process.
 */
export class Seal {
  readonly #key: Buffer;
  readonly #random: Random;
  readonly #clock: Clock;

  constructor(random: Random, clock: Clock) {
    this.#key = random(KEY_BYTES);
    this.#random = random;
    this.#clock = clock;
  }

  /** The state of a question that may be answered for `forMs` from now. */
  close({ id, digest }: Omit<Claim, 'untilMonoMs'>, forMs: number, bound: Bound): string {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(callOf(bound));
    const claim: Claim = { id, digest, untilMonoMs: this.#clock.monoMs() + forMs };
    const sealed = Buffer.concat([cipher.update(JSON.stringify(claim), 'utf8'), cipher.final()]);
    return `sp1.${Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')}`;
  }

  /** Reads a state that came back with a call: `foreign` when it was not sealed here for exactly this call. */
  open(state: string, bound: Bound): Opened {
    if (!FORM.test(state)) return FOREIGN;
    const bytes = Buffer.from(state.slice(4), 'base64url');
    // Several texts decode to the same bytes; only the one that was given out is one.
    if (bytes.toString('base64url') !== state.slice(4)) return FOREIGN;
    const text = this.#decrypt(bytes, bound);
    if (text === undefined) return FOREIGN;
    const claim = CLAIM.parse(JSON.parse(text));
    return claim.untilMonoMs > this.#clock.monoMs() ? { kind: 'open', claim } : { kind: 'expired' };
  }

  #decrypt(bytes: Buffer, bound: Bound): string | undefined {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const sealed = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(callOf(bound))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
    } catch {
      return undefined; // The tag does not fit, or the arguments are nested deeper than any that were ever asked about.
    }
  }
}

const callOf = (bound: Bound): Buffer => Buffer.from(hash('sha256', canonical(bound), 'hex'));
