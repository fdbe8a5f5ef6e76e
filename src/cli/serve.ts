import { setImmediate as turn } from 'node:timers/promises';
import { serve as serveStdio } from '../mcp/stdio.ts';
import type { Request } from './commands.ts';
import type { OpenHouse } from './house.ts';
import { EXIT, type Io } from './io.ts';
import { lateHouse } from './late-house.ts';
import { logTo } from './log.ts';

/** When the house is opened if no request needed it before, and files are followed: after the first answer, which waits for no disk. */
const WARM_UP_MS = 100;
/** A process is gone 100 ms after its client: what ending remote work, and handing over the last answers, may take of them. */
const SHUTDOWN_MS = 50;
const FLUSH_MS = 20;
/** A refusal is worth the wait for a slow disk: nothing was admitted yet, so nothing runs that must end. */
const OWED_MS = 1_000;

/** `serve`: MCP on stdin and stdout, until the client goes or a signal comes; then ends what was begun, and puts that on record. */
export const serve = async (io: Io, { options }: Request): Promise<number> => {
  const log = logTo(io, options.logLevel);
  const late = lateHouse(async () => (await import('./house.ts')).openHouse(io, options, log));
  io.atExit(late.closeRecord);
  const wire = serveStdio({ version: io.version, open: async () => (await late.open()).service, log }, io.streams);
  let unfollow: () => void = () => undefined;
  const begin = async (): Promise<void> => {
    const house = await late.open();
    unfollow = house.follow(wire.toolsChanged);
    await Promise.all([house.warmUp(), house.openControl()]);
  };
  // What cannot be opened is told by `failed`.
  const warming = setTimeout(() => void begin().catch(() => undefined), WARM_UP_MS);
  // A client that asks for nothing still learns that a file is broken.
  const gone = wire.closed.then(() => late.open()).then(() => 'the client has gone');
  const why = await Promise.race([gone, signalled(io.stopped), late.failed]);
  clearTimeout(warming);
  unfollow();
  log('info', 'stopping', { why });
  await putDown(await late.standing(), io);
  return why === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
};

/** Ends remote work, hands over the last answers, and closes the record, in the time that an exit may take. */
const putDown = async (house: OpenHouse | undefined, io: Io): Promise<void> => {
  const answered = turn().then(() => io.flush());
  if (house === undefined) return await atMost(FLUSH_MS, answered);
  await Promise.all([
    house.fleet.shutdown(SHUTDOWN_MS),
    atMost(house.owes() ? OWED_MS : SHUTDOWN_MS, house.idle()),
    atMost(FLUSH_MS, answered),
  ]);
  await atMost(FLUSH_MS, house.close());
};

const signalled = (signal: AbortSignal): Promise<string> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(String(signal.reason));
    signal.addEventListener('abort', () => resolve(String(signal.reason)), { once: true });
  });

/** Waits for something that may fail or never come, and no longer. */
const atMost = (ms: number, work: Promise<unknown>): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
