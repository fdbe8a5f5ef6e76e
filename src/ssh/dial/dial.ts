import type { Clock, Log } from '../../call.ts';
import { Failure } from '../../errors.ts';
import { givingUpWith } from '../giving-up.ts';
import type { Host } from '../host.ts';
import { after } from '../timer.ts';
import { type Carry, connectThrough, type Hop, hopTo } from './carried.ts';
import { beyondSsh2, cancelled, explainDial, isTooManyTries, tooLate } from './dial-failure.ts';
import { connectTo, type Network } from './direct.ts';
import { type Dialled, type Handshake, handshakeWith, type Plan } from './handshake.ts';
import { HEARTBEAT, type Heartbeat, heartbeatEvery } from './heartbeat.ts';
import type { Pipe } from './pipe.ts';

/** What dialling needs from outside. */
export type Wires = Network & {
  readonly clock: Clock;
  readonly log: Log;
  /** For hosts that are reached by way of others; without it none of those is. */
  readonly carry?: Carry | undefined;
  /** For looking up the name, handshake and login together, unless the host has a time of its own; the hops before it have theirs. */
  readonly connectTimeoutMs: number;
  readonly heartbeat?: Heartbeat;
};

/**
 * Connects, checks the key, logs in, once each. Rejects with UNREACHABLE, AUTH_FAILED or CANCELLED, and with what befell the
 * hops on the way.
 */
export const dial = async (host: Host, plan: Plan, wires: Wires): Promise<Dialled> => {
  // ssh2 takes longer to load than the rest of the program: not before the first call that needs it.
  const { default: ssh2 } = await import('ssh2');
  if (plan.signal.aborted) throw cancelled(host);
  if (host.unreachable !== undefined) throw beyondSsh2(host, host.unreachable);
  const heartbeat = heartbeatEvery(host.aliveMs, wires.heartbeat ?? HEARTBEAT);
  for (let again = true; ; again = false) {
    const hop = await lastHop(host, plan.signal, wires);
    const handshake = handshakeWith(ssh2, host, plan, { ...wires, heartbeat });
    try {
      return await attempt(host, hop, handshake, plan.signal, wires);
    } catch (error) {
      // A hop that was gone already, unnoticed, carried nothing.
      const untouched = hop?.link.isOpen() === false && handshake.phase() === 'connecting';
      if (!again || !untouched || plan.signal.aborted) throw error;
    }
  }
};

const lastHop = async (host: Host, signal: AbortSignal, { carry, mayDial }: Wires): Promise<Hop | undefined> => {
  if (host.via === undefined) return undefined;
  if (carry === undefined) throw new Error('nothing carries connections through other hosts');
  return await hopTo(host, host.via, { carry, mayDial }, signal);
};

const attempt = async (
  host: Host,
  hop: Hop | undefined,
  handshake: Handshake,
  signal: AbortSignal,
  wires: Wires,
): Promise<Dialled> => {
  const timeoutMs = host.connectTimeoutMs ?? wires.connectTimeoutMs;
  const givingUp = givingUpWith(signal);
  const callOff = after(timeoutMs, givingUp.now);
  try {
    return await handshake.over(await pipeTo(host, hop, wires, givingUp.signal), givingUp.signal);
  } catch (error) {
    if (signal.aborted) throw cancelled(host);
    throw explain(host, givingUp.signal.aborted ? tooLate() : error, handshake, timeoutMs);
  } finally {
    callOff();
    givingUp.release();
  }
};

const pipeTo = async (host: Host, hop: Hop | undefined, wires: Wires, signal: AbortSignal): Promise<Pipe> =>
  hop === undefined ? await connectTo(host, wires, signal) : await connectThrough(host, hop, signal);

const explain = (host: Host, error: unknown, { phase, loginFailure }: Handshake, timeoutMs: number): Failure => {
  if (error instanceof Failure) return error;
  if (isTooManyTries(error)) {
    const mend = 'put the right login first, and name the keys that an agent may be asked for in "only"';
    return loginFailure(`The host broke off after too many tries (MaxAuthTries): ${mend}.`);
  }
  return explainDial(host, phase(), error, timeoutMs);
};
