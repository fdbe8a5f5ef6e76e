import { describe, expect, test } from 'vitest';
import {
  compileCondition,
  type Finding,
  isOperator,
  OPERATOR_NAMES,
  valueProblem,
} from '../../src/policy/condition.ts';

const FINDINGS: Readonly<Record<string, Finding>> = { H: 'holds', F: 'fails', A: 'absent', x: 'mistyped' };

/** The arguments that every operator meets, in the order of the columns below. */
const ARGUMENTS: readonly unknown[] = ['b', '', 2, 0, true, false, null, ['b'], [], { b: 1 }, Number.NaN, Infinity];

// One letter for each argument, then one for none at all: H holds, F fails, A absent, x of a type that cannot be judged.
const TABLE: readonly [op: string, value: unknown, findings: string, none: string][] = [
  //                      b ''  2 0  t f  0 [b][]{} NaN ∞
  ['eq', 'b', /*        */ 'HF xx xx x xx x xx', 'A'],
  ['eq', 2, /*          */ 'xx HF xx x xx x xx', 'A'],
  ['eq', true, /*       */ 'xx xx HF x xx x xx', 'A'],
  ['neq', 'b', /*       */ 'FH xx xx x xx x xx', 'A'],
  ['neq', 2, /*         */ 'xx FH xx x xx x xx', 'A'],
  ['neq', true, /*      */ 'xx xx FH x xx x xx', 'A'],
  ['in', ['b', 'c'], /* */ 'HF xx xx x xx x xx', 'A'],
  ['in', [2, '2'], /*   */ 'FF HF xx x xx x xx', 'A'],
  ['in', [true], /*     */ 'xx xx HF x xx x xx', 'A'],
  ['not_in', ['b'], /*  */ 'FH xx xx x xx x xx', 'A'],
  ['not_in', [2, true], 'xx FH FH x xx x xx', 'A'],
  ['lt', 2, /*          */ 'xx FH xx x xx x xx', 'A'],
  ['lte', 2, /*         */ 'xx HH xx x xx x xx', 'A'],
  ['gt', 0, /*          */ 'xx HF xx x xx x xx', 'A'],
  ['gte', 0, /*         */ 'xx HH xx x xx x xx', 'A'],
  ['gte', 0.5, /*       */ 'xx HF xx x xx x xx', 'A'],
  ['regex', '^b', /*    */ 'HF xx xx x xx x xx', 'A'],
  ['regex', '', /*      */ 'HH xx xx x xx x xx', 'A'],
  ['contains', 'b', /*  */ 'HF xx xx x HF x xx', 'A'],
  ['contains', 'c', /*  */ 'FF xx xx x FF x xx', 'A'],
  ['contains', 2, /*    */ 'xx xx xx x xF x xx', 'A'],
  ['exists', true, /*   */ 'HH HH HH x HH H HH', 'F'],
  ['exists', undefined, 'HH HH HH x HH H HH', 'F'],
  ['exists', false, /*  */ 'FF FF FF x FF F FF', 'H'],
];

const find = (op: string, value: unknown, input: Readonly<Record<string, unknown>>, path = 'args.a'): Finding => {
  if (!isOperator(op)) throw new Error(op);
  return compileCondition({ path, op, value }).find(input);
};

describe('an operator meets every type', () => {
  test.each(TABLE)('%s %j', (op, value, findings, none) => {
    const wanted = [...findings.replaceAll(' ', ''), none].map(letter => FINDINGS[letter]);
    const found = [...ARGUMENTS.map(a => find(op, value, { a })), find(op, value, {})];
    expect(found).toEqual(wanted);
  });

  test('and the table knows them all', () => {
    expect(OPERATOR_NAMES).toEqual([...new Set(TABLE.map(([op]) => op))]);
  });
});

test.each([
  ['eq', undefined, 'must be a text, a number, true or false'],
  ['eq', null, 'must be a text, a number, true or false'],
  ['neq', [], 'must be a text, a number, true or false'],
  ['in', 'b', 'must be a list, not empty, of texts, numbers, true or false'],
  ['in', [], 'must be a list, not empty, of texts, numbers, true or false'],
  ['not_in', [null], 'must be a list, not empty, of texts, numbers, true or false'],
  ['lt', '2', 'must be a number'],
  ['gte', undefined, 'must be a number'],
  ['regex', 5, 'must be a text: a regular expression'],
  ['regex', 'x'.repeat(1001), 'must be at most 1000 characters long'],
  ['regex', '(a{1,30}b){1,30}'.repeat(60), 'is too large: its repetitions multiply'],
  ['contains', {}, 'must be a text, a number, true or false'],
  ['exists', 'yes', 'must be true or false'],
])('%s does not take %j', (op, value, problem) => {
  expect(isOperator(op) && valueProblem(op, value)).toBe(problem);
});

const RE2 = 'is not a regular expression of the linear kind (RE2, without look-around and back-references): ';
test.each([
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?<!a)b', 'invalid named capture: `(?<!a)b`'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ['(', 'missing closing ): `(`'],
  ['a**', 'invalid nested repetition operator: `**`'],
])('the pattern %s is refused with its reason', (pattern, reason) => {
  expect(valueProblem('regex', pattern)).toBe(RE2 + reason);
});

describe('a path', () => {
  test.each([
    ['args.a.b', { a: { b: 'x' } }, 'holds'],
    ['args.a.b', { a: {} }, 'absent'],
    ['args.a.b', {}, 'absent'],
    ['args.a.b', { a: undefined }, 'absent'],
    ['args.a.b', { a: 'x' }, 'mistyped'],
    ['args.a.length', { a: 'x' }, 'mistyped'],
    ['args.a.0', { a: ['x'] }, 'mistyped'],
    ['args.a.b', { a: null }, 'mistyped'],
    ['args.constructor', {}, 'absent'],
    ['args.a.toString', { a: {} }, 'absent'],
    ['args.__proto__', {}, 'absent'],
    ['args.a.__proto__.b', { a: { ['__proto__']: { b: 'x' } } }, 'holds'],
    ['args.a.b', { a: Object.create({ b: 'x' }) }, 'absent'],
  ])('%s of %j is %s', (path, input, finding) => {
    expect(find('eq', 'x', input, path)).toBe(finding);
  });

  test('that cannot be read is broken, not absent', () => {
    const input = {
      get a(): never {
        throw new Error('unreadable');
      },
    };
    expect(find('exists', true, input)).toBe('broken');
  });
});

test.each([
  ['a+', 'caab', 'holds'],
  ['^a+$', 'aa\n', 'fails'],
  ['(?i)RM', 'rm', 'holds'],
  ['^.$', '\u{1F600}', 'holds'],
  ['^(a+)+$', `${'a'.repeat(100_000)}!`, 'fails'],
])('the pattern %s runs in linear time and without anchors', (pattern, text, finding) => {
  expect(find('regex', pattern, { a: text })).toBe(finding);
});

test.each([
  ['eq', 'b', 'args.a is "b"'],
  ['not_in', ['b', 2], 'args.a is none of "b", 2'],
  ['lte', 5, 'args.a is at most 5'],
  ['regex', '^b$', 'args.a matches "^b$"'],
  ['exists', true, 'args.a is given'],
  ['exists', false, 'args.a is not given'],
  ['eq', 'b'.repeat(300), `args.a is "${'b'.repeat(119)}…`],
])('%s %j says what it means', (op, value, says) => {
  if (!isOperator(op)) throw new Error(op);
  expect(compileCondition({ path: 'args.a', op, value })).toMatchObject({ id: `args.a-${op}`, says });
});

test('a list that mixes types leaves contains in doubt, unless the element is there', () => {
  expect(find('contains', 'b', { a: ['a', 1, 'b'] })).toBe('holds');
  expect(find('contains', 'b', { a: ['a', 1] })).toBe('mistyped');
});
