import { Failure } from '../errors.ts';
import type { Probe } from '../gate/request.ts';
import { failureObject } from './result.ts';

type Json = Record<string, unknown>;

/** A JSON-RPC error that we answer ourselves, because the protocol library would answer nothing. */
export type WireError = {
  readonly jsonrpc: '2.0';
  /** Not there when the request's own could not be read. */
  readonly id?: string | number;
  readonly error: { readonly code: number; readonly message: string; readonly data: Json };
};

/** A call on the wire that no handler has taken yet. */
export type Call = Pick<Probe, 'tool' | 'arguments'> & { readonly id: string | number | null };

/** What one line is, as far as calls are concerned. */
export type Heard =
  | { readonly kind: 'other' }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'malformed'; readonly call: Call; readonly failure: Failure };

const OTHER: Heard = { kind: 'other' };

/** Reads a line as a tools/call. One that the library would drop without an answer, or refuse unheard, is malformed. */
export const hearLine = (line: Buffer): Heard => {
  if (!line.includes('tools/call')) return OTHER;
  const message = parsed(line);
  if (!isObject(message) || message.method !== 'tools/call') return OTHER;
  const params = isObject(message.params) ? message.params : {};
  const given = 'arguments' in params ? params.arguments : {};
  const tool = typeof params.name === 'string' ? params.name : '';
  const id = typeof message.id === 'string' || typeof message.id === 'number' ? message.id : null;
  const call = { id, tool, arguments: isObject(given) ? Object.keys(given) : [] };
  const wrong = wrongWith(message, params, given);
  return wrong === undefined ? { kind: 'call', call } : { kind: 'malformed', call, failure: malformed(wrong) };
};

const wrongWith = (message: Json, params: Json, given: unknown): string | undefined => {
  const meta = params._meta ?? {};
  const token = isObject(meta) ? (meta.progressToken ?? '') : '';
  if (message.jsonrpc !== '2.0') return 'it is not JSON-RPC 2.0';
  if (typeof message.id !== 'string' && !Number.isInteger(message.id)) return 'its id is no text and no whole number';
  if (!isObject(message.params)) return 'its params are no object';
  if (typeof params.name !== 'string') return 'it names no tool';
  if (!isObject(given)) return 'its arguments are no object';
  if (!isObject(meta)) return 'its _meta is no object';
  if (typeof token !== 'string' && !Number.isInteger(token)) return 'its progressToken is no text and no whole number';
  return undefined;
};

const malformed = (wrong: string): Failure =>
  new Failure('INVALID_INPUT', `The call cannot be read: ${wrong}.`, {
    next: 'Send a tools/call as the protocol has it.',
  });

/** The answer to a line that is refused on the wire: invalid params, or a line that is no request at all. */
export const wireError = (id: string | number | null, code: number, failure: Failure): WireError => ({
  jsonrpc: '2.0',
  ...(id === null ? {} : { id }),
  error: { code, message: failure.text, data: { error: failureObject(failure) } },
});

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = (line: Buffer): unknown => {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined; // No message at all: the protocol library passes it over.
  }
};
