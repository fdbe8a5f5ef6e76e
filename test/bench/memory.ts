import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Capture, KEEP_BYTES } from '../../src/ssh/command/output.ts';
import { TerminalLine } from '../../src/ssh/terminal/terminal-line.ts';
import { TerminalScreen } from '../../src/ssh/terminal/terminal-screen.ts';
import { Redaction } from '../../src/text/redact.ts';
import { testFleet } from '../support/fleet.ts';
import type { Sshd } from '../support/sshd.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes of this process that are in use, garbage aside: buffers are let go of a turn after what held them. */
const inUse = async (): Promise<number> => {
  for (let round = 0; round < 4; round += 1) {
    collect();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** What each of so many things takes, in KiB; code and caches are there before. */
const each = async <T>(count: number, make: () => Promise<T> | T): Promise<number> => {
  for (let warm = 0; warm < 10; warm += 1) await make();
  const before = await inUse();
  const made: T[] = [];
  for (let at = 0; at < count; at += 1) made.push(await make());
  const kib = ((await inUse()) - before) / 1024 / count;
  return made.length === count ? kib : Number.NaN;
};

/** KiB that a managed session takes which has run a line, among so many of them. */
export const managedMemory = async (
  sshd: Sshd,
  counts: readonly number[],
): Promise<readonly (readonly [number, number])[]> => {
  const results: (readonly [number, number])[] = [];
  for (const count of counts) {
    const most = Math.max(...counts) + 20;
    using web = testFleet(await sshd.host(), { ...sshd, caps: { sessionsPerGrant: most, sessionsPerHost: most } });
    // What ended is kept for a while, as much of it as the caps say: the shelf is filled before.
    for (let at = 0; at < 64; at += 1) await web.run('true');
    results.push([
      count,
      await each(count, async () => {
        const opened = await web.open();
        await opened.send('export A=1');
        return opened;
      }),
    ]);
  }
  return results;
};

/** A screen of coloured words, as `top` draws one. */
const SCREEN = Buffer.from(
  Array.from({ length: 40 }, (_, row) => `\u001b[${row + 1};1H\u001b[3${row % 8}m${'word '.repeat(23)}`).join(''),
);
const SIZE = { cols: 120, rows: 40 } as const;

/** KiB that a terminal takes which has drawn a hundred screens, before anybody looks at it and after. */
export const terminalMemory = async (
  counts: readonly number[],
): Promise<readonly (readonly [number, number, number])[]> => {
  const line = (): { readonly line: TerminalLine; readonly kept: Capture; readonly screen: TerminalScreen } => {
    const line = new TerminalLine('\u0002nonce', SIZE);
    const kept = new Capture(Math.min(KEEP_BYTES, 262_144));
    line.receive(Buffer.from(`\u0002nonce /dev/pts/1 1\n`));
    for (let count = 0; count < 100; count += 1) kept.take(line.receive(SCREEN));
    return {
      line,
      kept,
      screen: new TerminalScreen(line, { after: () => () => undefined, redaction: new Redaction() }),
    };
  };
  const seen = async (): Promise<ReturnType<typeof line>> => {
    const made = line();
    await made.screen.read();
    return made;
  };
  const results: (readonly [number, number, number])[] = [];
  for (const count of counts) results.push([count, await each(count, line), await each(Math.min(count, 200), seen)]);
  return results;
};
