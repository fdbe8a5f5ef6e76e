import type { ApprovalTerms } from '../policy/decision.ts';
import type { Approval, Voice } from '../state/approval.ts';
import { canonical } from '../text/canonical.ts';

/** Somebody whose signature was verified. */
export type Signer = { readonly principal: string; readonly key: string };

/** Those whose yes counts, as this process knows them since its start. */
export type Approvers = {
  /** Who has signed this text for us, by the name that signers are listed under; or why nobody has, as a sentence. */
  readonly verify: (text: string, voice: Pick<Voice, 'signature'>) => Promise<Signer | string>;
};

/** The text that an operator signs to say yes: bound to one asking, to all that was shown, and to a time. */
export const signedText = (
  { id, digest }: Pick<Approval, 'id' | 'digest'>,
  { note, time }: Pick<Voice, 'note' | 'time'>,
): string => canonical({ approval: id, decision: 'approve', digest, note, time });

/** By how much the clock of a signature may be ahead of ours. */
const AHEAD_MS = 5_000;

/** What was asked, as this process knows it, with what the store says that was answered. */
type Answered = Pick<Approval, 'id' | 'digest' | 'voices'> & {
  readonly terms: Pick<ApprovalTerms, 'expiresMs' | 'ttlMs'>;
};

/**
 * Those who verifiably said yes to this since `sinceMs` and still mean it at `wallMs`: each by a key and under a name of their
 * own. What the store says of them is not believed, so each signature is verified anew by `verified`.
 */
export const trueVoices = async (
  { terms: { expiresMs, ttlMs }, ...asked }: Answered,
  sinceMs: number,
  verified: (text: string, voice: Voice) => Promise<Signer | string>,
  wallMs: number,
): Promise<readonly Signer[]> => {
  const signers: Signer[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for (const voice of asked.voices) {
    const age = wallMs - voice.time;
    if (age < -AHEAD_MS || age > expiresMs + ttlMs || voice.time < sinceMs) continue;
    const signer = await verified(signedText(asked, voice), voice);
    if (typeof signer === 'string') continue;
    if (signers.some(({ principal, key }) => principal === signer.principal || key === signer.key)) continue;
    signers.push(signer);
    newest = Math.max(newest, voice.time);
  }
  return wallMs - newest <= ttlMs ? signers : [];
};
