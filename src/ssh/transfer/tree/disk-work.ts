import type { MessagePort } from 'node:worker_threads';

/** One call of the file system; paths are bytes in Latin 1, for only strings are cheap to send. */
export type Ask =
  | { readonly what: 'open'; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly what: 'close' | 'fstat'; readonly fd: number }
  | { readonly what: 'lstat' | 'unlink'; readonly path: string }
  | { readonly what: 'rename'; readonly path: string; readonly to: string }
  | { readonly what: 'fchmod'; readonly fd: number; readonly mode: number }
  | { readonly what: 'futimes'; readonly fd: number; readonly accessedAt: number; readonly modifiedAt: number }
  | { readonly what: 'read'; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number }
  | { readonly what: 'write'; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number };

/** What a call gives: a descriptor or a count, what a look saw (`LOOKED`), or what was read. */
export type Given = number | readonly number[] | Uint8Array<ArrayBuffer> | undefined;

/** What became of the call of this number. */
export type Answer =
  | { readonly id: number; readonly given: Given }
  | { readonly id: number; readonly code: string; readonly message: string };

/** What a look gives, in this order. */
export const LOOKED = ['dev', 'ino', 'mode', 'nlink', 'uid', 'size', 'atimeMs', 'mtimeMs'] as const;

/**
 * Makes the calls that come, in their order, and answers. It is sent to the thread as text, so that it refers to nothing outside itself;
 * what waits for a disk there is this thread alone.
 */
export const serveDisk = (fs: typeof import('node:fs'), port: MessagePort, looked: typeof LOOKED): void => {
  const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1');
  const lookOf = (stats: import('node:fs').Stats): readonly number[] => looked.map(name => stats[name]);
  const act = (ask: Ask): Given => {
    switch (ask.what) {
      case 'open':
        return fs.openSync(bytesOf(ask.path), ask.flags, ask.mode);
      case 'close':
        return fs.closeSync(ask.fd);
      case 'fstat':
        return lookOf(fs.fstatSync(ask.fd));
      case 'lstat':
        return lookOf(fs.lstatSync(bytesOf(ask.path)));
      case 'unlink':
        return fs.unlinkSync(bytesOf(ask.path));
      case 'rename':
        return fs.renameSync(bytesOf(ask.path), bytesOf(ask.to));
      case 'fchmod':
        return fs.fchmodSync(ask.fd, ask.mode);
      case 'futimes':
        return fs.futimesSync(ask.fd, ask.accessedAt, ask.modifiedAt);
      case 'read':
        return ask.bytes.subarray(0, fs.readSync(ask.fd, ask.bytes, 0, ask.bytes.length, ask.at));
      case 'write':
        return fs.writeSync(ask.fd, ask.bytes, 0, ask.bytes.length, ask.at);
    }
  };
  const answerTo = (id: number, ask: Ask): Answer => {
    try {
      return { id, given: act(ask) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
      return { id, code, message: String(error) };
    }
  };
  port.on('message', (asked: readonly (readonly [number, Ask])[]) => {
    // The first are answered while the others are worked at.
    for (let at = 0; at < asked.length; at += 8)
      port.postMessage(asked.slice(at, at + 8).map(([id, ask]) => answerTo(id, ask)));
  });
};
