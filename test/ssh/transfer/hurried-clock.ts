import type { Clock } from '../../../src/call.ts';

/** A clock by which a second passes whenever somebody looks, so that every step of a transfer is told. */
export const hurriedClock = (): Clock => {
  let now = 0;
  return {
    bootId: 'boot-hurried',
    wallMs: () => now,
    monoMs: () => {
      now += 1_000;
      return now;
    },
  };
};

/** Acts when a transfer was told so many steps of a quarter of a mebibyte each, once. */
export const atStep = (step: number, act: () => void): ((message: string) => void) => {
  let steps = 0;
  return () => {
    steps += 1;
    if (steps === step) act();
  };
};
