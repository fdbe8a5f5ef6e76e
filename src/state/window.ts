/** One reading of the clock: both clocks at the same moment, and the boot that the monotonic one belongs to. */
export type Now = { readonly monoMs: number; readonly wallMs: number; readonly bootId: string };

/** What was admitted in one bucket: `at` is its end by the monotonic clock, `wallAt` the same moment by the wall clock. */
export type Hit = { readonly id: string; readonly at: number; readonly wallAt: number; readonly amount: number };

/** A sliding log of admissions, quantised to a 64th of the window and rounded up, so that nothing expires early. */
export type Window = { readonly bootId: string; readonly hits: readonly Hit[] };

/** The empty window. */
export const emptyWindow = (now: Now): Window => ({ bootId: now.bootId, hits: [] });

/** One clock never runs behind its own past; a second is room for a bucket and for readings a moment apart. */
const BEHIND_MS = 1_000;
/** Where the monotonic clock passed more time than the wall clock by this much, one of them was changed. */
const DISAGREE_MS = 5_000;

const quantumMs = (windowMs: number): number => Math.ceil(windowMs / 64);

/**
 * The window as it stands now, in this boot's time, without what has expired. A hit of another boot, or one about which
 * the two clocks disagree, is aged by the wall clock, never below zero: once, and from then on like any other.
 * `moved` says that there was such a hit, and that the result must be kept even if nothing is added to it.
 */
export const settle = (window: Window, now: Now, windowMs: number): { window: Window; moved: boolean } => {
  const foreign = window.bootId !== now.bootId;
  const settled = window.hits.map(hit => (foreign || !trusted(hit, now, windowMs) ? rebased(hit, now) : hit));
  const moved = settled.some((hit, index) => hit !== window.hits[index]);
  return { window: { bootId: now.bootId, hits: settled.filter(hit => hit.at + windowMs > now.monoMs) }, moved };
};

const trusted = (hit: Hit, now: Now, windowMs: number): boolean => {
  const ageMs = now.monoMs - hit.at;
  return ageMs >= -quantumMs(windowMs) - BEHIND_MS && ageMs <= now.wallMs - hit.wallAt + DISAGREE_MS;
};

const rebased = (hit: Hit, now: Now): Hit => {
  const ageMs = Math.max(0, now.wallMs - hit.wallAt);
  return { ...hit, at: Math.ceil(now.monoMs - ageMs), wallAt: Math.ceil(now.wallMs - ageMs) };
};

/** How much of a settled window is taken. */
export const usedOf = (window: Window): number => window.hits.reduce((sum, hit) => sum + hit.amount, 0);

/** How long until a settled window has shed `excess`, in whole milliseconds: that long is enough, one less is not. */
export const waitMs = (window: Window, now: Now, windowMs: number, excess: number): number => {
  let left = excess;
  for (const hit of window.hits.toSorted((a, b) => a.at - b.at)) {
    left -= hit.amount;
    if (left <= 0) return Math.ceil(hit.at + windowMs - now.monoMs);
  }
  return windowMs;
};

/** Adds to the bucket of this moment, or begins it under `id`; says which bucket took it. */
export const addHit = (
  window: Window,
  now: Now,
  windowMs: number,
  amount: number,
  id: string,
): { window: Window; id: string } => {
  const quantum = quantumMs(windowMs);
  const at = Math.ceil(now.monoMs / quantum) * quantum;
  const found = window.hits.find(hit => hit.at === at);
  const hit = found ?? { id, at, wallAt: Math.ceil(now.wallMs + at - now.monoMs), amount: 0 };
  const others = window.hits.filter(other => other !== found);
  return { window: { ...window, hits: [...others, { ...hit, amount: hit.amount + amount }] }, id: hit.id };
};

/** Takes `amount` back out of one bucket, and out of no other: a bucket that has expired has nothing to give back. */
export const takeBack = (window: Window, id: string, amount: number): Window => ({
  ...window,
  hits: window.hits.flatMap(hit => {
    if (hit.id !== id) return [hit];
    return hit.amount > amount ? [{ ...hit, amount: hit.amount - amount }] : [];
  }),
});
