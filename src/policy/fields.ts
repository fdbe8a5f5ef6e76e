import * as z from 'zod';
import { strict } from '../text/schema-problems.ts';
import { isOperator, OPERATOR_NAMES, PATH, valueProblem } from './condition.ts';
import { windowMsOf } from './limit.ts';

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Runs although other members are wrong, so that every problem shows at once. */
export const ALWAYS = { when: () => true };

/** A sentence that an agent reads. */
export const sentence = z.string().min(1).max(1000);
const path = z.string().max(200).regex(PATH, 'must be "args." and names, such as args.timeout_ms');
/** A span of time: `minute`, `10m`. */
export const duration = z
  .string()
  .refine(
    text => windowMsOf(text) !== undefined,
    'must be minute, hour, day or a number with s, m, h or d, such as "10m", of at most 366 days',
  );

const fits = (condition: unknown, context: z.RefinementCtx): void => {
  if (!isObject(condition) || !isOperator(condition.op)) return;
  const problem = valueProblem(condition.op, condition.value);
  if (problem !== undefined) context.addIssue({ code: 'custom', path: ['value'], message: problem });
};

const members = { path, op: z.enum(OPERATOR_NAMES), value: z.json().optional() };
/** One condition. */
export const condition = strict(members).superRefine(fits, ALWAYS);
const bare = strict({ ...members, on_deny: sentence.optional() }).superRefine(fits, ALWAYS);
/** What refuses: conditions that stand together, or a bare one. */
export const denyIf = z.union([strict({ conditions: z.array(condition), on_deny: sentence.optional() }), bare]);
/** What must hold: as `denyIf`, and never nothing. */
export const required = z.union([
  strict({ conditions: z.array(condition).min(1), on_deny: sentence.optional() }),
  bare,
]);

const budget = {
  counter: z.string().min(1).max(100),
  window: duration.optional(),
  concurrent: z.literal(true).optional(),
  max: z.int().min(0),
  scope: z.enum(['grant', 'host', 'session', 'server']),
  on_deny: sentence.optional(),
};

const oneSpan = (limit: unknown, context: z.RefinementCtx): void => {
  if (!isObject(limit)) return;
  const timed = limit.window !== undefined;
  const concurrent = limit.concurrent !== undefined;
  if (timed === concurrent)
    context.addIssue({
      code: 'custom',
      message: timed ? 'has both a window and concurrent: give one' : 'has neither a window nor "concurrent": true',
    });
  if (concurrent && limit.increment_from !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['increment_from'],
      message: 'adds up within a window, and cannot go with concurrent',
    });
};

/** A limit. */
export const limit = strict({ ...budget, increment_from: path.optional() }).superRefine(oneSpan, ALWAYS);
/** A limit that counts calls, and no argument. */
export const fixedLimit = strict(budget).superRefine(oneSpan, ALWAYS);

const DAY_MS = 86_400_000;
const withinADay = duration.refine(text => (windowMsOf(text) ?? 0) <= DAY_MS, 'must be at most a day');

const oneVoice = (terms: unknown, context: z.RefinementCtx): void => {
  if (!isObject(terms) || terms.by !== 'client' || terms.approvers === undefined || terms.approvers === 1) return;
  context.addIssue({
    code: 'custom',
    path: ['approvers'],
    message: 'are operators: a client has one voice, so write "by": "operator"',
  });
};

/** How somebody is asked. */
export const approval = strict({
  by: z.enum(['client', 'operator']).optional(),
  approvers: z.int().min(1).max(10).optional(),
  expires: withinADay.optional(),
  uses: z.int().min(1).max(1000).optional(),
  ttl: withinADay.optional(),
}).superRefine(oneVoice, ALWAYS);
