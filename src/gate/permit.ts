import type { Outcome } from '../audit/record.ts';
import type { Action, Call } from '../call.ts';
import type { Obligations } from '../policy/decision.ts';
import type { FileLeave } from './file-leave.ts';

/** What a permit comes with. */
export type Terms = {
  readonly obligations: Obligations;
  readonly revoked: AbortSignal;
  readonly files?: FileLeave | undefined;
};

const minted = new WeakSet<object>();

/** The gate's leave to do one judged action once; nobody but the gate can make one. */
export class Permit<A extends Action = Action> {
  readonly #call: Call<A>;
  readonly #obligations: Obligations;
  readonly #revoked: AbortSignal;
  readonly #files: FileLeave | undefined;
  #spent = false;
  #life: Promise<Outcome> | undefined;

  constructor(call: Call<A>, { obligations, revoked, files }: Terms, key: symbol) {
    if (key !== KEY) throw new Error('only the gate mints permits');
    this.#call = call;
    this.#obligations = obligations;
    this.#revoked = revoked;
    this.#files = files;
    minted.add(this);
  }

  /** Who may see and stop what comes of it. */
  get grant(): string {
    return this.#call.grant;
  }

  get callId(): string {
    return this.#call.id;
  }

  get obligations(): Obligations {
    return this.#obligations;
  }

  /** Aborted when a changed policy allows it no longer: what was not sent yet is given up, and what lives is ended. */
  get revoked(): AbortSignal {
    return this.#revoked;
  }

  /** The gate's answers about what a transfer meets on its way; a defect for any other action. */
  get files(): FileLeave {
    if (this.#files === undefined) throw new Error('this permit is not about files');
    return this.#files;
  }

  /** Gives back the action as judged, once; a second time is a defect. */
  spend(): A {
    if (this.#spent || !minted.has(this)) throw new Error('a permit is good for one action');
    this.#spent = true;
    return this.#call.action;
  }

  /** Says that the action lives on after the call, until `ended` settles; concurrent limits stay taken that long. */
  livesUntil(ended: Promise<Outcome>): void {
    this.#life = ended;
  }

  /** When what was permitted is over, or undefined when it ended with the call. */
  get life(): Promise<Outcome> | undefined {
    return this.#life;
  }
}

const KEY = Symbol('permit');

/** For `gate.ts` alone (`test/shape` holds everybody else off): a permit for a call that was judged, charged and recorded. */
export const mint = <A extends Action>(
  call: Call<A>,
  obligations: Obligations,
  revoked: AbortSignal = new AbortController().signal,
  files?: FileLeave,
): Permit<A> => new Permit(call, { obligations, revoked, files }, KEY);
