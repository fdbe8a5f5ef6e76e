import type { Clock } from '../../src/call.ts';

/** A clock that stands until it is moved; both of its times move together unless only one is stepped. */
export type ManualClock = Clock & {
  /** Time passes. */
  readonly advance: (ms: number) => void;
  /** Somebody sets the wall clock; the monotonic one does not notice. */
  readonly step: (ms: number) => void;
};

/** A manual clock that begins at 2026-01-01T00:00:00Z with a monotonic time of one hour. */
export const manualClock = (start: { wallMs?: number; monoMs?: number; bootId?: string } = {}): ManualClock => {
  let wall = start.wallMs ?? Date.UTC(2026, 0, 1);
  let mono = start.monoMs ?? 3_600_000;
  return {
    bootId: start.bootId ?? 'boot-1',
    wallMs: () => wall,
    monoMs: () => mono,
    advance: ms => {
      wall += ms;
      mono += ms;
    },
    step: ms => {
      wall += ms;
    },
  };
};

/** The real time, with a fixed boot id. */
export const realClock: Clock = {
  bootId: 'boot-real',
  wallMs: () => Date.now(),
  monoMs: () => Number(process.hrtime.bigint()) / 1e6,
};
