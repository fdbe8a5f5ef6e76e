/** Gives back what was taken; a second time does nothing. */
export type Release = () => void;

/** Room for so much at a time, given in the order in which it was asked for. */
export type Slots = {
  /** Waits for room; who asks for more than there is gets all of it. */
  readonly take: (weight?: number) => Promise<Release>;
  /** Room that is there now, or undefined. */
  readonly tryTake: () => Release | undefined;
};

/** Slots that weigh `room` together. */
export const slotsOf = (room: number): Slots => {
  let left = room;
  const waiting: { readonly weight: number; readonly go: (release: Release) => void }[] = [];
  const grant = (weight: number): Release => {
    left -= weight;
    let held = weight;
    return () => {
      left += held;
      held = 0;
      serve();
    };
  };
  const serve = (): void => {
    for (let next = waiting[0]; next !== undefined && next.weight <= left; next = waiting[0]) {
      waiting.shift();
      next.go(grant(next.weight));
    }
  };
  return {
    take: (weight = 1) =>
      new Promise(go => {
        waiting.push({ weight: Math.min(weight, room), go });
        serve();
      }),
    tryTake: () => (waiting.length === 0 && left >= 1 ? grant(1) : undefined),
  };
};
