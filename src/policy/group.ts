import type { Input } from '../call.ts';
import { type Condition, compileCondition, type Finding } from './condition.ts';
import { type Denial, denial } from './decision.ts';
import type { RawCondition, RawGroup } from './document.ts';

/** Conditions that stand together in a document: what refuses a call because of its arguments. */
export type Group = (input: Input) => Denial | undefined;

/** Gives each rule an id of its own: a second one of the same name gets a number. */
export type Naming = (id: string) => string;

/** All conditions of a `require` must hold; absent, of another type or unreadable, one fails. */
export const compileRequire = (tool: string, raw: RawGroup, place: string, name: Naming): Group => {
  const checks = conditionsOf(raw).map(({ id, says, find }) => {
    const rule = name(`${place}/${id}`);
    const wanted = raw.on_deny ?? `${tool} is allowed only when ${says}.`;
    return { find, refused: denial(rule, wanted), unclear: denial(rule, raw.on_deny ?? unclear(wanted)) };
  });
  return input => {
    for (const { find, refused, unclear } of checks) {
      const found = find(input);
      if (found !== 'holds') return DOUBTFUL.has(found) ? unclear : refused;
    }
    return undefined;
  };
};

/** All conditions of a `deny_if` together refuse; what cannot be judged counts as holding, what cannot be read refuses alone. */
export const compileDenyIf = (tool: string, raw: RawGroup, place: string, name: Naming): Group => {
  const conditions = conditionsOf(raw);
  const rule = name(`${place}/${conditions.map(({ id }) => id).join('+') || 'always'}`);
  const says = conditions.map(condition => condition.says).join(' and ');
  const sentence = raw.on_deny ?? (says === '' ? `${tool} is always refused.` : `${tool} is refused when ${says}.`);
  const refused = denial(rule, sentence);
  const doubtful = denial(rule, raw.on_deny ?? unclear(sentence));
  return input => {
    const found = conditions.map(({ find }) => find(input));
    if (found.includes('broken')) return doubtful;
    if (found.some(each => each === 'fails' || each === 'absent')) return undefined;
    return found.includes('mistyped') ? doubtful : refused;
  };
};

const DOUBTFUL: ReadonlySet<Finding> = new Set<Finding>(['mistyped', 'broken']);

const unclear = (sentence: string): string => `${sentence} What was given is of a type that this cannot judge.`;

const conditionsOf = (raw: RawGroup): readonly Condition[] =>
  'conditions' in raw ? raw.conditions.map(compileCondition) : [compileCondition(bare(raw))];

const bare = ({ path, op, value }: RawCondition): RawCondition => ({ path, op, value });
