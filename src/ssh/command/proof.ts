import { Failure } from '../../errors.ts';
import { PROBE, provesShell } from '../../shell/probe.ts';
import type { Connection, Peer } from '../connection/connection.ts';
import { unlessGivenUp } from '../given-up.ts';
import type { After } from '../timer.ts';
import { type Answer, ask } from './channel.ts';
import { launchText } from './launch.ts';
import type { Mark } from './mark.ts';

const DEADLINE_MS = 10_000;

/**
 * Resolves when the login shell behind a connection is known to pass canonical text on unchanged, behind the link with this
 * far side, or the one that is there or dialled now: two links may end at two machines. `giveUp` ends the waiting
 * of one caller. Rejects as `Connection.exec` does, and with `UNSUPPORTED` for a host that did not prove it, or `UNREACHABLE`
 * for one that was lost meanwhile: no command was sent then.
 */
export type Proofs = (connection: Connection, giveUp: AbortSignal, peer?: Peer) => Promise<void>;

type Means = { readonly newMark: () => Mark; readonly after: After; readonly halt: AbortSignal };

/** Has each link proved once, and again after it was dialled anew; what failed is tried again by the next command. */
export const createProofs = (means: Means): Proofs => {
  const proofs = new WeakMap<Peer, Promise<void>>();
  const begin = (connection: Connection, peer: Peer): Promise<void> => {
    const proof = prove(connection, peer, means);
    proofs.set(peer, proof);
    proof.catch(() => proofs.delete(peer));
    return proof;
  };
  return async (connection, giveUp, given) => {
    const peer = given ?? (await connection.ready({ signal: giveUp }));
    await unlessGivenUp(proofs.get(peer) ?? begin(connection, peer), giveUp);
  };
};

const prove = async (connection: Connection, peer: Peer, means: Means): Promise<void> => {
  // Its sshd splits and quotes by rules of its own before any shell reads the text.
  if (/windows/i.test(peer.server)) throw unfit(connection, `${peer.server} is no POSIX system`);
  const { status, stdout } = await answerOf(connection, peer, means);
  if (status.how === 'exited' && status.code === 0 && provesShell(stdout.toString('latin1'))) return;
  if (status.how === 'unknown' && !connection.reaches(peer)) throw lost(connection);
  throw unfit(connection, status.how === 'unknown' ? 'there was no whole answer' : 'the answer was not what was sent');
};

const answerOf = async (connection: Connection, peer: Peer, { newMark, after, halt }: Means): Promise<Answer> => {
  const text = launchText({ program: { canonical: PROBE }, env: {}, mark: newMark() }, 'other');
  try {
    return await ask(connection, { text, reserved: true, over: peer, deadlineMs: DEADLINE_MS, after, signal: halt });
  } catch (error) {
    if (!(error instanceof Failure) || halt.aborted) throw error;
    if (error.code === 'CANCELLED' && !connection.reaches(peer)) throw lost(connection);
    if (error.code !== 'CONNECTION_LOST') throw error;
    // What was lost is the question, not the command.
    throw connection.reaches(peer) ? unfit(connection, 'there was no answer') : lost(connection);
  }
};

const unfit = ({ host: { name, user } }: Connection, why: string): Failure =>
  new Failure(
    'UNSUPPORTED',
    `The login shell of ${user} on ${name} does not pass commands on unchanged (${why}), so no command that rules judge may run there; nothing was sent.`,
    {
      next: 'Ask the operator to give the account a POSIX login shell, such as /bin/sh or bash, whose startup files replace nothing.',
      details: { host: name },
    },
  );

const lost = ({ host: { name } }: Connection): Failure =>
  new Failure('UNREACHABLE', `${name} dropped the connection before the command was sent; nothing ran.`, {
    details: { host: name },
  });
