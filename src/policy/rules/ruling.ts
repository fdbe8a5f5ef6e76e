import type { Program, Run } from '../../call.ts';
import { compileTerms, strictestTerms } from '../approval.ts';
import { type ApprovalTerms, type Because, type Denial, denial, type Obligations, type Reason } from '../decision.ts';
import type { Limit } from '../limit.ts';
import type { Rule } from './rule.ts';

/** What a judged action becomes: the program in its canonical form, the shortest timeout. */
export type Change = Partial<Pick<Run, 'program' | 'timeoutMs'>>;

/** What the rules answer to an action. */
export type Ruling =
  | {
      readonly effect: 'allow' | 'ask';
      readonly because: Because;
      readonly limits: readonly Limit[];
      readonly obligations: Obligations;
      readonly change: Change;
      /** How somebody is asked, where it is `ask`. */
      readonly terms?: ApprovalTerms;
    }
  | Denial;

/** No, by a rule that denies. */
export const deniedBy = (rule: Rule): Denial => denial(rule.at, rule.reason ?? `The rule ${rule.id} denies it.`);

/** No, because nothing grants it. */
export const ungranted = (why: string): Denial => denial('(no rule)', why);

/** No, because a rule asks for what nobody can be asked as it stands; `how` says what could be. */
export const unaskable = (rule: Rule, how: string): Denial =>
  denial(rule.at, `${asked(rule).reason} ${how}`, 'APPROVAL_UNAVAILABLE');

/** What decides, beside the rules that grant: those that ask, and those that deny what this may or may not be. */
export type Doubt = { readonly asking: ReadonlySet<Rule>; readonly doubtful: ReadonlySet<Rule> };

/** Yes, or ask, by all of the rules that grant it; each of them is obeyed, and counts. What runs is `program`, when it is not as sent. */
export const grantedBy = (
  action: Run,
  granting: ReadonlySet<Rule>,
  { asking, doubtful }: Doubt,
  program = action.program,
): Ruling => {
  if (granting.size === 1 && asking.size + doubtful.size === 0) return grantedByOne(action, granting, program);
  const asks = inOrder(new Set([...asking, ...[...granting].filter(({ effect }) => effect === 'ask')]));
  const rest = inOrder(granting).filter(rule => !asks.includes(rule));
  const reasons = [...asks.map(asked), ...inOrder(doubtful).map(doubted), ...rest.map(granted)];
  const [first = NOTHING, ...more] = reasons;
  const rules = [...asks, ...rest];
  const obligations = strictest(rules.map(rule => rule.obligations));
  const terms = [...asks.map(rule => rule.terms), ...(doubtful.size > 0 ? [compileTerms()] : [])];
  return {
    ...askedBy(terms),
    because: [first, ...more],
    limits: rules.flatMap(({ limits }) => limits),
    obligations,
    change: changeOf(action, program, obligations),
  };
};

/** The same for an action of which nothing is written anew. */
export const grantedAsAsked = (granting: ReadonlySet<Rule>, doubt: Doubt): Ruling => {
  const ruling = grantedBy(NO_RUN, granting, doubt);
  return ruling.effect === 'deny' ? ruling : { ...ruling, change: {} };
};

const NO_RUN = Object.freeze({
  kind: 'exec',
  target: { host: '', user: '', address: '', port: 22, tags: [] },
  program: { text: '' },
  env: {},
  timeoutMs: 0,
} as const satisfies Run);

/** The usual case, in fewer steps. */
const grantedByOne = (action: Run, granting: ReadonlySet<Rule>, program: Program): Ruling => {
  const [rule] = granting;
  if (rule === undefined) return ungranted(NOTHING.reason);
  const because: Because = [rule.effect === 'ask' ? asked(rule) : granted(rule)];
  const { limits, obligations } = rule;
  const effect = askedBy(rule.effect === 'ask' ? [rule.terms] : []);
  return { ...effect, because, limits, obligations, change: changeOf(action, program, obligations) };
};

const askedBy = (
  terms: readonly ApprovalTerms[],
): { readonly effect: 'allow' } | { readonly effect: 'ask'; readonly terms: ApprovalTerms } =>
  terms.length === 0 ? { effect: 'allow' } : { effect: 'ask', terms: strictestTerms(terms) };

const changeOf = ({ timeoutMs }: Run, program: Program, { timeoutMs: most = timeoutMs }: Obligations): Change => ({
  program,
  timeoutMs: Math.min(timeoutMs, most),
});

const NOTHING: Reason = Object.freeze({ rule: '(no rule)', reason: 'No rule restrains it.' });

const inOrder = (rules: ReadonlySet<Rule>): readonly Rule[] => [...rules].sort((a, b) => a.index - b.index);

const asked = ({ at, id, reason }: Rule): Reason => ({ rule: at, reason: reason ?? `The rule ${id} asks first.` });
const granted = ({ at, id, reason }: Rule): Reason => ({ rule: at, reason: reason ?? `The rule ${id} allows it.` });
const doubted = ({ at, id, reason }: Rule): Reason => ({
  rule: at,
  reason: `It may be what the rule ${id} denies${reason === undefined ? '.' : `: ${reason}`}`,
});

const strictest = (all: readonly Obligations[]): Obligations => {
  const timeoutMs = least(all.map(each => each.timeoutMs));
  const maxOutputBytes = least(all.map(each => each.maxOutputBytes));
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
  };
};

const least = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter(value => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};
