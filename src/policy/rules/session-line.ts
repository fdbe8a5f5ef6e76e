import type { Run } from '../../call.ts';
import type { Reading, Word } from '../../shell/line.ts';
import { q } from '../../shell/quote.ts';
import type { Rule } from './rule.ts';
import { type Change, type Doubt, type Ruling, ungranted } from './ruling.ts';
import type { Scene } from './scene.ts';

/** How a session is sent home, however it was written. */
export const HOMEWARD = { text: 'cd' } as const;

/** A line that a session does by itself. */
export type OwnLine = Exclude<Reading, { kind: 'run' }>;

/** What lets the session do its line: a rule, and what becomes of the line; or why none does. */
type Leave = { readonly rule: Rule; readonly change?: Change } | string;

const NEEDS_SHELL = 'Nothing is expanded where rules judge: write the value itself.';

/**
 * Judges what a session would do by itself: it may go where a rule for commands lets them run, and keep what a rule
 * passes on. A directory is judged, and gone to, by its absolute name. It uses up no limit of the rule.
 */
export const judgeLine = (scene: Scene, action: Run, line: OwnLine, doubt: Doubt): Ruling => {
  const rules = scene.page.grants.filter(rule => rule.does('exec') && rule.inForce(scene.at));
  const [first] = rules;
  const leave = first === undefined ? NOTHING : leaveFor(rules, first, action, line);
  if (typeof leave === 'string') return ungranted(leave);
  const doubts = [...doubt.asking, ...doubt.doubtful];
  const [because = leave.rule] = doubts;
  return {
    effect: doubts.length > 0 ? 'ask' : 'allow',
    because: [
      { rule: because.at, reason: because.reason ?? `The rule ${because.id} covers what the session would do.` },
    ],
    limits: [],
    obligations: {},
    change: leave.change ?? {},
  };
};

const NOTHING = 'No rule grants any command on this host.';

const leaveFor = (rules: readonly Rule[], first: Rule, action: Run, line: OwnLine): Leave => {
  switch (line.kind) {
    case 'pwd':
      return { rule: first };
    case 'unset':
      return unsets(rules, first, action.env, line.names);
    case 'cd':
      return goes(rules, first, action, line.to);
    case 'export':
      return keeps(rules, first, line.variables);
    case 'evaluate':
      return asSent(rules, NEEDS_SHELL);
  }
};

/** Only a rule for any command lets a line through that a shell expands. */
const asSent = (rules: readonly Rule[], why: string): Leave => {
  const rule = rules.find(({ commands }) => commands === 'any');
  return rule === undefined ? why : { rule };
};

const goes = (rules: readonly Rule[], first: Rule, action: Run, to: Word | 'home' | 'previous'): Leave => {
  if (to === 'home') return { rule: first, change: { program: HOMEWARD } };
  if (to === 'previous') return asSent(rules, 'Name the directory: where cd - leads is not judged.');
  if (to.literal === undefined) return asSent(rules, NEEDS_SHELL);
  const target = resolve(action.cwd ?? action.home, to.literal);
  if (target === undefined) return 'Name the directory by its absolute path.';
  const strange = Object.entries(action.env).find(([name, value]) => !mayHave(rules, name, value));
  if (strange !== undefined) return `No rule passes on the variable ${strange[0]}, which the session keeps: unset it.`;
  const rule = rules.find(
    ({ directories }) => directories(target) || (target === action.home && directories(undefined)),
  );
  return rule === undefined
    ? `No rule for commands has cwd for ${JSON.stringify(target)}.`
    : { rule, change: { program: { text: `cd -- ${q(target)}` } } };
};

/** As `cd` does by itself: the parts of the name one after the other, without looking at the host (POSIX `cd -L`). */
const resolve = (from: string | undefined, to: string): string | undefined => {
  const start = to.startsWith('/') ? '' : from;
  if (start === undefined || (start !== '' && !start.startsWith('/'))) return undefined;
  const parts: string[] = [];
  for (const part of `${start}/${to}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
};

/** What the session keeps it may forget; what the account has is only taken from lines that run as sent. */
const unsets = (rules: readonly Rule[], first: Rule, env: Run['env'], names: readonly string[]): Leave => {
  const foreign = names.find(name => !Object.hasOwn(env, name));
  if (foreign === undefined) return { rule: first };
  return asSent(rules, `${foreign} is not set by this session; env -u ${foreign} runs a program without it.`);
};

const keeps = (rules: readonly Rule[], first: Rule, variables: ReadonlyMap<string, string | undefined>): Leave => {
  for (const [name, value = ''] of variables)
    if (!mayHave(rules, name, value)) return `No rule passes on the variable ${name}.`;
  return { rule: first };
};

/** A text that any rule for any command lets run could set it as well. */
const mayHave = (rules: readonly Rule[], name: string, value: string): boolean =>
  rules.some(rule => rule.commands === 'any' || rule.passes(name, value));
