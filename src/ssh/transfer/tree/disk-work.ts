/** One call of the file system; paths are bytes in Latin 1, for only strings are cheap to send. */
export type Ask =
  | { readonly what: 'open'; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly what: 'close' | 'fstat'; readonly fd: number }
  | { readonly what: 'look' | 'unlink'; readonly path: string }
  | { readonly what: 'rename'; readonly path: string; readonly to: string }
  | { readonly what: 'fchmod'; readonly fd: number; readonly mode: number }
  | { readonly what: 'futimes'; readonly fd: number; readonly accessedAt: number; readonly modifiedAt: number }
  | { readonly what: 'read'; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number }
  | { readonly what: 'write'; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number };

/** What a call gives: a descriptor or a count, what a look saw (`LOOKED`), or what was read. */
export type Given = number | readonly number[] | Uint8Array<ArrayBuffer> | undefined;

/** What an error of Node's says of itself: without a `syscall` it is a defect, and not the system's. */
export type Fault = { readonly message: string; readonly code?: string; readonly syscall?: string };

/** What became of the call of this number. */
export type Answer = { readonly id: number; readonly given: Given } | { readonly id: number; readonly fault: Fault };

/** What a look gives, in this order. */
export const LOOKED = ['dev', 'ino', 'mode', 'nlink', 'uid', 'size', 'atimeMs', 'mtimeMs'] as const;

// Both are sent to the thread as text, so that they refer to nothing outside themselves.

/** Makes one call, and waits for it. */
export const act = (fs: typeof import('node:fs'), ask: Ask, looked: typeof LOOKED): Given => {
  const bytesOf = (path: string): Buffer => Buffer.from(path, 'latin1');
  const lookOf = (stats: import('node:fs').Stats): readonly number[] => looked.map(name => stats[name]);
  switch (ask.what) {
    case 'open':
      return fs.openSync(bytesOf(ask.path), ask.flags, ask.mode);
    case 'close':
      fs.closeSync(ask.fd);
      return undefined;
    case 'fstat':
      return lookOf(fs.fstatSync(ask.fd));
    case 'look': {
      const stats = fs.lstatSync(bytesOf(ask.path), { throwIfNoEntry: false });
      return stats && lookOf(stats);
    }
    case 'unlink':
      fs.unlinkSync(bytesOf(ask.path));
      return undefined;
    case 'rename':
      fs.renameSync(bytesOf(ask.path), bytesOf(ask.to));
      return undefined;
    case 'fchmod':
      fs.fchmodSync(ask.fd, ask.mode);
      return undefined;
    case 'futimes':
      fs.futimesSync(ask.fd, ask.accessedAt, ask.modifiedAt);
      return undefined;
    case 'read':
      return ask.bytes.subarray(0, fs.readSync(ask.fd, ask.bytes, 0, ask.bytes.length, ask.at));
    case 'write':
      return fs.writeSync(ask.fd, ask.bytes, 0, ask.bytes.length, ask.at);
  }
};

/** Says that it is there, by an answer to nothing; makes the calls that come, in their order, and answers: what waits for a disk is this thread alone. */
export const serve = (port: import('node:worker_threads').MessagePort, made: (ask: Ask) => Given): void => {
  const faultOf = (error: unknown): Fault => {
    if (!(error instanceof Error)) return { message: String(error) };
    return {
      message: error.message,
      ...('code' in error ? { code: String(error.code) } : {}),
      ...('syscall' in error ? { syscall: String(error.syscall) } : {}),
    };
  };
  const answerTo = (id: number, ask: Ask): Answer => {
    try {
      return { id, given: made(ask) };
    } catch (error) {
      return { id, fault: faultOf(error) };
    }
  };
  port.on('message', (asked: readonly (readonly [number, Ask])[]) => {
    // The first are answered while the others are worked at.
    for (let at = 0; at < asked.length; at += 8)
      port.postMessage(asked.slice(at, at + 8).map(([id, ask]) => answerTo(id, ask)));
  });
  port.postMessage([]);
};
