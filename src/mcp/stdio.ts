import type { Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Server, Transport } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { Failure } from '../errors.ts';
import { type Call, hearLine, type WireError, wireError } from './ear.ts';
import { Lines } from './lines.ts';
import { createServer, type Entry } from './server.ts';

/** The longest line that a client may send. */
const MAX_LINE_BYTES = 10 * 1024 * 1024;
const INVALID_PARAMS = -32602;
const INVALID_REQUEST = -32600;

/** A served connection. */
export type Served = {
  /** Resolves when the client has gone. */
  readonly closed: Promise<void>;
  /** Tells a client that wants to know that the tools are others now. */
  readonly toolsChanged: () => void;
  readonly close: () => Promise<void>;
};

/** Serves both protocol eras on one pair of streams. */
export const serve = (given: Entry, streams: { readonly stdin: Readable; readonly stdout: Writable }): Served => {
  let gone: () => void = () => undefined;
  const closed = new Promise<void>(resolve => {
    gone = resolve;
  });
  const opening = observed(given.open);
  const entry = { ...given, open: opening.open };
  const ear = attend(entry, error => void wire.send(error).catch(report));
  const lines = streams.stdin.pipe(new Lines(MAX_LINE_BYTES, { ...ear, ended: opening.settled }));
  lines.once('end', gone);
  streams.stdin.once('error', gone);
  streams.stdout.once('error', gone);
  const wire = new StdioServerTransport(lines, streams.stdout, { maxBufferSize: MAX_LINE_BYTES + 1 });
  const report = (error: Error): void => entry.log('debug', 'a message could not be served', { cause: error.message });
  const servers = new Set<Server>();
  const handle = serveStdio(
    () => {
      const server = createServer({ ...entry, taken: ear.taken });
      server.onclose = () => void servers.delete(server);
      servers.add(server);
      return server;
    },
    { transport: attentive(wire, ear.answered, gone), onerror: report },
  );
  const toolsChanged = (): void => {
    for (const server of servers) server.sendToolListChanged().catch(report);
  };
  return { closed, toolsChanged, close: () => handle.close() };
};

/** What waits for the house gets its answer before the end of stdin is handed on, and aborts what is in flight. */
const observed = (open: Entry['open']): { open: Entry['open']; settled: () => Promise<void> } => {
  let opening: Promise<unknown> = Promise.resolve();
  return {
    open: () => {
      const opened = open();
      opening = opened;
      return opened;
    },
    settled: async () => {
      await opening;
      await turn();
    },
  };
};

/**
 * Hears every tools/call: what no message could carry is answered here, and what the protocol library refuses by itself,
 * before any handler, is reported to the gate when that answer goes out.
 */
const attend = ({ open, log }: Entry, answer: (error: WireError) => void) => {
  const unheard = new Map<string | number | null, Call>();
  const hear = (call: Pick<Call, 'tool' | 'arguments'>, failure: Failure): void => {
    const report = (error: unknown): void => log('error', 'a refusal was not recorded', { error: String(error) });
    open().then(({ house, newCallId, grant }) => house.gate.hear({ id: newCallId(), grant, ...call }, failure), report);
  };
  return {
    look: (line: Buffer) => {
      const heard = hearLine(line);
      if (heard.kind === 'call') unheard.set(heard.call.id, heard.call);
      if (heard.kind !== 'malformed') return 'pass' as const;
      const { id, tool, arguments: names } = heard.call;
      hear({ tool, arguments: names }, heard.failure);
      answer(wireError(id, INVALID_PARAMS, heard.failure));
      return 'done' as const;
    },
    tooLong: (bytes: number) => {
      const failure = new Failure('INVALID_INPUT', `A line of ${bytes} bytes is longer than ${MAX_LINE_BYTES}.`, {
        next: 'Send less at once: a file by parts, a long text by stdin of several commands.',
      });
      log('warn', 'a line was too long and is passed over', { bytes });
      hear({ tool: '', arguments: [] }, failure);
      answer(wireError(null, INVALID_REQUEST, failure));
    },
    taken: (id: string | number) => void unheard.delete(id),
    answered: (id: string | number, failed: boolean) => {
      const call = unheard.get(id);
      unheard.delete(id);
      if (call === undefined || !failed) return;
      const { tool, arguments: names } = call;
      hear({ tool, arguments: names }, new Failure('INVALID_INPUT', 'The protocol refused the call.'));
    },
  };
};

/** The wire, with an ear for the answers that go out. */
const attentive = (
  wire: StdioServerTransport,
  answered: (id: string | number, failed: boolean) => void,
  gone: () => void,
): Transport => ({
  start: () => wire.start(),
  send: message => {
    if ('id' in message && message.id !== undefined && !('method' in message)) answered(message.id, 'error' in message);
    return wire.send(message);
  },
  close: () => wire.close(),
  set onmessage(deliver: NonNullable<Transport['onmessage']>) {
    wire.onmessage = deliver;
  },
  set onclose(close: () => void) {
    wire.onclose = () => {
      close();
      gone();
    };
  },
  set onerror(report: (error: Error) => void) {
    wire.onerror = report;
  },
});
