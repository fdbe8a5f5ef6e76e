import { setImmediate as turn } from 'node:timers/promises';
import { serve as serveStdio } from '../mcp/stdio.ts';
import type { Request } from './commands.ts';
import { openHouse } from './house.ts';
import { EXIT, type Io } from './io.ts';
import { logTo } from './log.ts';

/** When the counters and the audit are opened if no call did so before: after the first answers, so that those wait for no disk. */
const WARM_UP_MS = 100;
/** A process is gone 100 ms after its client: what ending remote work, and handing over the last answers, may take of them. */
const SHUTDOWN_MS = 50;
const FLUSH_MS = 20;
/** A refusal is worth the wait for a slow disk: nothing was admitted yet, so nothing runs that must end. */
const OWED_MS = 1_000;

/** `serve`: MCP on stdin and stdout, until the client goes or a signal comes; then ends what was begun, and puts that on record. */
export const serve = async (io: Io, { options }: Request): Promise<number> => {
  const log = logTo(io, options.logLevel);
  const house = openHouse(io, options, log);
  io.atExit(() => house.audit.close());
  const wire = serveStdio(house.service, io.streams);
  const warming = setTimeout(() => void house.warmUp(), WARM_UP_MS);
  const why = await Promise.race([wire.closed.then(() => 'the client has gone'), signalled(io.stopped)]);
  clearTimeout(warming);
  log('info', 'stopping', { why });
  const answered = turn().then(() => io.flush());
  await Promise.all([
    house.fleet.shutdown(SHUTDOWN_MS),
    atMost(house.owes() ? OWED_MS : SHUTDOWN_MS, house.idle()),
    atMost(FLUSH_MS, answered),
  ]);
  await atMost(FLUSH_MS, house.close());
  return why === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
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
