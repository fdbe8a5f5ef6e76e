import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { Failure } from '../errors.ts';
import { createServer, type Service } from './server.ts';

/** The longest line that a client may send. */
const MAX_LINE_BYTES = 10 * 1024 * 1024;

/** Serves both protocol eras on one pair of streams; `closed` resolves when the client has gone. */
export const serve = (
  service: Service,
  streams: { readonly stdin: Readable; readonly stdout: Writable },
): { readonly closed: Promise<void>; readonly close: () => Promise<void> } => {
  const wire = new StdioServerTransport(streams.stdin, streams.stdout, { maxBufferSize: MAX_LINE_BYTES });
  let gone: () => void = () => undefined;
  const closed = new Promise<void>(resolve => {
    gone = resolve;
  });
  streams.stdin.once('end', gone);
  streams.stdin.once('close', gone);
  streams.stdout.once('error', gone);
  const handle = serveStdio(() => createServer(service), {
    transport: attentive(wire, service, gone),
    onerror: error => service.log('debug', 'a message could not be served', { cause: error.message }),
  });
  return { closed, close: () => handle.close() };
};

/** The wire, with an ear: the SDK answers a malformed tools/call before any handler, so the gate hears of it here. */
const attentive = (wire: StdioServerTransport, service: Service, gone: () => void): Transport => ({
  start: async () => {
    await wire.start();
  },
  send: message => wire.send(message),
  close: () => wire.close(),
  set onmessage(deliver: NonNullable<Transport['onmessage']>) {
    wire.onmessage = message => {
      hearMalformed(message, service);
      deliver(message);
    };
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

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hearMalformed = (message: unknown, service: Service): void => {
  if (!isObject(message) || message.method !== 'tools/call') return;
  const { params } = message;
  const name = isObject(params) ? params.name : undefined;
  const given = isObject(params) ? (params.arguments ?? {}) : undefined;
  if (typeof name === 'string' && isObject(given)) return;
  const failure = new Failure('INVALID_INPUT', 'A tools/call needs a name and an object of arguments.');
  const tool = typeof name === 'string' ? name : '';
  service.house.gate.hear({ id: service.newCallId(), grant: service.grant, tool, arguments: [] }, failure);
};
