import { Failure } from '../../errors.ts';
import type { Host } from '../host.ts';

/** Somebody closed the connection while this waited for it. */
export const closedMeanwhile = ({ name }: Host): Failure =>
  new Failure('CANCELLED', `The connection to ${name} was closed before it began.`);

/** The host has no room for another session, however often it is asked. */
export const full = ({ name }: Host, times: number): Failure =>
  new Failure('BUSY', `${name} refused ${times} times to open one more session (MaxSessions).`, {
    next: 'End something that runs there, or call again later.',
    details: { host: name },
  });

/** The host will never open one. */
export const closedDoor = ({ name, user }: Host): Failure =>
  new Failure('UNSUPPORTED', `${name} opens no sessions for ${user}: its sshd forbids it.`, {
    next: 'Ask the operator to allow sessions for this account.',
    details: { host: name },
  });

/** The host ends each connection too early. */
export const unsteady = ({ name }: Host): Failure =>
  new Failure('UNREACHABLE', `${name} drops each connection before a command can begin; nothing ran.`, {
    details: { host: name },
  });
