import * as z from 'zod';

/** The version of what is said on a control socket: one JSON object a line, requests one way and answers the other. */
export const VERSION = 1;
/** The longest request, in bytes. */
export const MAX_REQUEST_BYTES = 4_096;

const v = z.literal(VERSION);
const id = z.string().min(1).max(200);

/** What an operator may ask of a server: what is open, what goes on (in one thing, or that things begin and end), the end of one. */
export const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ v, op: z.literal('list') }),
  z.strictObject({ v, op: z.literal('watch'), id: id.optional() }),
  z.strictObject({ v, op: z.literal('end'), id }),
]);

/** A request as parsed. */
export type ControlRequest = z.output<typeof requestSchema>;

/** The JSON value of a line; undefined when it is none. */
export const parsedLine = (line: string): unknown => {
  try {
    const value: unknown = JSON.parse(line);
    return value;
  } catch {
    return undefined;
  }
};
