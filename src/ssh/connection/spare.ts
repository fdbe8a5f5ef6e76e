import { unlessGivenUp } from '../given-up.ts';
import type { Link, Prepared } from './link.ts';

/** Below this round trip another one is not worth a channel. */
const WORTH_MS = 2;

/**
 * One session channel kept open ahead of the command that will use it, which then costs one round trip and not two. In return
 * nothing is learned before the request is sent: on a line that is dead and not known to be, its fate is unknown.
 */
export type Spare = {
  /** Opens one, unless there is one; does nothing once dropped. */
  readonly keep: () => void;
  /** Hands it over, if there is one or one is being opened; CANCELLED when `signal` comes first, and it stays. */
  readonly take: (signal: AbortSignal | undefined) => Promise<Prepared | undefined>;
  /** Closes it, and keeps none any more: the host has no session to spare. */
  readonly drop: () => void;
};

/** The spare of a link, where the round trip makes it worth it; what the host makes of it is no error. */
export const createSpare = (link: Link): Spare => {
  let wanted = link.prepare !== undefined && link.peer.roundTripMs >= WORTH_MS;
  let current: Promise<Prepared | undefined> | undefined;
  const prepare = async (): Promise<Prepared | undefined> => {
    const prepared = await link.prepare?.();
    if (prepared === undefined) wanted = false;
    if (!wanted) prepared?.close();
    return wanted ? prepared : undefined;
  };
  return {
    keep: () => {
      if (wanted) current ??= prepare();
    },
    take: async signal => {
      const taken = current;
      if (taken === undefined) return undefined;
      current = undefined;
      try {
        const prepared = await unlessGivenUp(taken, signal);
        if (prepared?.isOpen() === true) return prepared;
        prepared?.close();
        return undefined;
      } catch (error) {
        if (current === undefined) current = taken;
        else void taken.then(prepared => prepared?.close());
        throw error;
      }
    },
    drop: () => {
      wanted = false;
      void current?.then(prepared => prepared?.close());
      current = undefined;
    },
  };
};
