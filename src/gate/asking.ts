import type { ApprovalTerms } from '../policy/decision.ts';

/** What somebody is asked to let happen. Whatever is shown of it is bound by `digest`. */
export type Question = {
  /** `ap_` and 128 random bits in base64url: one asking. The same request asked anew is another id. */
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  /** What a person types to say yes: the host's name, or the tool's where no host is touched. */
  readonly host: string;
  /** What would be done, whole and safe to print, in lines of at most 76 columns: the host first, then the words that run. */
  readonly lines: readonly string[];
  /** The host and all that the agent chose of it, in at most three such lines; undefined when it takes more. */
  readonly gist: readonly string[] | undefined;
  /** The first rule that asks, and what it says. */
  readonly rule: string;
  readonly reason: string;
  /** The digest of the policy that asks. */
  readonly policy: string;
  /** `sha256:` over the canonical JSON of all that is approved: another argument, host key, rule or policy is another digest. */
  readonly digest: string;
  readonly terms: ApprovalTerms;
  /** Wall time, for people; and how long is left of it by the clock that nobody moves. */
  readonly expiresAt: number;
  readonly expiresInMs: number;
};

/**
 * What the client's side answered to a question.
 * - `accepted`: somebody typed the host's name exactly, under this id and digest; good for one use.
 * - `declined`: somebody said no.
 * - `silent`: nobody answered: dismissed, or no answer in `expiresInMs`.
 * - `later`: the client was not asked yet: the answer to this call carries the question, and the same call will come again with
 *   what was answered. The call ends with APPROVAL_REQUIRED (which the protocol side may turn into the question); it stays asked.
 * - `unable`: this client cannot be asked; `why` is a sentence. Somebody else may be. `next` says what else to do than is usual.
 * - `refused`: what came is no answer to this question (forged, replayed, of another call, the wrong name); `why` is a sentence.
 */
export type ClientAnswer =
  | { readonly kind: 'accepted' | 'declined' | 'silent' | 'later' }
  | { readonly kind: 'unable' | 'refused'; readonly why: string; readonly next?: string };

/**
 * Asks the client of this call, or reads the answer that came with a call that is made again: then the question has the id
 * under which it was asked, as long as that can still be used; any other id means that it cannot. Calls `shown` as a question goes
 * out to the client.
 */
export type Asker = (question: Question, signal: AbortSignal, shown: () => void) => Promise<ClientAnswer>;

/** How somebody can be reached about one call. */
export type Channel = {
  /** Aborted when the call is given up: what was asked of the client is withdrawn. */
  readonly signal: AbortSignal;
  /** Says what is being waited for. */
  readonly progress: (message: string) => void;
  /** Absent where there is no client to ask. */
  readonly ask?: Asker;
  /** One host's part of a call for many: the whole must not be made again, as other parts of it have run. */
  readonly part?: boolean;
};

/** Nobody can be reached, and nobody waits. */
export const NO_CHANNEL: Channel = Object.freeze({ signal: new AbortController().signal, progress: () => undefined });
