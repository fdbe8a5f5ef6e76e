import type { LinkCaps } from '../caps.ts';
import type { After } from '../timer.ts';
import type { Carrier } from './carrier.ts';

type Means = {
  readonly after: After;
  readonly caps: LinkCaps;
  /** Those that are open, the oldest first. */
  readonly open: readonly Carrier[];
  /** Whether the last one is to stay though nothing runs. */
  readonly wanted: () => boolean;
};

/** Ends links that have carried nothing for long: looks again and again from `begin` on, until it is called off or none is open. */
export type IdleWatch = { readonly begin: () => void; readonly callOff: () => void };

/** A watch over the links to one host. */
export const createIdleWatch = ({ after, caps, open, wanted }: Means): IdleWatch => {
  const { idleLinkMs, idleConnectionMs } = caps;
  let callOff: (() => void) | undefined;
  // The newest go first: the oldest is filled first.
  const end = (): void => {
    for (const carrier of open.toReversed()) {
      const last = open.length === 1;
      if (last && wanted()) return;
      if (carrier.idleMs() >= (last ? idleConnectionMs : idleLinkMs)) carrier.link.end();
    }
  };
  const begin = (): void => {
    callOff ??= after(Math.min(idleLinkMs, idleConnectionMs), () => {
      callOff = undefined;
      end();
      if (open.length > 0) begin();
    });
  };
  return {
    begin,
    callOff: () => {
      callOff?.();
      callOff = undefined;
    },
  };
};
