import * as z from 'zod';

type Context = z.core.ParsePayload;

/** What was wrong, without the value: where a login is meant, a slip may hold the secret itself. */
const discreet = (issue: z.core.$ZodRawIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be a ${issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map(value => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return 'must not be empty';
    default:
      return undefined;
  }
};

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * One of several objects, told apart by the key that only it has: what is meant to be one of them keeps its own
 * problems, where a plain union would list those of all. Anything else gets the message, which never shows the value.
 */
export const oneOf = <Shape extends z.ZodType>(
  shapes: Readonly<Record<string, Shape>>,
  message: (value: unknown) => string,
) =>
  z.unknown().transform((value, context): z.output<Shape> => {
    const key = Object.keys(shapes).find(name => isObject(value) && Object.hasOwn(value, name));
    const shape = key === undefined ? undefined : shapes[key];
    if (shape !== undefined) return parseInto(shape, value, [], context);
    context.issues.push({ code: 'custom', message: message(value), input: undefined });
    return z.NEVER;
  });

/** One, or a list of at least one: always a list when parsed. */
export const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.unknown().transform((value, context): readonly [z.output<Item>, ...z.output<Item>[]] => {
    if (!Array.isArray(value)) return [parseInto(item, value, [], context)];
    const [first, ...rest]: readonly unknown[] = value;
    if (value.length > 0)
      return [
        parseInto(item, first, [0], context),
        ...rest.map((entry, index) => parseInto(item, entry, [index + 1], context)),
      ];
    context.issues.push({ code: 'custom', message: 'must not be empty', input: undefined });
    return z.NEVER;
  });

const parseInto = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  at: readonly number[],
  context: Context,
): z.output<S> => {
  const result = schema.safeParse(value, { error: discreet });
  if (result.success) return result.data;
  for (const { path, ...issue } of result.error.issues)
    context.issues.push({ ...issue, path: [...at, ...path], input: undefined });
  return z.NEVER;
};
