import type { RemoteFile } from '../../../src/ssh/sftp/sftp.ts';

/** A file whose requests are answered when a test says so, in any order. */
export type Held = RemoteFile & {
  /** The requests that wait for an answer, the oldest first. */
  readonly waiting: { readonly offset: number; readonly length: number; readonly answer: (error?: Error) => void }[];
  readonly content: Buffer;
};

/** One of some bytes; what is asked of it beside reading and writing does nothing. */
export const heldFile = (content: Buffer, { maxRead = 10, maxWrite = 10, window = 40 } = {}): Held => {
  const waiting: Held['waiting'] = [];
  const wait = <T>(offset: number, length: number, give: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const answer = (error?: Error): void => {
        waiting.splice(waiting.indexOf(request), 1);
        if (error === undefined) resolve(give());
        else reject(error);
      };
      const request = { offset, length, answer };
      waiting.push(request);
    });
  const readPieces: RemoteFile['readPieces'] = (offset, length) =>
    wait(offset, length, () => {
      const bytes = content.subarray(offset, offset + length);
      return bytes.length === 0 ? undefined : [bytes];
    });
  return {
    ...{ maxRead, maxWrite, window, readPieces, waiting, content },
    read: async (offset, length) => (await readPieces(offset, length))?.[0],
    write: (offset, bytes) => wait(offset, bytes.length, () => void bytes.copy(content, offset)),
    stat: async () => ({ kind: 'file', size: content.length }),
    change: async () => undefined,
    sync: async () => undefined,
    close: async () => undefined,
  };
};

/** Answers all that waits and all that is asked because of it, until nothing more is. */
export const answerAll = async (file: Held): Promise<void> => {
  for (let idle = 0; idle < 20; idle++) {
    if (file.waiting.length > 0) idle = 0;
    file.waiting[0]?.answer();
    await Promise.resolve();
  }
};

/** Everything that is due has happened. */
export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
