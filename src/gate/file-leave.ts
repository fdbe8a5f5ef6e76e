import type { Audit } from '../audit/record.ts';
import type { Action, Call, Clock, FileAccess, Log, Transfer } from '../call.ts';
import type { Failure } from '../errors.ts';
import { barredFile, decideFile, forceOf, judgeTool, type Policy } from '../policy/decide.ts';
import { type Decision, type Denial, denial } from '../policy/decision.ts';
import type { FileRuling } from '../policy/rules/files.ts';
import { unasked } from '../policy/rules/transfer.ts';
import type { Store, Ticket } from '../state/store.ts';
import { Dues } from './dues.ts';
import type { OpenCall } from './open-call.ts';
import { refusal } from './refusal.ts';

/**
 * What a permit for files lets its holder ask of the gate while it works: what a path leads to is known only on the host. All
 * of it goes by the policy in force at that moment.
 */
export type FileLeave = {
  /**
   * Judges one access to a real path, absolute, in the form of `text/byte-name.ts`; the refusal, or undefined when it is granted. Nothing may
   * be done there before `charge` has resolved once after it.
   */
  readonly refusal: (access: FileAccess, path: string) => Failure | undefined;
  /** As `refusal`, but of what a rule denies alone: for a name of our own making, which no rule needs to grant. */
  readonly barred: (access: FileAccess, path: string) => Failure | undefined;
  /**
   * Takes what the rules that granted since the last time cost, and so many bytes from the limits that count `args.size`;
   * rejects with RATE_LIMITED, or as the gate does, and then those bytes must not move. To be asked for in steps of a few MiB, so that
   * what ends meanwhile (a time window, a timeout, a condition on `args.size`) is felt.
   */
  readonly charge: (bytes: number) => Promise<void>;
};

type Parts = {
  readonly policy: () => Policy;
  readonly store: Store;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
};

/** Accesses that are remembered, to be judged again: the newest. */
const MOST_KEPT = 10_000;
/** Refusals of one call that are recorded; the others are counted. */
const MOST_NOTED = 100;

type Granted = Exclude<Decision, Denial>;

/** The leave that comes with a permit for a transfer, kept by its open call to the end; undefined for any other action. */
export const leaveFor = (
  parts: Parts,
  call: Call<Action>,
  decision: Granted,
  open: OpenCall,
): FileLeave | undefined => {
  const { action } = call;
  if (action.kind !== 'transfer') return undefined;
  const leave = new Leave(parts, { ...call, action }, decision, open);
  open.keep(leave);
  return leave;
};

class Leave implements FileLeave {
  readonly #parts: Parts;
  readonly #call: Call<Transfer>;
  readonly #open: OpenCall;
  readonly #dues: Dues;
  /** The rules that somebody has agreed to. */
  readonly #agreed: ReadonlySet<string>;
  readonly #granted = new Map<string, { readonly access: FileAccess; readonly path: string }>();
  #forgotten: { readonly under: string } | undefined;
  /** Which rules were in force when all of that was judged. */
  #force: string;
  #refused = 0;

  constructor(parts: Parts, call: Call<Transfer>, decision: Granted, open: OpenCall) {
    this.#parts = parts;
    this.#call = call;
    this.#open = open;
    this.#dues = new Dues(parts, call, open, decision.charges);
    this.#agreed = new Set(decision.effect === 'ask' ? decision.because.map(({ rule }) => rule) : []);
    this.#force = forceOf(parts.policy(), call.action.target, parts.clock.wallMs());
  }

  readonly refusal = (access: FileAccess, path: string): Failure | undefined => {
    const policy = this.#parts.policy();
    const ruling = this.#judge(policy, this.#parts.clock.wallMs(), access, path);
    const denied = ruling.effect === 'deny' ? ruling : this.#dues.exceeded(0);
    if (denied !== undefined) return this.#refuse(denied, policy, { access, path });
    if (ruling.effect !== 'deny') this.#dues.owe(ruling.granting, access);
    this.#remember(access, path, policy);
    return this.#revoked();
  };

  readonly barred = (access: FileAccess, path: string): Failure | undefined => {
    const policy = this.#parts.policy();
    const denied = barredFile(policy, { ...this.#call, at: this.#parts.clock.wallMs() }, access, path);
    return denied === undefined ? this.#revoked() : this.#refuse(denied, policy, { access, path });
  };

  readonly charge = async (bytes: number): Promise<void> => {
    const policy = this.#parts.policy();
    const denied = this.#ended(policy, bytes) ?? (await this.#dues.pay(bytes));
    const revoked = this.#revoked();
    if (revoked !== undefined) throw revoked;
    if (denied !== undefined) throw this.#refuse(denied, policy, { bytes });
  };

  /** Judges again, as if it were asked now, whatever was granted so far: the first denial. */
  rejudge(policy: Policy, at: number): Denial | undefined {
    if (this.#forgotten !== undefined && this.#forgotten.under !== policy.digest) return TOO_MANY;
    for (const { access, path } of this.#granted.values()) {
      const ruling = this.#judge(policy, at, access, path);
      if (ruling.effect === 'deny') return ruling;
    }
    return undefined;
  }

  /** Takes no more; what is to be released now, and how much was refused. */
  over(): { readonly tickets: readonly Ticket[]; readonly refused: number } {
    return { tickets: this.#dues.close(), refused: this.#refused };
  }

  #judge(policy: Policy, at: number, access: FileAccess, path: string): FileRuling {
    const ruling = decideFile(policy, { ...this.#call, at }, access, path);
    return ruling.effect === 'ask' ? (unasked(ruling.asking, this.#call.action, path, this.#agreed) ?? ruling) : ruling;
  }

  /** Why no more bytes may move: what of the call, or of what it was granted, does not hold any more. */
  #ended(policy: Policy, bytes: number): Denial | undefined {
    const { tool, input, action } = this.#call;
    const size = Math.max(
      this.#dues.bytes + bytes,
      typeof input.content === 'string' ? Buffer.byteLength(input.content) : 0,
    );
    const denied = judgeTool(policy, tool, { ...input, size }) ?? this.#dues.exceeded(bytes);
    if (denied !== undefined) return denied;
    const at = this.#parts.clock.wallMs();
    const force = forceOf(policy, action.target, at);
    if (force === this.#force) return undefined;
    this.#force = force;
    return this.rejudge(policy, at);
  }

  #revoked(): Failure | undefined {
    const { revocation } = this.#open;
    return revocation === undefined ? undefined : refusal(revocation.denial, revocation.policy);
  }

  #remember(access: FileAccess, path: string, policy: Policy): void {
    const key = `${access} ${path}`;
    this.#granted.delete(key);
    this.#granted.set(key, { access, path });
    if (this.#granted.size <= MOST_KEPT) return;
    const [oldest] = this.#granted.keys();
    if (oldest !== undefined) this.#granted.delete(oldest);
    this.#forgotten ??= { under: policy.digest };
  }

  #refuse(
    denied: Denial,
    policy: Policy,
    what: { readonly access: FileAccess; readonly path: string } | { readonly bytes: number },
  ): Failure {
    const { id, grant, tool, action } = this.#call;
    const { host, user } = action.target;
    this.#refused += 1;
    if (this.#refused <= MOST_NOTED)
      this.#parts.audit.note({
        ...{ event: 'refused', call_id: id, grant, tool, code: denied.code, because: denied.because },
        ...{ action: { kind: 'transfer', host, user, ...what }, policy: policy.digest },
      });
    return refusal(denied, policy.digest);
  }
}

const TOO_MANY = denial(
  '(reload)',
  'The policy has changed, and this has touched more files than can be judged again: call again to go on.',
);
