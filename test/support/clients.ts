import { PassThrough } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import type { Entry } from '../../src/mcp/server.ts';
import { serve } from '../../src/mcp/stdio.ts';

/** A wire to a server of this process, for the clients of either SDK, and what went over it. */
export type Wire = {
  readonly transport: Transport;
  /** What the server sent, oldest first. */
  readonly received: readonly Json[];
  /** What the client sent. */
  readonly sent: readonly Json[];
  /** The client is gone from one moment to the next. */
  readonly cut: () => void;
};

type Json = Readonly<Record<string, unknown>>;

/** Serves an entry on two streams as stdio does; `opening` is the revision that the client's handshake is made to name. */
export const wireTo = (entry: Entry, opening?: string): Wire => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const served = serve(entry, { stdin, stdout });
  const [received, sent]: [Json[], Json[]] = [[], []];
  const transport: Transport = {
    start: async () => {
      let rest = '';
      stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const message: JSONRPCMessage & Json = JSON.parse(line);
          received.push(message);
          transport.onmessage?.(message);
        }
      });
    },
    send: async message => {
      const told = opening === undefined ? { ...message } : namingRevision({ ...message }, opening);
      sent.push(told);
      // What is sent over a wire that is cut is lost.
      if (!stdin.writableEnded) stdin.write(`${JSON.stringify(told)}\n`);
    },
    close: async () => {
      stdin.end();
      await served.close();
      transport.onclose?.();
    },
  };
  return { transport, received, sent, cut: () => stdin.end() };
};

const namingRevision = (message: Json, protocolVersion: string): Json =>
  message.method === 'initialize' && typeof message.params === 'object'
    ? { ...message, params: { ...message.params, protocolVersion } }
    : message;
