import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Env } from '../config/paths.ts';
import { realClock } from './clock.ts';
import { Environment, EXIT, type Io } from './io.ts';

const FAILED = 70;

/** This process as an `Io`. Taken once, before anything else is loaded: from then on nothing but data reaches stdout. */
export const takeProcess = (entry: string): Io => {
  const write = process.stdout.write.bind(process.stdout);
  // A library that prints would break the protocol; what it says belongs to the operator.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
  const stdout = new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, _encoding, done) => {
      write(chunk, done);
    },
  });
  stdout.on('error', ignore);
  // Node says on stderr that its SQLite is experimental, at each start: nothing that an operator could act on.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    if (name !== 'ExperimentalWarning') process.stderr.write(`sallyport: ${name}: ${message}\n`);
  });
  process.on('uncaughtException', error => {
    process.stderr.write(`sallyport: a defect: ${error.stack ?? String(error)}\n`);
    process.exit(FAILED);
  });
  return ioOf(entry, stdout);
};

/** Where compiled code may be kept: in the user's own cache folder, where nobody else can plant any. */
export const cacheFolder = ({ XDG_CACHE_HOME: base = '', HOME: home = '' }: Env): string | undefined => {
  if (isAbsolute(base)) return join(base, 'sallyport');
  return isAbsolute(home) ? join(home, '.cache', 'sallyport') : undefined;
};

const ioOf = (entry: string, stdout: Writable): Io => ({
  stdout: { write: text => void stdout.write(text), isTTY: process.stdout.isTTY === true },
  stderr: { write: text => void process.stderr.write(text), isTTY: process.stderr.isTTY === true },
  streams: { stdin: process.stdin, stdout },
  env: process.env,
  uid: process.getuid?.(),
  resolve: path => resolve(path),
  clock: realClock(),
  random: randomBytes,
  program: [process.execPath, realpathSync(fileURLToPath(entry))],
  version: versionFrom(new URL('../package.json', entry)),
  node: process.versions.node,
  stopped: stopSignal(),
  flush: async () => {
    await Promise.all([flushed(stdout), flushed(process.stderr)]);
    // A reader that went away had enough; a disk that is full lost what was asked for.
    const { errored } = stdout;
    if (errored !== null && !('code' in errored && errored.code === 'EPIPE'))
      throw new Environment(`stdout cannot be written to: ${errored.message}.`);
  },
  atExit: act => void process.on('exit', act),
});

/** Aborted by the first signal that asks us to stop; a second one ends the process at once. */
const stopSignal = (): AbortSignal => {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(EXIT.interrupted);
      stop.abort(name);
    });
  return stop.signal;
};

const versionFrom = (url: URL): string => {
  const parsed: unknown = JSON.parse(readFileSync(url, 'utf8'));
  const isPackage = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return isPackage ? String(parsed.version) : 'unknown';
};

const flushed = (stream: Writable): Promise<void> => new Promise(done => void stream.write('', () => done()));

const ignore = (): void => undefined;
