import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '..', 'policy', 'cases');

/**
 * One call of a case. `at` is when it is made; without it, at the moment of the call before (the first: 2026-11-20T10:00:00Z).
 * `stays` says that what it begins is still running when the later calls come; otherwise it has ended by then.
 */
const callSchema = z.strictObject({
  tool: z.string(),
  /** Another agent's grant; `local` without it. */
  grant: z.string().optional(),
  /** The host that a handle in the arguments belongs to; `args.host` needs no mention. */
  host: z.string().optional(),
  args: z.record(z.string(), z.json()),
  at: z.iso.datetime().optional(),
  stays: z.literal(true).optional(),
  expect: z.strictObject({
    effect: z.enum(['allow', 'ask', 'deny']),
    code: z.enum(['POLICY_DENIED', 'RATE_LIMITED']).optional(),
    rule: z.string(),
    reason: z.string().optional(),
    /** The least and the most that the wait may be: doors differ in how late they notice the time. */
    retry_after_ms: z.tuple([z.int(), z.int()]).optional(),
  }),
  /** What the record says, as far as it says the same behind every door. `admitted` is about the gate, not about what came of the work. */
  audit: z.strictObject({
    event: z.enum(['admitted', 'refused']),
    tool: z.string(),
    code: z.enum(['POLICY_DENIED', 'RATE_LIMITED', 'APPROVAL_UNAVAILABLE']).optional(),
    rule: z.string(),
  }),
});

const caseSchema = z.strictObject({
  about: z.string(),
  /** Doors that can play the case; all three without it. A server refuses ill-typed arguments before the policy sees them. */
  doors: z.array(z.enum(['decide', 'server', 'cli'])).optional(),
  /** The document, or null for none. */
  policy: z.union([z.record(z.string(), z.json()), z.null()]),
  calls: z.array(callSchema).min(1),
});

/** A golden case and its name: `<subject>/<behaviour>`. */
export type Case = z.output<typeof caseSchema> & { readonly name: string };
export type CaseCall = z.output<typeof callSchema>;
export type Door = 'decide' | 'server' | 'cli';

/** When the first call of a case is made unless it says otherwise. */
export const CASE_START = Date.parse('2026-11-20T10:00:00Z');

/** Every golden case that a door can play, in order of their names. */
export const casesFor = (door: Door): readonly Case[] =>
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.json'))
    .sort()
    .map(path => load(join(FOLDER, path)))
    .filter(({ doors }) => doors === undefined || doors.includes(door));

const load = (path: string): Case => {
  const name = relative(FOLDER, path)
    .replaceAll('\\', '/')
    .replace(/\.json$/, '');
  const parsed = caseSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${name}: ${z.prettifyError(parsed.error)}`);
  return { name, ...parsed.data };
};
