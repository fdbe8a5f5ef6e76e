import * as z from 'zod';
import { VERSION } from './protocol.ts';

/** The longest answer, in bytes; a piece of output is far shorter. */
export const MAX_ANSWER_BYTES = 8_388_608;

const v = z.literal(VERSION);

/** One thing that is open: spans in milliseconds, all text safe to show. */
const openSchema = z.object({
  id: z.string(),
  kind: z.enum(['command', 'session', 'transfer', 'tunnel']),
  mode: z.enum(['managed', 'program', 'terminal']).optional(),
  session_id: z.string().optional(),
  detached: z.literal(true).optional(),
  grant: z.string(),
  host: z.string(),
  status: z.string(),
  what: z.string(),
  duration_ms: z.number(),
  idle_ms: z.number().optional(),
  cwd: z.string().optional(),
  running: z.string().optional(),
  last_output: z.string().optional(),
  progress: z.string().optional(),
});

/** One thing that is open. */
export type OpenThing = z.output<typeof openSchema>;

const serverSchema = z.object({ pid: z.number(), version: z.string(), grant: z.string() });
const connectionSchema = z.object({ host: z.string(), state: z.string(), channels: z.number() });

/** What a server answers; members that a newer one adds are passed over. */
export const answerSchema = z.discriminatedUnion('answer', [
  z.object({
    v,
    answer: z.literal('list'),
    server: serverSchema,
    connections: z.array(connectionSchema),
    open: z.array(openSchema),
  }),
  z.object({ v, answer: z.literal('output'), id: z.string(), text: z.string(), dropped: z.number().optional() }),
  z.object({ v, answer: z.enum(['open', 'began']), thing: openSchema }),
  z.object({ v, answer: z.literal('ended'), id: z.string(), status: z.string() }),
  z.object({
    v,
    answer: z.literal('stopped'),
    id: z.string(),
    outcome: z.enum(['confirmed', 'already_ended', 'unconfirmed']),
    signals: z.array(z.string()),
    remaining: z.array(z.object({ pid: z.number(), command: z.string() })),
    unlisted: z.number().optional(),
  }),
  z.object({ v, answer: z.literal('failed'), code: z.string(), message: z.string() }),
]);

/** An answer as parsed. */
export type ControlAnswer = z.output<typeof answerSchema>;
/** What a server says of itself and of all it has open. */
export type Listing = Extract<ControlAnswer, { answer: 'list' }>;
/** What became of a stop. */
export type StoppedAnswer = Extract<ControlAnswer, { answer: 'stopped' }>;
