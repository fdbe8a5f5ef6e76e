import type { Audit } from '../audit/record.ts';
import type { Action, Clock, Log } from '../call.ts';
import { Failure } from '../errors.ts';
import { limited, type Policy } from '../policy/decide.ts';
import type { ApprovalTerms, Charge, Denial } from '../policy/decision.ts';
import type { Approval, AskLimits, Voice } from '../state/approval.ts';
import type { Store, Ticket } from '../state/store.ts';
import { askDenial, countdown, noRoom, PATIENCE_MS, standingOf } from './ask-answer.ts';
import type { Channel, ClientAnswer, Question } from './asking.ts';
import { digestOf, factsOf, type Judged } from './facts.ts';
import { gistOf } from './gist.ts';
import { uncountable } from './refusal.ts';
import { sheetOf } from './sheet.ts';
import { type Approvers, type Signer, trueVoices } from './voices.ts';

/** What asking needs of this process. */
export type AskParts = {
  readonly policy: () => Policy;
  readonly store: Pick<Store, 'approvals'>;
  readonly audit: Pick<Audit, 'note'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The keys by which the host of an action is known now, none for an action without one; undefined when its host is not known. */
  readonly hostKeysOf: (action: Action) => Promise<readonly string[] | undefined>;
  /** Absent where no operator is configured. */
  readonly approvers?: Approvers;
  /** Tells somebody of a new question that an operator may answer. */
  readonly notify?: (question: Question) => void;
  readonly limits: AskLimits;
  /** Resolves after so long, or as soon as the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Does something later, unless the process ends before. */
  readonly later: (ms: number, work: () => void) => void;
};

/** A judged call that asks, with what must be charged for it. */
export type AskCall = Judged & { readonly charges: readonly Charge[] };

/** Leave that was given and not used yet. */
export type Yes = { readonly id: string; readonly terms: ApprovalTerms; readonly by: 'client' | readonly Signer[] };

/** Leave that was used: what it holds of limits. */
export type Leave = { readonly id: string; readonly ticket: Ticket };

const POLL_MS = 250;
/** Signatures that are remembered as none. */
const MOST_UNBELIEVED = 256;

/** Asks people, waits for them, and sees that each yes counts as often as it was meant to. */
export class Asking {
  readonly #parts: AskParts;
  #policy: string;
  /** Wall time since which this policy is in force: what was signed before that was for another. */
  #since = Number.NEGATIVE_INFINITY;
  /** Questions that a client has said yes to, by id and digest: nothing but this process can vouch for that. */
  readonly #accepted = new Set<string>();
  /** How often this process has used each: a store that was put back by somebody changes nothing of that. */
  readonly #used = new Map<string, number>();
  readonly #unbelieved = new Map<string, string>();
  readonly #answering = new Map<string, Promise<ClientAnswer>>();

  constructor(parts: AskParts) {
    this.#parts = parts;
    this.#policy = parts.policy().digest;
  }

  /** Gets leave for a call, by whichever way there is, or says why there is none. Charges what windows count. */
  async ask(call: AskCall, channel: Channel): Promise<Yes | Denial> {
    const hostKeys = await this.#parts.hostKeysOf(call.action);
    if (hostKeys === undefined) return askDenial(call, 'stranger');
    const facts = factsOf(call, hostKeys);
    const lines = sheetOf(facts);
    if (lines === undefined) return askDenial(call, 'unshowable');
    const byClient = call.terms.by === 'client' && channel.ask !== undefined;
    if (!byClient && this.#parts.approvers === undefined) return askDenial(call, 'nobody');
    const digest = digestOf(facts);
    const asked = await this.#put(call, { facts: JSON.stringify(facts), host: facts.host, digest });
    if ('effect' in asked) return asked;
    const { approval, fresh } = asked;
    if (fresh) this.#begun(call, approval);
    const question = this.#question(call, approval, {
      ...{ host: facts.host, lines, gist: gistOf(facts), leftMs: asked.leftMs },
    });
    if (approval.stance === 'declined') return askDenial(call, 'declined', { question, why: approval.note });
    if (this.#accepted.has(keyOf(question))) return { id: approval.id, terms: call.terms, by: 'client' };
    const answer = byClient ? await this.#askClient(question, channel) : { kind: 'unable' as const, why: '' };
    if (answer.kind === 'unable' && this.#parts.approvers !== undefined) {
      if (fresh) this.#parts.notify?.(question);
      return await this.#awaitOperators(call, question, { ...channel, why: answer.why });
    }
    return await this.#answered(call, question, answer, channel.signal);
  }

  /** Uses leave for a call as it is judged now; what was asked for must be the same in every detail. */
  async use({ id, by }: Yes, call: AskCall): Promise<Leave | Denial> {
    const { approvals } = this.#parts.store;
    const digest = digestOf(factsOf(call, (await this.#parts.hostKeysOf(call.action)) ?? []));
    const before = this.#used.get(id) ?? 0;
    if (before >= call.terms.uses) return askDenial(call, 'gone');
    this.#used.set(id, before + 1);
    const result = await approvals.use(id, digest, call.charges).catch((error: unknown) => uncountable(call, error));
    if ('effect' in result) return result;
    if (result.kind !== 'used') this.#used.set(id, (this.#used.get(id) ?? 1) - 1);
    if (result.kind === 'short') return limited(result.short, result.retryAfterMs);
    if (result.kind === 'gone') return askDenial(call, 'gone');
    if (by === 'client') this.#accepted.add(keyOf({ id, digest }));
    const { used, uses } = result.approval;
    this.#parts.audit.note({ event: 'used', call_id: call.call.id, approval: id, by, uses: used, of: uses });
    return { id, ticket: result.ticket };
  }

  /** What was asked under another policy than the one in force is asked no longer, and no yes to it counts. */
  reloaded(): void {
    const was = this.#policy;
    const { policy, clock, store, log } = this.#parts;
    this.#policy = policy().digest;
    this.#since = clock.wallMs();
    store.approvals
      .endAll(was, 'The policy has changed.')
      .then(() => this.#tell())
      .catch((error: unknown) => log('warn', 'questions were not withdrawn', { error: String(error) }));
  }

  /** Asks, unless the same is asked already. */
  async #put(call: AskCall, more: { readonly facts: string; readonly host: string; readonly digest: string }) {
    const { grant, tool, input } = call.call;
    const why = typeof input.reason === 'string' ? input.reason.slice(0, 500) : '';
    const asking = { ...call.terms, grant, tool, policy: call.policy.digest, rule: call.because[0].rule, why, ...more };
    const result = await this.#parts.store.approvals
      .ask(asking, call.charges, this.#parts.limits)
      .catch((error: unknown) => uncountable(call, error));
    if ('effect' in result) return result;
    if (result.kind === 'short') return limited(result.short, result.retryAfterMs);
    return result.kind === 'enough' ? noRoom(result.reason, result.retryAfterMs) : result;
  }

  #begun({ call, because, terms, policy }: AskCall, { id, digest, host }: Approval): void {
    const { id: call_id, grant, tool } = call;
    const { by, approvers, expiresMs, ttlMs } = terms;
    const asked = { grant, tool, host, request: digest, by, approvers, expires_ms: expiresMs, because };
    this.#parts.audit.note({ event: 'asked', call_id, approval: id, ...asked, policy: policy.digest });
    for (const ms of [expiresMs, expiresMs + ttlMs])
      this.#parts.later(ms + POLL_MS, () => void this.#tell().catch(() => undefined));
  }

  /** Puts on record what ended without having been used. */
  async #tell(): Promise<void> {
    for (const { id: approval, stance, note } of await this.#parts.store.approvals.ended())
      this.#parts.audit.note({ event: 'expired', approval, how: stance, ...(note === undefined ? {} : { note }) });
  }

  #question(
    { call: { grant, tool }, because: [{ rule, reason }], policy, terms }: AskCall,
    { id, digest }: Approval,
    { leftMs, ...shown }: Pick<Question, 'lines' | 'gist' | 'host'> & { readonly leftMs: number },
  ): Question {
    const expires = { expiresAt: Math.floor(this.#parts.clock.wallMs() + leftMs), expiresInMs: Math.floor(leftMs) };
    return { id, grant, tool, ...shown, rule, reason, policy: policy.digest, digest, terms, ...expires };
  }

  /** Two calls that are the same at the same time are one question to the client too. */
  async #askClient(question: Question, { ask, signal }: Channel): Promise<ClientAnswer> {
    const key = keyOf(question);
    const other = this.#answering.get(key);
    if (other !== undefined) return await other;
    if (ask === undefined) return { kind: 'unable', why: '' };
    const shown = (): void => this.#parts.audit.note({ event: 'shown', approval: question.id, channel: 'client' });
    const answer = ask(question, signal, shown).finally(() => this.#answering.delete(key));
    this.#answering.set(key, answer);
    try {
      return await answer;
    } catch (error) {
      await this.#parts.store.approvals.end(question.id, 'withdrawn');
      throw error;
    }
  }

  async #answered(call: AskCall, question: Question, answer: ClientAnswer, signal: AbortSignal): Promise<Yes | Denial> {
    const { approvals } = this.#parts.store;
    const { id } = question;
    if (answer.kind === 'later' && !signal.aborted) return askDenial(call, 'later', { question });
    this.#parts.audit.note({ event: 'answered', approval: id, decision: answer.kind, by: 'client' });
    if (answer.kind === 'accepted' && !signal.aborted) return { id, terms: call.terms, by: 'client' };
    const stance = answer.kind === 'declined' ? 'declined' : answer.kind === 'silent' ? 'expired' : 'withdrawn';
    await approvals.end(id, stance);
    await this.#tell();
    if (signal.aborted) throw new Failure('CANCELLED', 'It was cancelled while somebody was asked.');
    return askDenial(call, answer.kind, { question, ...('why' in answer ? answer : {}) });
  }

  /** Waits until enough operators have said yes, one has said no, or the call has waited for as long as it may. */
  async #awaitOperators(
    call: AskCall,
    question: Question,
    { signal, progress, part, why }: Channel & { readonly why: string },
  ): Promise<Yes | Denial> {
    const { clock, store, policy, pause } = this.#parts;
    const begun = clock.monoMs();
    const patience = Math.min(
      PATIENCE_MS,
      typeof call.call.input.wait_ms === 'number' ? call.call.input.wait_ms : PATIENCE_MS,
    );
    for (;;) {
      const approval = await store.approvals.look(question.id);
      const outcome = standingOf(call, question, approval);
      if (outcome !== undefined) {
        await this.#tell();
        return outcome;
      }
      const by = await this.#heard(question, approval?.voices ?? []);
      if (by.length >= call.terms.approvers) return { id: question.id, terms: call.terms, by };
      if (policy().digest !== call.policy.digest) return askDenial(call, 'gone');
      if (signal.aborted) throw new Failure('CANCELLED', 'It was cancelled while somebody was asked.');
      if (clock.monoMs() - begun >= patience) return askDenial(call, 'required', { question, why, part });
      const left = countdown(approval?.leftMs ?? 0);
      progress(`waits for an operator's approval: sallyport approvals approve ${question.id} (${left} left)`);
      await pause(POLL_MS, signal);
    }
  }

  /** Those who verifiably said yes to this very question: its digest is ours, whatever the store says. */
  async #heard(question: Question, voices: readonly Voice[]): Promise<readonly Signer[]> {
    const { clock, approvers } = this.#parts;
    if (approvers === undefined || voices.length < question.terms.approvers) return [];
    const verified = (text: string, voice: Voice) => this.#verify(approvers, question.id, text, voice);
    return await trueVoices({ ...question, voices }, this.#since, verified, clock.wallMs());
  }

  /** Verifies a signature. One that is no yes is on record once; a yes stands for as long as its verifier says so. */
  async #verify({ verify }: Approvers, approval: string, text: string, voice: Voice): Promise<Signer | string> {
    const name = JSON.stringify([text, voice.principal, voice.signature]);
    const signer = this.#unbelieved.get(name) ?? (await verify(text, voice));
    if (typeof signer !== 'string' || this.#unbelieved.has(name)) return signer;
    if (this.#unbelieved.size >= MOST_UNBELIEVED) this.#unbelieved.clear();
    this.#unbelieved.set(name, signer);
    const by = [{ principal: voice.principal, key: voice.key }];
    this.#parts.audit.note({ event: 'answered', approval, decision: 'not believed', by, note: signer });
    this.#parts.log('warn', 'an approval is not believed', { approval, why: signer });
    return signer;
  }
}

const keyOf = ({ id, digest }: Pick<Question, 'id' | 'digest'>): string => `${id} ${digest}`;
