import type { AuditRecord } from '../audit/record.ts';
import type { Action, Clock, Input, Program, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { decideAsIfReal } from '../policy/as-if-real.ts';
import { judgeTool, type Policy } from '../policy/decide.ts';
import type { Decision, Effect, Reason } from '../policy/decision.ts';
import { q } from '../shell/quote.ts';
import { didYouMean } from '../text/nearest.ts';
import { TOOLS } from '../tools/index.ts';
import type { House, Tool } from '../tools/tool.ts';
import { Admitted, dryHouse } from './dry-house.ts';
import { type Gate, gateOf, type Passed, passedBy } from './gates.ts';
import { type Verdict, verdictsOn } from './verdicts.ts';

/** A call as somebody would make it. */
export type Asked = { readonly tool: string; readonly args: Input; readonly grant: string };

/** What a policy answers to one call, and why: the decision object of the policy's reference, and the gates on the way. */
export type Explanation = {
  readonly decision: Effect;
  readonly code?: string;
  readonly rule: string;
  readonly reason: string;
  readonly retry_after_ms?: number;
  readonly policy: string;
  readonly gates: readonly Passed[];
  /** What the host would be given to run, once it is allowed: the canonical form where rules judge, otherwise as sent. */
  readonly runs?: string;
  /** What every rule says by itself, when the call came as far as the rules. */
  readonly rules?: readonly Verdict[];
  /** What the call takes of each limit. */
  readonly charges: readonly { readonly rule: string; readonly amount: number; readonly max: number }[];
};

/** Explains calls one after the other; their counters begin at nothing and go on from call to call. */
export type Explainer = {
  readonly explain: (asked: Asked) => Promise<Explanation>;
  /** What the audit would hold of them. */
  readonly records: readonly AuditRecord[];
};

type Parts = {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly target: (host: string) => Target;
  /** Where sessions run; unknown without it. */
  readonly session?: string | undefined;
  /** Who has added a host; persons configured all of them without it. */
  readonly addedBy?: (host: string) => string | undefined;
  /** Whether approvers are configured. */
  readonly hasApprovers?: boolean;
};

/** Makes one: calls go through the real gate, into a house without hosts. */
export const explainer = (parts: Parts): Explainer => {
  const { policy, clock, hasApprovers = false } = parts;
  const dry = dryHouse(parts);
  const explain = async (asked: Asked): Promise<Explanation> => {
    const tool = TOOLS.find(({ name }) => name === asked.tool);
    if (tool === undefined) return refusal(policy, 'tool', unknownTool(asked.tool));
    const { data: input } = tool.input.safeParse(asked.args);
    if (Object.hasOwn(asked.args, 'hosts')) return refusal(policy, 'arguments', oneAtATime());
    dry.forget();
    const failure = await serve(tool, asked, dry.house);
    const action = dry.action();
    const decision =
      action === undefined || input === undefined
        ? judgeTool(policy, asked.tool, input ?? asked.args)
        : decideAsIfReal(policy, { ...asked, id: CALL, input, action, at: clock.wallMs() }, {});
    const said = answer(policy, decision, askedOf(decision, failure, hasApprovers));
    const runs = said.decision === 'deny' ? {} : runsBy(decision);
    return { ...said, ...runs, ...(action === undefined ? {} : rulesOn(policy, action, clock.wallMs())) };
  };
  return { explain, records: dry.records };
};

const CALL = 'explain';

/** Nobody can be asked here; the real call is asked about where its client, or an operator, may answer. */
const askedOf = (
  decision: Decision | undefined,
  failure: Failure | undefined,
  hasApprovers: boolean,
): Failure | undefined =>
  decision?.effect === 'ask' &&
  failure?.code === 'APPROVAL_UNAVAILABLE' &&
  (hasApprovers || decision.terms.by === 'client')
    ? new Failure('APPROVAL_REQUIRED', failure.message)
    : failure;

const rulesOn = ({ book }: Policy, action: Action, at: number): Pick<Explanation, 'rules'> => {
  const rules = book === undefined ? undefined : verdictsOn(book, action, at);
  return rules === undefined ? {} : { rules };
};

const runsBy = (decision: Decision | undefined): Pick<Explanation, 'runs'> => {
  if (decision === undefined || decision.effect === 'deny' || !('program' in decision.action)) return {};
  return { runs: runsOf(decision.action.program) };
};

/** A program as a text: the words of a vector are quoted by the server. */
export const runsOf = (program: Program): string => {
  if ('canonical' in program) return program.canonical;
  return 'text' in program ? program.text : program.argv.map(q).join(' ');
};

/** Serves a call; the failure that it meets before the fleet, if there is one. */
const serve = async (tool: Tool, { args, grant }: Asked, house: House): Promise<Failure | undefined> => {
  const signal = new AbortController().signal;
  const caller = { id: CALL, grant, signal, progress: () => undefined, failureOf: rethrown };
  try {
    await tool.serve(args, caller, house);
  } catch (error) {
    if (error instanceof Admitted) return undefined;
    if (error instanceof Failure) return error;
    throw error;
  }
  return undefined;
};

/** The policy speaks first where it can be asked: what else is wrong with the call comes after it. */
const answer = (policy: Policy, decision: Decision | undefined, failure: Failure | undefined): Explanation => {
  if (
    decision === undefined ||
    (failure !== undefined && decision.effect === 'allow' && failure.details.rule === undefined)
  )
    return refusal(policy, 'arguments', failure ?? new Failure('INVALID_INPUT', 'The call names nothing to do.'));
  const [{ rule, reason }] = decision.because;
  const charges =
    decision.effect === 'deny' ? [] : decision.charges.map(({ rule, amount, max }) => ({ rule, amount, max }));
  const common = { policy: policy.digest, charges };
  if (decision.effect === 'deny')
    return { decision: 'deny', code: decision.code, rule, reason, ...common, gates: passedBy(gateOf(rule), 'deny') };
  if (failure === undefined) return { decision: 'allow', rule, reason, ...common, gates: passedBy(undefined, 'deny') };
  if (decision.effect === 'ask')
    return { decision: 'ask', code: failure.code, rule, reason, ...common, gates: passedBy('approval', 'ask') };
  const said = { ...saidBy(failure), code: failure.code };
  return { decision: 'deny', ...said, ...waitOf(failure), ...common, gates: passedBy(gateOf(said.rule), 'deny') };
};

const saidBy = ({ details, message }: Failure): Reason => ({
  rule: String(details.rule ?? '(arguments)'),
  reason: String(details.reason ?? message),
});

const waitOf = ({ details: { retry_after_ms: wait } }: Failure): { readonly retry_after_ms?: number } =>
  typeof wait === 'number' ? { retry_after_ms: wait } : {};

const refusal = (policy: Policy, gate: Gate, { code, message }: Failure): Explanation => ({
  decision: 'deny',
  code,
  rule: `(${gate})`,
  reason: message,
  policy: policy.digest,
  charges: [],
  gates: passedBy(gate, 'deny'),
});

const oneAtATime = (): Failure =>
  new Failure('INVALID_INPUT', 'Each of several hosts is judged by itself: ask about one of them, as host.');

const rethrown = (error: unknown): never => {
  throw error;
};

const unknownTool = (name: string): Failure => {
  const names = TOOLS.map(tool => tool.name);
  return new Failure('UNKNOWN_TOOL', `There is no tool ${JSON.stringify(name)}${didYouMean(name, names) || '.'}`);
};
