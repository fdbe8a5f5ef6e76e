import * as z from 'zod';
import { unknownKey } from '../text/schema-problems.ts';

/** An object with these members only; those of `later` are named as what they are: promised, and not here yet. */
export const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape, later: readonly string[] = []) =>
  z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .map(key =>
              later.includes(key) ? 'is not available in this version' : unknownKey(key, Object.keys(shape)),
            )
            .join('\n')
        : undefined,
  });

/** Members by names of one form. A bad name hides no problem of its member, as a record's own check of its keys would. */
export const named = <Member extends z.ZodType>(isName: (text: string) => boolean, most: number, member: Member) =>
  z.record(z.string(), member).superRefine(
    (members, context) => {
      const message = `must be a name of letters, digits, ., _ and -, up to ${most}`;
      for (const name of Object.keys(members).filter(text => !isName(text)))
        context.addIssue({
          code: 'invalid_key',
          origin: 'record',
          issues: [{ code: 'custom', message, path: [] }],
          path: [name],
        });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );

/** A path as a file writes it. */
export const path = z.string().min(1);
