import { heard } from './heard.ts';
import { Pieces } from './pieces.ts';
import type { RemoteFile } from './sftp.ts';
import { waitsUntil } from './waits.ts';

/** From the first byte to the one behind the last; to the end of the file, wherever that is, without `to`. */
export type Span = { readonly from: number; readonly to?: number };

/**
 * Takes some bytes in the pieces in which they came, in the order of the file, none of them empty; they may be handed to
 * `writev` as they are. No more come before its promise has resolved.
 */
export type Sink = (pieces: readonly Buffer[]) => void | Promise<void>;

/** Where the end is not known, so many requests go first, and one more with each that was answered. */
const FIRST_AHEAD = 4;

/**
 * Reads a span of a file with many requests on their way, `file.window` bytes at most being in memory or asked for; gives the
 * offset behind the last byte, which is before `to` when the file ends there. Rejects as `RemoteFile.read` or the sink does,
 * and with CANCELLED when `signal` comes.
 */
export const pull = async (file: RemoteFile, { from, to }: Span, sink: Sink, signal?: AbortSignal): Promise<number> => {
  const waits = waitsUntil(signal);
  const slots = Math.max(1, Math.floor(file.window / file.maxRead));
  const ahead: Promise<Part>[] = [];
  let most = to === undefined ? Math.min(FIRST_AHEAD, slots) : slots;
  let next = from;
  let at = from;
  const askOn = (): void => {
    while (ahead.length < most && next < (to ?? Number.MAX_SAFE_INTEGER)) {
      const length = Math.min(file.maxRead, (to ?? Number.MAX_SAFE_INTEGER) - next);
      ahead.push(heard(readPart(file, next, length)));
      next += length;
    }
  };
  try {
    for (;;) {
      askOn();
      const first = ahead.shift();
      if (first === undefined) return at;
      const { pieces, length, isLast } = await waits.wait(first);
      if (length > 0) await waits.wait(sink(pieces));
      at += length;
      if (isLast) return at;
      most = Math.min(slots, most + 1);
    }
  } finally {
    waits.release();
  }
};

type Part = { readonly pieces: readonly Buffer[]; readonly length: number; readonly isLast: boolean };

/** Asks again for what a server left out: only the end of the file is one. */
const readPart = async (file: RemoteFile, offset: number, wanted: number): Promise<Part> => {
  const all = new Pieces();
  let length = 0;
  while (length < wanted) {
    const pieces = await file.readPieces(offset + length, wanted - length);
    if (pieces === undefined) return { pieces: all.all(), length, isLast: true };
    for (const piece of pieces) {
      all.add(piece, wanted - length);
      length += piece.length;
    }
  }
  return { pieces: all.all(), length, isLast: false };
};
