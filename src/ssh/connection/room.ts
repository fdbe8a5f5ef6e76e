import { type After, within } from '../timer.ts';
import type { Link, Prepared } from './link.ts';

/** How many sessions a host opened at once over one link; `more` when it was never refused one, so that there may be more. */
export type Room = { readonly sessions: number; readonly more: boolean };

/** sshd frees a session a moment after it says so: one refusal may be about one that was closed just now. */
const SETTLE_MS = 100;
const ANSWER_MS = 5_000;

type Means = { readonly pause: (ms: number) => Promise<void>; readonly after: After };

/**
 * Opens sessions that are asked for nothing, until the host refuses one (MaxSessions) or there are `most`, and closes them.
 * Undefined where the link opens no session ahead of a command, or dies over it, or the host gives no answer.
 */
export const measureRoom = async (
  link: Pick<Link, 'prepare' | 'isOpen'>,
  most: number,
  { pause, after }: Means,
): Promise<Room | undefined> => {
  const opened: Prepared[] = [];
  const refused = (sessions: number): Room | undefined =>
    link.isOpen() && sessions > 0 ? { sessions, more: false } : undefined;
  try {
    for (let refusals = 0; opened.length < most; ) {
      const asked = link.prepare?.();
      if (asked === undefined) return undefined;
      if (!(await within(after, ANSWER_MS, asked))) {
        void asked.then(late => late?.close());
        return undefined;
      }
      const session = await asked;
      if (session !== undefined) opened.push(session);
      else if (++refusals > 1 || !link.isOpen()) return refused(opened.length);
      else await pause(SETTLE_MS);
    }
    return { sessions: opened.length, more: true };
  } finally {
    for (const session of opened) session.close();
  }
};
