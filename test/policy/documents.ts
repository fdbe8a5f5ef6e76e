import fc from 'fast-check';
import type { Input } from '../../src/call.ts';

/** An object of a document, as JSON has it. */
export type Row = { [key: string]: unknown };
/** A call, as far as a document can tell calls apart. */
export type Subject = { tool: string; input: Input; host: string | undefined };

const TOOLS = ['ssh_exec', 'ssh_session_read', 'ssh_status'] as const;
const SESSIONS = ['ses_AAAAAAAAAAAAAAAAAAAAAA', 'ses_BBBBBBBBBBBBBBBBBBBBBA'];

const tool = fc.constantFrom(...TOOLS);
const path = fc.constantFrom('args.a', 'args.b', 'args.b.c', 'args.b.c.d', 'args.session_id', 'args.toString');
const scalar = fc.constantFrom<string | number | boolean>('', 'a', 'ab', '1', 0, 1, 1.5, -1, true, false);
const number = fc.constantFrom(-1, 0, 1, 1.5, 2);
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, undefined) },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.record({ c: fc.oneof(scalar, fc.record({ d: scalar })) }, { requiredKeys: [] }) },
);

/** Any condition, well typed. */
export const condition: fc.Arbitrary<Row> = fc.oneof(
  fc.record({ path, op: fc.constantFrom('eq', 'neq'), value: scalar }),
  fc.record({ path, op: fc.constantFrom('in', 'not_in'), value: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({ path, op: fc.constantFrom('lt', 'lte', 'gt', 'gte'), value: number }),
  fc.record({ path, op: fc.constant('regex'), value: fc.constantFrom('a', '^a$', 'b|1', '[ab]+', '^$', '(a)(b)?$') }),
  fc.record({ path, op: fc.constant('contains'), value: scalar }),
  fc.record({ path, op: fc.constant('exists'), value: fc.boolean() }),
  fc.record({ path, op: fc.constant('exists') }),
);
/** A group of at least so many conditions, or a bare one. */
export const grouped = (least: number): fc.Arbitrary<Row> =>
  fc.oneof(condition, fc.record({ conditions: fc.array(condition, { minLength: least, maxLength: 3 }) }));
/** A limit as `all_tools` may have it. */
export const fixedLimit: fc.Arbitrary<Row> = fc
  .tuple(
    fc.record({
      counter: fc.constantFrom('c', 'd', 'ssh_exec_rate', '","x'),
      max: fc.constantFrom(0, 1, 2, 5),
      scope: fc.constantFrom('grant', 'host', 'session', 'server'),
    }),
    fc.constantFrom(
      { window: 'minute' },
      { window: '1m' },
      { window: '60s' },
      { window: 'hour' },
      { concurrent: true },
    ),
  )
  .map(([budget, span]) => ({ ...budget, ...span }));
/** A limit as a tool may have it. */
export const limit = fc
  .tuple(fixedLimit, fc.option(path, { nil: undefined, freq: 3 }))
  .map(([one, from]) => (from === undefined || 'concurrent' in one ? one : { ...one, increment_from: from }));

const entry: fc.Arbitrary<Row> = fc.record(
  {
    action: fc.constantFrom('allow', 'allow', 'allow', 'deny', 'require_approval'),
    require: fc.array(grouped(1), { maxLength: 2 }),
    deny_if: fc.array(fc.oneof({ weight: 9, arbitrary: grouped(1) }, { weight: 1, arbitrary: grouped(0) }), {
      maxLength: 3,
    }),
    limits: fc.array(limit, { maxLength: 3 }),
    rate_limit: fc.record({ max: fc.constantFrom(0, 1, 3), window: fc.constantFrom(60, 3600) }),
    approval: fc.constant({}),
  },
  { requiredKeys: [] },
);
/** Any sound document over three tools. */
export const document: fc.Arbitrary<Row> = fc
  .tuple(
    fc.record({ default: fc.constantFrom('allow', 'deny'), tools: fc.dictionary(tool, entry, { maxKeys: 3 }) }),
    fc.record(
      {
        hide: fc.array(fc.constantFrom('ssh_exec', 'ssh_status', 'ssh_connect', '*'), { maxLength: 1 }),
        all_tools: fc.record({ limits: fc.array(fixedLimit, { maxLength: 2 }) }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([base, more]) => ({ version: '1', ...base, ...more, tools: { ...base.tools } }));
/** Any call of those tools, with odd values. */
export const subject: fc.Arbitrary<Subject> = fc.record({
  tool,
  input: fc.record({ a: value, b: value, session_id: fc.constantFrom(...SESSIONS) }, { requiredKeys: ['session_id'] }),
  host: fc.constantFrom(undefined, 'web-1', 'db-1'),
});
