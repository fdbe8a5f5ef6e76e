import { Flights } from './flights.ts';
import type { RemoteFile } from './sftp.ts';
import { waitsUntil } from './waits.ts';

/** Where to begin, over which other conversations (`openBeside`) the same file is open soon, and who is told how far all of it is written. */
export type Place = {
  readonly at: number;
  readonly beside?: Promise<readonly RemoteFile[]> | undefined;
  /** Every byte before the offset is written, says the server; behind it there may be gaps. */
  readonly written?: (offset: number) => void;
};

/** Buffers of any size, each left as it is from then on; they are cut into those of `file.maxWrite`, and never gathered. */
export type Source = AsyncIterable<Buffer> | Iterable<Buffer>;

/**
 * Writes what a source gives with many requests on their way, 4 MiB over each conversation at most; the source is asked for more when
 * there is room. Gives the offset behind the last byte once the server has said of each that it is written. Rejects as
 * `RemoteFile.write` or the source does, when nothing is on its way any more, and at once with CANCELLED when `signal` comes.
 */
export const push = async (file: RemoteFile, place: Place, source: Source, signal?: AbortSignal): Promise<number> => {
  const { at, beside, written } = place;
  const waits = waitsUntil(signal);
  const flights = new Flights(file, at, written);
  beside?.then(
    files => files.forEach(one => void flights.join(one)),
    () => undefined,
  );
  const parts = partsOf(source);
  try {
    for (;;) {
      const { done, value } = await waits.wait(parts.next());
      if (done === true) break;
      for (let cut = 0; cut < value.length; cut += file.maxWrite) {
        while (!flights.hasRoom) await waits.wait(flights.landed());
        flights.start(value.subarray(cut, cut + file.maxWrite));
      }
    }
    await waits.wait(flights.over());
    return flights.offset;
  } catch (error) {
    // A source that hangs would not let go of itself either: it is told, and not waited for.
    void parts.return?.().catch(() => undefined);
    if (signal?.aborted !== true) await flights.over().catch(() => undefined);
    throw error;
  } finally {
    waits.release();
  }
};

const partsOf = (source: Source): AsyncIterator<Buffer> =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : each(source)[Symbol.asyncIterator]();

async function* each(source: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* source;
}
