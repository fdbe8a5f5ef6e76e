import type { Action, Input, Open, Program, Target, Type } from '../../call.ts';
import { newSessionId } from '../../call.ts';
import type { Problem } from '../../errors.ts';
import type { JsonSource } from '../../text/json-source.ts';
import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import type { Policy } from '../policy.ts';
import type { ReadArguments } from '../tool-names.ts';
import { ungranted } from './ruling.ts';
import type { RawTest } from './schema.ts';

/** What a test came to. */
export type Outcome = {
  readonly passed: boolean;
  readonly expect: RawTest['expect'];
  readonly decision: RawTest['expect'];
  readonly rule: string;
  readonly reason: string;
};

/** When a test happens that names no time: the noon of a Monday, UTC. */
const NOON = Date.parse('2026-01-05T12:00:00Z');
const HOST = 'web-1';
const TIMEOUT_MS = 600_000;

/** The call of a test. */
export type TestCall = Omit<RawTest, 'expect' | 'rule'>;

/** What every test of a document comes to, in its order; each is judged by itself, with every limit untouched. */
export const runTests = (tests: readonly RawTest[], policy: Policy, read?: ReadArguments): readonly Outcome[] =>
  tests.map(test => outcomeOf(test, policy, read));

/** The tests that fail, as problems of the document. */
export const failedTests = (
  { tests = [] }: { readonly tests?: readonly RawTest[] | undefined },
  policy: Policy,
  source: JsonSource,
  read?: ReadArguments,
): readonly Problem[] =>
  runTests(tests, policy, read).flatMap(({ passed, expect, decision, rule, reason }, index) => {
    if (passed) return [];
    const wanted = tests[index]?.rule;
    const by = wanted === undefined ? '' : ` by ${wanted}`;
    return [source.problem(['tests', index], `should be ${expect}${by}, and is ${decision} by ${rule}: ${reason}`)];
  });

const outcomeOf = (test: RawTest, policy: Policy, read: ReadArguments | undefined): Outcome => {
  const { expect } = test;
  const decision = decisionOn(test, policy, read);
  const [{ rule, reason }] = decision.because;
  const passed =
    decision.effect === expect && (test.rule === undefined || decision.because.some(each => each.rule === test.rule));
  return { passed, expect, decision: decision.effect, rule, reason };
};

const asWritten: ReadArguments = (_tool, args, host) => ({ host, ...args });

/** What a policy decides about the call that a test describes, with every limit untouched; `read` makes its arguments those of a call. */
export const decisionOn = (test: TestCall, policy: Policy, read: ReadArguments = asWritten): Decision => {
  const { tool, at, args = {} } = test;
  const target = targetOf(test);
  const input = read(tool, args, target.host);
  const action = actionOf(test, input, target);
  const time = at === undefined ? NOON : Date.parse(at);
  const call = { id: 'test', grant: 'local', tool, input, action, at: time };
  const decision = decide(policy, call, 'target' in action ? { host: action.target.host } : {});
  if (decision.effect === 'deny' || policy.book === undefined || !isUnbuilt(test)) return decision;
  return ungranted(`This version of the server cannot do what the test asks of ${tool}, so no rule grants it.`);
};

const UNBUILT: ReadonlySet<string> = new Set(
  'ssh_upload ssh_download ssh_tunnel_start ssh_get_monitoring_url'.split(' '),
);

/** What rules would have to grant, and cannot yet. */
const isUnbuilt = ({ tool }: TestCall): boolean => UNBUILT.has(tool);

/** What a tool would declare for these arguments, as far as rules look at it. */
const actionOf = ({ tool, session }: TestCall, args: Input, target: Target): Action => {
  switch (tool) {
    case 'ssh_exec':
      return { kind: 'exec', target, program: programOf(args.command, args.argv), ...detailsOf(args) };
    case 'ssh_session_send':
      if (session !== undefined && session.mode !== 'managed') return typeAction(session, args, target);
      return { kind: 'exec', target, program: programOf(args.input, undefined), session: SESSION, ...detailsOf(args) };
    case 'ssh_session_start':
      return openAction(args, target);
    case 'ssh_host_add':
      return { kind: 'configure', change: 'add', target: newcomerOf(args, target), like: likeOf(args, target) };
    case 'ssh_host_remove':
      return { kind: 'configure', change: 'remove', target: { ...target, host: textOf(args.name) }, own: true };
    case 'ssh_connect':
      return { kind: 'connect', target };
    default:
      return { kind: 'observe', what: 'status' };
  }
};

const SESSION = newSessionId(bytes => Buffer.alloc(bytes));
const SIZE = { cols: 120, rows: 40 } as const;

const openAction = ({ mode, command, argv }: Input, target: Target): Open => {
  if (mode === 'terminal') return { kind: 'open', mode, target, size: SIZE };
  if (mode !== 'program') return { kind: 'open', mode: 'managed', target };
  const asked = programOf(command, argv);
  return { kind: 'open', mode, target, size: SIZE, program: asked, asked };
};

const typeAction = (
  { mode, command, argv }: NonNullable<RawTest['session']>,
  { input, keys }: Input,
  target: Target,
): Type => {
  const typed = {
    ...(typeof input === 'string' ? { text: input } : {}),
    ...(Array.isArray(keys) ? { keys: keys.map(String) } : {}),
  };
  const where = { kind: 'type', target, session: SESSION, typed } as const;
  return mode === 'program' ? { ...where, mode, asked: programOf(command, argv) } : { ...where, mode: 'terminal' };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const newcomerOf = ({ name, address, port, tags }: Input, { user }: Target): Target => ({
  ...{ host: textOf(name), user, address: textOf(address).toLowerCase() },
  port: typeof port === 'number' ? port : 22,
  tags: Array.isArray(tags) ? tags.map(String) : [],
});

const likeOf = ({ like }: Input, target: Target): Target => ({ ...target, host: textOf(like) });

const targetOf = ({ host, tags = [], user = '', args = {} }: TestCall): Target => {
  const name = host ?? (typeof args.host === 'string' ? args.host : HOST);
  return { host: name, user, address: name, port: 22, tags };
};

const programOf = (command: unknown, argv: unknown): Program => {
  const [first, ...rest] = Array.isArray(argv) ? argv.map(String) : [];
  return first === undefined ? { text: typeof command === 'string' ? command : '' } : { argv: [first, ...rest] };
};

const detailsOf = ({ cwd, env, stdin, detach, timeout_ms: timeout }: Input) => ({
  ...(typeof cwd === 'string' ? { cwd } : {}),
  env:
    typeof env === 'object' && env !== null
      ? Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]))
      : {},
  ...(typeof stdin === 'string' ? { stdin } : {}),
  ...(detach === true ? { detach: true as const } : {}),
  timeoutMs: typeof timeout === 'number' ? timeout : TIMEOUT_MS,
});
