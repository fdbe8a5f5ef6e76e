/** Acts once the signal comes, at once when it has come already; what it gives back lets go of a signal that lives longer. */
export const once = (signal: AbortSignal | undefined, act: () => void): (() => void) => {
  if (signal?.aborted === true) act();
  else signal?.addEventListener('abort', act, { once: true });
  return () => signal?.removeEventListener('abort', act);
};

/** One way to give up that several others lead to. */
export type GivingUp = {
  readonly signal: AbortSignal;
  readonly now: () => void;
  /** Lets go of the others: `AbortSignal.any` would stay known to a long-lived one for ever. */
  readonly release: () => void;
};

/** Gives up as soon as one of these does, or `now` is called. */
export const givingUpWith = (...others: readonly (AbortSignal | undefined)[]): GivingUp => {
  const abort = new AbortController();
  const now = (): void => abort.abort();
  for (const other of others) {
    if (other?.aborted === true) now();
    other?.addEventListener('abort', now, { once: true });
  }
  const release = (): void => {
    for (const other of others) other?.removeEventListener('abort', now);
  };
  return { signal: abort.signal, now, release };
};
