import type { FileAction } from '../../shell/file-action.ts';
import type { Analysis } from '../../shell/script.ts';
import type { Page } from './book.ts';
import type { Rule } from './rule.ts';

/** A command text as the rules look at it. */
export type Scene = {
  readonly page: Page;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly analysis: Analysis;
  /** What its redirections do to files, as far as they are known. */
  readonly files: readonly FileAction[];
  /** Whether it may redirect, as far as is not known. */
  readonly mayRedirect: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Whether a session kept that environment: where any text may run, texts made it, and could make it again. */
  readonly kept: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  /** Whether a rule's directories cover the one that it runs in. */
  readonly isIn: (rule: Rule) => boolean;
};

/** Whether a rule lets a command run with this environment and in this directory; otherwise what it does not let through. */
export const hindrance = ({ env, kept, detach, isIn }: Scene, rule: Rule): string | undefined => {
  const isFree = kept && rule.commands === 'any';
  for (const [name, value] of Object.entries(env))
    if (!isFree && !rule.passes(name, value)) return `the rule ${rule.id} does not pass on the variable ${name}`;
  if (detach && !rule.detach) return `the rule ${rule.id} does not let it go on detached from the server`;
  return isIn(rule) ? undefined : `the rule ${rule.id} does not cover the directory it would run in`;
};
