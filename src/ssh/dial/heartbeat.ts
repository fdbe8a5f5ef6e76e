/** How a dead peer is told from a slow one; milliseconds. */
export type Heartbeat = { readonly pingMs: number; readonly lookMs: number; readonly silentLooks: number };

/** A ping every 3 s, and ten seconds at most until a peer that sends nothing at all is given up. */
export const HEARTBEAT: Heartbeat = { pingMs: 3_000, lookMs: 1_000, silentLooks: 9 };

/** A ping more often than this serves nobody. */
const LEAST_MS = 100;

/** The same, in proportion to how often a host wants to be asked: more often, never more rarely. */
export const heartbeatEvery = (aliveMs: number | undefined, usual: Heartbeat): Heartbeat => {
  if (aliveMs === undefined || aliveMs <= 0 || aliveMs >= usual.pingMs) return usual;
  const pingMs = Math.min(Math.max(aliveMs, LEAST_MS), usual.pingMs);
  return { ...usual, pingMs, lookMs: Math.ceil((usual.lookMs * pingMs) / usual.pingMs) };
};

/**
 * Calls `dead` once when a number of looks in a row found no byte more received, while something else sends pings. Any byte counts
 * as life: on a slow line the answer to a ping waits behind megabytes of output, and ssh2's own count would end a
 * connection that works. Looks are counted, not time, so that a process that was stopped for a while hears first what
 * arrived meanwhile. Returns how to stop looking.
 */
export const watchSilence = (received: () => number, heartbeat: Heartbeat, dead: () => void): (() => void) => {
  let heard = received();
  let silent = 0;
  const timer = setInterval(() => {
    silent = received() === heard ? silent + 1 : 0;
    heard = received();
    if (silent < heartbeat.silentLooks) return;
    clearInterval(timer);
    dead();
  }, heartbeat.lookMs);
  timer.unref();
  return () => clearInterval(timer);
};
