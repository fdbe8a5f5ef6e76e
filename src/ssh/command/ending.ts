import { Failure } from '../../errors.ts';
import type { Status } from './channel.ts';
import type { End, StopCause, StopReport } from './end.ts';

/** There was nothing left to stop. */
export const ALREADY_ENDED: StopReport = { outcome: 'already_ended', signals: [], remaining: [] };

/** It was stopped before it was sent. */
export const TAKEN_BACK: StopReport = { outcome: 'confirmed', signals: [], remaining: [] };

/** The end of a command that the host did not accept: taken back for `cause`, not sent, or with an unknown fate. */
export const unbegun = (why: Failure, cause: StopCause): End => {
  if (why.code === 'CONNECTION_LOST') return { how: 'lost', why };
  if (why.code === 'CANCELLED') return { how: cause, stop: TAKEN_BACK, unsent: true };
  return { how: 'lost', why, unsent: true };
};

/** The end that the host told of; `lost` when the channel closed without a word. */
export const natural = (status: Status, host: string): End => {
  if (status.how !== 'unknown') return status;
  const message = `The channel to ${host} closed without saying how the command ended.`;
  return { how: 'lost', why: new Failure('CONNECTION_LOST', message) };
};

/** Whether a program died of a signal that a stop sends: once one has begun, of the stop, whichever of its lookers is heard last. */
export const isOfStopping = (status: Status): boolean =>
  status.how === 'signalled' && /^SIG(?:INT|TERM|KILL)$/.test(status.signal);

/** The end of a program whose output is still held by what it left behind. */
export const held = (status: Status, host: string): End => {
  const end = natural(status, host);
  return end.how === 'exited' || end.how === 'signalled' ? { ...end, outputHeld: true } : end;
};

/** Whether this end leaves nothing of the command alive that a stop could still find. */
export const isProven = (end: End): boolean => {
  if (end.how === 'lost') return end.unsent === true;
  return 'stop' in end ? end.stop.outcome !== 'unconfirmed' : !isHeld(end);
};

/** Whether what the program left behind held its output when it ended. */
export const isHeld = (end: End | undefined): boolean =>
  end !== undefined && 'outputHeld' in end && end.outputHeld === true;
