import { Worker } from 'node:worker_threads';
import { type Answer, type Ask, act, type Fault, type Given, LOOKED, serve } from './disk-work.ts';
import type { Release } from './slots.ts';

const CODE = `
  const looked = ${JSON.stringify(LOOKED)};
  const fs = require('node:fs');
  const made = ask => (${act})(fs, ask, looked);
  (${serve})(require('node:worker_threads').parentPort, made);
`;

/** What a thread of little to keep needs at most; without a limit it may have as much as the process. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 };

/** A thread that makes calls of the file system, many of which go there and back together. */
class DiskThread {
  readonly #worker = new Worker(CODE, {
    eval: true,
    env: {},
    execArgv: [],
    resourceLimits: LIMITS,
    // What it opens belongs to who asked for it.
    trackUnmanagedFds: false,
  });
  readonly #waiting = new Map<
    number,
    { readonly resolve: (given: Given) => void; readonly reject: (why: Error) => void }
  >();
  #gathered: (readonly [number, Ask])[] = [];
  #id = 0;
  #state: 'begins' | 'runs' | 'over' = 'begins';

  constructor() {
    // It is not unreferenced: who waits for nothing but an answer must hear it before the process is over.
    this.#worker.once('message', () => {
      if (this.#state === 'begins') this.#state = 'runs';
    });
    this.#worker.on('message', (answers: readonly Answer[]) => answers.forEach(answer => void this.#settle(answer)));
    this.#worker.on('messageerror', () => this.end());
    this.#worker.on('error', () => this.end());
    this.#worker.on('exit', () => this.end());
  }

  /** Whether it takes calls: not at first, and not after its end. */
  get runs(): boolean {
    return this.#state === 'runs';
  }

  /** Makes a call; rejects with an error that has the `code` and the `syscall` of Node's own. */
  ask(ask: Ask): Promise<Given> {
    return new Promise((resolve, reject) => {
      this.#id += 1;
      this.#waiting.set(this.#id, { resolve, reject });
      this.#gathered.push([this.#id, ask]);
      if (this.#gathered.length === 1) setImmediate(() => this.#send());
    });
  }

  /** Ends it; what it has not answered rejects. */
  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    void this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(failed(ENDED));
    this.#waiting.clear();
  }

  #send(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    if (this.#state !== 'over')
      this.#worker.postMessage(
        gathered,
        gathered.flatMap(([, ask]) => carried(ask)),
      );
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('given' in answer) waiting?.resolve(answer.given);
    else waiting?.reject(failed(answer.fault));
  }
}

const carried = (ask: Ask): readonly ArrayBuffer[] => ('bytes' in ask ? [ask.bytes.buffer] : []);

const ENDED: Fault = { message: 'the thread has ended', code: 'EIO', syscall: 'thread' };

const failed = ({ message, ...rest }: Fault): Error => Object.assign(new Error(message), rest);

let thread: DiskThread | undefined;
let holders = 0;

/** The thread, while somebody holds it and it runs. */
export const diskThread = (): DiskThread | undefined => (thread?.runs === true ? thread : undefined);

/** Begins one, or none where the process may have no more of them: there is the pool. */
const begun = (begin: () => DiskThread): DiskThread | undefined => {
  try {
    return begin();
  } catch {
    return undefined;
  }
};

/** Keeps one thread for all who hold it, until the last has let go. */
export const holdDiskThread = (begin = (): DiskThread => new DiskThread()): Release => {
  thread ??= begun(begin);
  holders += 1;
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    holders -= 1;
    if (holders > 0) return;
    thread?.end();
    thread = undefined;
  };
};
