import type { FileAccess } from '../../src/call.ts';
import type { Failure } from '../../src/errors.ts';
import type { FileLeave } from '../../src/gate/file-leave.ts';

/** What a transfer has asked a leave for, in its order: each access that was judged, and each sum of bytes that was charged. */
export type Asked =
  | { readonly access: FileAccess; readonly path: string; readonly own?: true }
  | { readonly bytes: number };

/**
 * A gate's leave for tests: refuses what `refusal` refuses, bars what `barred` bars, charges what `charge` lets through, and
 * remembers what it was asked.
 */
export const leaveOf = (
  refusal: FileLeave['refusal'] = () => undefined,
  charge: (bytes: number, total: number) => Promise<Failure | undefined> = async () => undefined,
  barred: FileLeave['barred'] = () => undefined,
): FileLeave & { readonly asked: readonly Asked[]; readonly bytes: number } => {
  const asked: Asked[] = [];
  let total = 0;
  return {
    asked,
    get bytes() {
      return total;
    },
    refusal: (access, path) => {
      asked.push({ access, path });
      return refusal(access, path);
    },
    barred: (access, path) => {
      asked.push({ access, path, own: true });
      return barred(access, path);
    },
    charge: async bytes => {
      asked.push({ bytes });
      const failure = await charge(bytes, total + bytes);
      if (failure !== undefined) throw failure;
      total += bytes;
    },
  };
};
