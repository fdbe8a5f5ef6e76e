import type { OpenHouse } from './house.ts';

/** A house that is opened by the first who needs it, once. */
export type LateHouse = {
  readonly open: () => Promise<OpenHouse>;
  /** The house when it is open; when it is just being opened, as soon as it is; undefined when nobody needed it. */
  readonly standing: () => Promise<OpenHouse | undefined>;
  /** What must be done at the very end, whatever came before. */
  readonly closeRecord: () => void;
  /** Never resolves; rejects when the house could not be opened. */
  readonly failed: Promise<never>;
};

/** Keeps the way to a house; `make` reads the files and wires the rooms. */
export const lateHouse = (make: () => Promise<OpenHouse>): LateHouse => {
  let house: OpenHouse | undefined;
  let opening: Promise<OpenHouse> | undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const open = (): Promise<OpenHouse> => {
    opening ??= make().then(made => {
      house = made;
      return made;
    });
    opening.catch(fail);
    return opening;
  };
  return {
    open,
    standing: async () => await opening,
    closeRecord: () => house?.audit.close(),
    failed,
  };
};
