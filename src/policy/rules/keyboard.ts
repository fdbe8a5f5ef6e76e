import type { Typed } from '../../call.ts';
import { keysOf } from '../../text/key.ts';
import type { Because, Denial } from '../decision.ts';
import { type Page, pageOf } from './book.ts';
import type { Rule } from './rule.ts';
import { ungranted } from './ruling.ts';

/** The names of all keys that are typed, each character of a text as its own. */
export const keysTyped = ({ text = '', keys = [] }: Typed): readonly string[] => [...keysOf(text), ...keys];

/** Whether a rule denies whatever is typed to any program. */
export const deniesTyping = (rule: Rule): boolean =>
  rule.effect === 'deny' && rule.does('input') && rule.commands === undefined;

/** What the rules say where these keys are typed: those that grant and do not list them all say nothing. */
export const pageFor = (page: Page, names: readonly string[]): Page => {
  const { grants, anything, granting } = pageOf(page.grants.filter(({ types }) => types(names)));
  return { ...page, grants, anything, granting };
};

/** No, because none of the rules that grant the program lists all of these keys; which keys that were may be a secret. */
export const notTyped = (granting: Because): Denial =>
  ungranted(
    `The program is granted by ${granting.map(({ rule }) => rule).join(', ')}, and no rule that grants it lists every key of this in input.`,
  );
