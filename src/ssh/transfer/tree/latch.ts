/** Counts what is not over yet. */
export type Latch = { readonly enter: () => void; readonly leave: () => void };

/** A latch that one has entered; `then` runs once, when the last one has left. */
export const latchOf = (then: () => void): Latch => {
  let inside = 1;
  return {
    enter: () => {
      inside += 1;
    },
    leave: () => {
      inside -= 1;
      if (inside === 0) then();
    },
  };
};
