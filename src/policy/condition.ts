import type { Input } from '../call.ts';
import { compilePattern } from './pattern.ts';

/** What a condition finds: `mistyped` is a value that its operator cannot judge, `broken` one that could not even be read. */
export type Finding = 'holds' | 'fails' | 'absent' | 'mistyped' | 'broken';

/** One compiled condition. */
export type Condition = {
  /** `args.amount-gt`: how rule ids name it. */
  readonly id: string;
  /** `args.amount is more than 600`. */
  readonly says: string;
  readonly find: (input: Input) => Finding;
};

type Judge = (actual: unknown) => Finding;

/** Makes the judge of one condition, or says what its `value` must be. */
type Operator = (value: unknown) => Judge | string;

const finding = (holds: boolean): Finding => (holds ? 'holds' : 'fails');

type Scalar = string | number | boolean;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'boolean' || isNumber(value);

const SCALAR = 'must be a text, a number, true or false';

const equal =
  (same: boolean): Operator =>
  value =>
    isScalar(value)
      ? actual =>
          isScalar(actual) && typeof actual === typeof value ? finding((actual === value) === same) : 'mistyped'
      : SCALAR;

const among =
  (included: boolean): Operator =>
  value => {
    if (!Array.isArray(value) || value.length === 0 || !value.every(isScalar))
      return 'must be a list, not empty, of texts, numbers, true or false';
    const list = new Set<unknown>(value);
    const kinds = new Set<string>(value.map(item => typeof item));
    return actual =>
      isScalar(actual) && kinds.has(typeof actual) ? finding(list.has(actual) === included) : 'mistyped';
  };

const compared =
  (compare: (actual: number, value: number) => boolean): Operator =>
  value =>
    isNumber(value) ? actual => (isNumber(actual) ? finding(compare(actual, value)) : 'mistyped') : 'must be a number';

const matches: Operator = value => {
  if (typeof value !== 'string') return 'must be a text: a regular expression';
  if (value.length > 1000) return 'must be at most 1000 characters long';
  const pattern = compilePattern(value);
  return typeof pattern === 'string'
    ? pattern
    : actual => (typeof actual === 'string' ? finding(pattern.test(actual)) : 'mistyped');
};

/** A text contains a text; a list contains an element, and elements of another kind leave the rest in doubt. */
const contains: Operator = value => {
  if (!isScalar(value)) return SCALAR;
  return actual => {
    if (typeof actual === 'string' && typeof value === 'string') return finding(actual.includes(value));
    if (!Array.isArray(actual)) return 'mistyped';
    if (actual.includes(value)) return 'holds';
    return actual.every(item => typeof item === typeof value) ? 'fails' : 'mistyped';
  };
};

const exists: Operator = value =>
  typeof value === 'boolean' || value === undefined
    ? actual => (actual === null ? 'mistyped' : finding((actual !== undefined) === (value ?? true)))
    : 'must be true or false';

const OPERATORS = {
  eq: { make: equal(true), word: 'is' },
  neq: { make: equal(false), word: 'is not' },
  in: { make: among(true), word: 'is one of' },
  not_in: { make: among(false), word: 'is none of' },
  lt: { make: compared((actual, value) => actual < value), word: 'is less than' },
  lte: { make: compared((actual, value) => actual <= value), word: 'is at most' },
  gt: { make: compared((actual, value) => actual > value), word: 'is more than' },
  gte: { make: compared((actual, value) => actual >= value), word: 'is at least' },
  regex: { make: matches, word: 'matches' },
  contains: { make: contains, word: 'contains' },
  exists: { make: exists, word: 'is given' },
} satisfies Record<string, { make: Operator; word: string }>;

/** The name of an operator. */
export type OperatorName = keyof typeof OPERATORS;

/** Whether the text names an operator. */
export const isOperator = (name: unknown): name is OperatorName =>
  typeof name === 'string' && Object.hasOwn(OPERATORS, name);

/** Every operator's name. */
export const OPERATOR_NAMES = Object.keys(OPERATORS).filter(isOperator);

/** What is wrong with an operator's value, or undefined when it can be judged by. */
export const valueProblem = (op: OperatorName, value: unknown): string | undefined => {
  const made = OPERATORS[op].make(value);
  return typeof made === 'string' ? made : undefined;
};

/** A path of argument names: `args.` and one or more names with dots between them. */
export const PATH = /^args(\.[^.]+)+$/;

/** Compiles a condition whose value `valueProblem` found nothing wrong with. */
export const compileCondition = (raw: { path: string; op: OperatorName; value?: unknown }): Condition => {
  const { make, word } = OPERATORS[raw.op];
  const judge = make(raw.value);
  if (typeof judge === 'string') throw new TypeError(`${raw.path} ${raw.op}: the value ${judge}`);
  const read = reader(raw.path);
  const find = (input: Input): Finding => {
    try {
      const at = read(input);
      return at === 'mistyped' ? at : at.value === undefined && raw.op !== 'exists' ? 'absent' : judge(at.value);
    } catch {
      return 'broken';
    }
  };
  const given = raw.op === 'exists' ? (raw.value === false ? 'is not given' : word) : `${word} ${shown(raw.value)}`;
  return Object.freeze({ id: `${raw.path}-${raw.op}`, says: `${raw.path} ${given}`, find });
};

/**
 * Reads the argument at a path: own members of objects only, `undefined` when there is none, `mistyped` when the way
 * leads through anything but objects.
 */
export const reader = (path: string): ((input: Input) => { readonly value: unknown } | 'mistyped') => {
  const steps = path.split('.').slice(1);
  return input => {
    let value: unknown = input;
    for (const step of steps) {
      if (value === undefined) break;
      if (!isObject(value)) return 'mistyped';
      value = Object.hasOwn(value, step) ? value[step] : undefined;
    }
    return { value };
  };
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => {
  const text = Array.isArray(value) ? value.map(item => JSON.stringify(item)).join(', ') : JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 120)}…`;
};
