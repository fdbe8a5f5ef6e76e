import type { Transfer } from '../../call.ts';
import { changedMeanwhile, type Job } from './job.ts';
import { type LocalPlace, localPlace, openLocal, tried } from './local-place.ts';
import { shownPath } from './path.ts';

/** What an upload of one file sends: a file of this machine, or a text. */
export type Source = {
  readonly size: number;
  /** Of a file: its real path, its mode and its times, which the copy gets; a text is not gone on with. */
  readonly file?: {
    readonly path: string;
    readonly mode: number;
    readonly times: { readonly accessedAt: number; readonly modifiedAt: number };
    readonly modifiedMs: number;
  };
  /** The bytes between two offsets, in buffers of `length` but for the last; fails when there are fewer. */
  readonly blocks: (from: number, to: number, length: number) => AsyncIterable<Buffer>;
  /** Throws when it is not what it was at the beginning. */
  readonly mustBeTheSame: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** An upload of one file or a text. */
export type ToHost = Extract<Transfer, { readonly from: object } | { readonly localPath: string }>;

/** Permission bits that are copied: never setuid, setgid or sticky. */
const COPIED_BITS = 0o777;
/** Read from the disk at a time: what one request carries, where that is not little. */
const READ_BYTES = 262_144;

/** Opens what an upload sends; LOCAL_DENIED and its like when it may not or cannot be read. */
export const openSource = async (job: Job, action: ToHost): Promise<Source> =>
  'from' in action ? textSource(action.from.content) : await fileSource(await localPlace(job.files, action.localPath));

const textSource = (content: string): Source => {
  const bytes = Buffer.from(content, 'utf8');
  return {
    size: bytes.length,
    blocks: async function* (from, to, length) {
      for (let at = from; at < to; at += length) yield bytes.subarray(at, Math.min(to, at + length));
    },
    mustBeTheSame: async () => undefined,
    close: async () => undefined,
  };
};

const fileSource = async (place: LocalPlace): Promise<Source> => {
  const { handle, stats } = await openLocal(place);
  const size = Number(stats.size);
  const changed = () => changedMeanwhile(`local_path ${shownPath(place.asked)}`);
  const read = async (at: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await tried(place, handle.read(buffer, 0, length, at));
    return buffer.subarray(0, bytesRead);
  };
  return {
    size,
    file: {
      path: place.path,
      mode: Number(stats.mode) & COPIED_BITS,
      times: { accessedAt: seconds(stats.atimeMs), modifiedAt: seconds(stats.mtimeMs) },
      modifiedMs: Number(stats.mtimeMs),
    },
    blocks: (from, to, length) =>
      readAhead(read, { from, to, length: length * Math.max(1, Math.floor(READ_BYTES / length)) }, length, changed),
    mustBeTheSame: async () => {
      const now = await tried(place, handle.stat({ bigint: true }));
      // What was only appended to is whole as far as it was copied.
      if (now.size < stats.size || (now.size === stats.size && now.mtimeNs !== stats.mtimeNs)) throw changed();
    },
    close: async () => await handle.close(),
  };
};

const seconds = (ms: bigint): number => Math.floor(Number(ms) / 1_000);

/** Reads one block while the one before is sent. */
async function* readAhead(
  read: (at: number, length: number) => Promise<Buffer>,
  { from, to, length }: { readonly from: number; readonly to: number; readonly length: number },
  piece: number,
  tooShort: () => Error,
): AsyncGenerator<Buffer> {
  let next = from < to ? read(from, Math.min(length, to - from)) : undefined;
  for (let at = from; next !== undefined; ) {
    const block: Buffer = await next;
    if (block.length === 0) throw tooShort();
    at += block.length;
    next = at < to ? read(at, Math.min(length, to - at)) : undefined;
    // One that nobody waits for any more fails for nobody.
    next?.catch(() => undefined);
    for (let cut = 0; cut < block.length; cut += piece) yield block.subarray(cut, cut + piece);
  }
}
