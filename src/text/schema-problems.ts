import * as z from 'zod';
import type { Problem } from '../errors.ts';
import { type JsonSource, type Path, pointerOf } from './json-source.ts';
import { didYouMean } from './nearest.ts';

/** An object with these members only; an unknown one is a problem of its own, which names the nearest. */
export const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => unknownKey(key, Object.keys(shape))).join('\n')
        : undefined,
  });

/** The sentence about a member that nothing reads. */
export const unknownKey = (key: string, known: readonly string[]): string =>
  `is not a known name${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`;

/** What a schema makes of a source: its output, or every problem with its place. */
export const check = <Schema extends z.ZodType>(
  source: JsonSource,
  schema: Schema,
): { readonly value: z.output<Schema> } | { readonly problems: readonly Problem[] } => {
  const result = schema.safeParse(source.value, { error: sentence });
  if (result.success) return { value: result.data };
  return { problems: withoutEchoes(result.error.issues).flatMap(issue => problemsOf(source, [], issue)) };
};

/** Of a value of the wrong type nothing more is said: its length, for one, means nothing. */
const withoutEchoes = (issues: readonly Issue[]): readonly Issue[] => {
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => pointerOf(path)));
  return issues.filter(({ code, path }) => code === 'invalid_type' || !mistyped.has(pointerOf(path)));
};

type Issue = z.core.$ZodIssue;

const problemsOf = (source: JsonSource, base: Path, issue: Issue): Problem[] => {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => source.problem([...path, key], messages[index] ?? issue.message, 'name'));
  }
  if (issue.code === 'invalid_key') return [source.problem(path, issue.issues[0]?.message ?? issue.message, 'name')];
  if (issue.code !== 'invalid_union') return [source.problem(path, issue.message)];
  const meant = issue.errors.toSorted((a, b) => strangeness(a) - strangeness(b) || a.length - b.length)[0] ?? [];
  return withoutEchoes(meant).flatMap(inner => problemsOf(source, path, inner));
};

/** How little an alternative looks like what was written: by its own members that are unknown or of another kind. */
const strangeness = (issues: readonly Issue[]): number =>
  issues
    .filter(issue => issue.path.length <= 1)
    .reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);

/** An issue in plain words, after the pointer: `must be …, and is …`. */
const sentence = (issue: z.core.$ZodRawIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return expected(NOUNS[issue.expected] ?? issue.expected, issue.input);
    case 'invalid_value':
      return expected(choice(issue.values), issue.input, issue.values.map(String));
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be at least ${issue.minimum}`
        : 'must not be empty';
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`;
    default:
      return undefined;
  }
};

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

const choice = (values: readonly unknown[]): string => {
  const texts = values.map(value => JSON.stringify(value));
  return texts.length <= 2 ? texts.join(' or ') : `one of ${texts.join(', ')}`;
};

const expected = (what: string, input: unknown, candidates: readonly string[] = []): string =>
  input === undefined
    ? `is missing; it must be ${what}`
    : `must be ${what}, and is ${shown(input)}${typeof input === 'string' ? didYouMean(input, candidates) : ''}`;

/** A value in a message: short ones as they stand, the rest by their kind. */
const shown = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
};
