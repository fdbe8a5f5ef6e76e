import { safeLine } from '../../text/safe.ts';
import type { Overseen } from '../overseer.ts';
import type { OpenTunnel } from './open-tunnel.ts';

/** A tunnel as the operator sees it. */
export const overseenTunnel = (
  tunnel: OpenTunnel,
  grant: string,
  openedMono: number,
  nowMs: () => number,
): Overseen => {
  const { direction, listenPort, to } = tunnel.view();
  return {
    ...{ id: tunnel.id, kind: 'tunnel', grant, host: tunnel.host },
    what: safeLine(`${direction} ${listenPort} to ${to.host}:${to.port}`, 500),
    look: () => {
      const { state, idleMs, connections, total, bytesOut, bytesIn } = tunnel.view();
      const progress = `${connections} of ${total} connections open, ${bytesOut} bytes out, ${bytesIn} back`;
      return { status: state, durationMs: nowMs() - openedMono, idleMs, progress, over: tunnel.over };
    },
    end: async () => {
      const outcome = tunnel.over ? 'already_ended' : 'confirmed';
      await tunnel.end('ended', 'The operator has ended it.');
      return { outcome, signals: [], remaining: [] };
    },
    ended: tunnel.ended.then(({ how }) => how),
  };
};
