import { randomBytes } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Clock } from '../../src/call.ts';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { manualClock } from '../support/clock.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

/** What one command line did. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Somebody with an empty home who types command lines; on a terminal when `tty` says so. */
export type Person = AsyncDisposable & {
  readonly home: TempFolder;
  readonly type: (...argv: readonly string[]) => Promise<Ran>;
  /** The same, with lines that are typed at prompts. */
  readonly answering: (answers: string, ...argv: readonly string[]) => Promise<Ran>;
};

type Circumstances = { readonly env?: Record<string, string>; readonly tty?: boolean; readonly clock?: Clock };

/** Makes one. Nothing of the real account is in reach. */
export const person = async ({ env = {}, tty = false, clock = manualClock() }: Circumstances = {}): Promise<Person> => {
  const home = await tempFolder('sallyport-cli-');
  const answering = async (answers: string, ...argv: readonly string[]): Promise<Ran> => {
    const written = { stdout: [] as string[], stderr: [] as string[] };
    const stdin = Object.assign(new PassThrough(), { isTTY: tty });
    stdin.end(answers);
    const io: Io = {
      stdout: { write: text => void written.stdout.push(text), isTTY: tty },
      stderr: { write: text => void written.stderr.push(text), isTTY: tty },
      streams: { stdin, stdout: new PassThrough() },
      env: { HOME: home.path, PATH: process.env.PATH, ...env },
      uid: process.getuid?.(),
      resolve: path => (isAbsolute(path) ? path : join(home.path, path)),
      clock,
      random: randomBytes,
      program: ['/usr/bin/node', '/opt/sallyport/dist/sallyport.js'],
      version: '1.2.3',
      node: '20.19.0',
      stopped: new AbortController().signal,
      flush: async () => undefined,
      atExit: () => undefined,
    };
    const code = await run(argv, io);
    return { code, stdout: written.stdout.join(''), stderr: written.stderr.join('') };
  };
  return {
    home,
    type: (...argv) => answering('', ...argv),
    answering,
    [Symbol.asyncDispose]: () => home.remove(),
  };
};
