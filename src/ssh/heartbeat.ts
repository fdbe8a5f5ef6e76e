import type { Socket } from 'node:net';

/** How a dead peer is told from a slow one; milliseconds. */
export type Heartbeat = { readonly pingMs: number; readonly lookMs: number; readonly silentLooks: number };

/** A ping every 3 s, and ten seconds at most until a peer that sends nothing at all is given up. */
export const HEARTBEAT: Heartbeat = { pingMs: 3_000, lookMs: 1_000, silentLooks: 9 };

/**
 * Calls `dead` once when a number of looks in a row found no new byte, while something else sends pings. Any byte counts
 * as life: on a slow line the answer to a ping waits behind megabytes of output, and ssh2's own count would end a
 * connection that works. Looks are counted, not time, so that a process that was stopped for a while hears first what
 * arrived meanwhile. Returns how to stop looking.
 */
export const watchSilence = (socket: Socket, heartbeat: Heartbeat, dead: () => void): (() => void) => {
  let heard = socket.bytesRead;
  let silent = 0;
  const timer = setInterval(() => {
    silent = socket.bytesRead === heard ? silent + 1 : 0;
    heard = socket.bytesRead;
    if (silent < heartbeat.silentLooks) return;
    clearInterval(timer);
    dead();
  }, heartbeat.lookMs);
  timer.unref();
  return () => clearInterval(timer);
};
