import { commandsOf, type Glimpse } from '../../shell/script.ts';
import { reachOfText } from '../../shell/unwrap.ts';
import { grant, mayGrant } from '../synopsis/commands.ts';
import type { Owned } from '../synopsis/program-index.ts';
import { meansFile } from './files.ts';
import type { Rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** The rules that restrain a command text: the first that certainly denies it, those that ask, and those that may deny it. */
export type Restraint = {
  readonly denied: Rule | undefined;
  readonly asking: ReadonlySet<Rule>;
  readonly doubtful: ReadonlySet<Rule>;
};

/** Looks for rules that deny or ask: they are felt as soon as a match is possible. */
export const restrain = (scene: Scene): Restraint => {
  const rules = scene.page.restraints.filter(({ inForce }) => inForce(scene.at));
  if (rules.length === 0) return NONE;
  const certain = new Set<Rule>();
  const possible = new Set<Rule>();
  for (const rule of rules) if (rule.commands === 'any') certain.add(rule);
  findCertain(scene, certain);
  findPossible(scene, possible);
  findFiles(scene, rules, certain, possible);
  if (certain.size + possible.size === 0) return NONE;
  const felt = [...new Set([...certain, ...possible])].filter(({ inForce }) => inForce(scene.at));
  const denied = rules.find(rule => rule.effect === 'deny' && certain.has(rule));
  return {
    denied,
    asking: new Set(felt.filter(({ effect }) => effect === 'ask')),
    doubtful: new Set(felt.filter(({ effect }) => effect === 'deny')),
  };
};

const NONE: Restraint = Object.freeze({ denied: undefined, asking: new Set<Rule>(), doubtful: new Set<Rule>() });

const isList = ({ commands }: Rule): boolean => commands !== undefined && commands !== 'any';

/** Of the words as they are written, with any input. */
const findCertain = ({ page, analysis }: Scene, certain: Set<Rule>): void => {
  if (analysis.kind === 'unknown') return;
  for (const { words } of commandsOf(analysis.script))
    for (const rule of rulesOf(page.restraining.certain(words)))
      if (rule.commands !== undefined && rule.commands !== 'any' && !certain.has(rule))
        if (grant(rule.commands, { words, shaped: false }).hit) certain.add(rule);
};

/** Of everything that the text might start; where that cannot be told, of all that is restrained. */
const findPossible = ({ page, analysis }: Scene, possible: Set<Rule>): void => {
  if (!page.restraints.some(isList)) return;
  const reach = reachOfText(analysis);
  if (reach.opaque) for (const rule of page.restraints.filter(isList)) possible.add(rule);
  else for (const words of reach.commands) findPossibleIn(words, page.restraining.possible(words), possible);
};

const findPossibleIn = (words: readonly Glimpse[], candidates: Iterable<Owned<Rule>>, possible: Set<Rule>): void => {
  for (const rule of rulesOf(candidates))
    if (rule.commands !== undefined && rule.commands !== 'any' && !possible.has(rule))
      if (mayGrant(rule.commands, words)) possible.add(rule);
};

const findFiles = (
  { files, mayRedirect }: Scene,
  rules: readonly Rule[],
  certain: Set<Rule>,
  possible: Set<Rule>,
): void => {
  for (const rule of rules) {
    if (mayRedirect && (rule.does('read') || rule.does('write'))) possible.add(rule);
    for (const { access, path } of files) {
      if (!rule.does(access)) continue;
      if (path === undefined || path.split('/').includes('..')) possible.add(rule);
      else if (meansFile(rule, access, path)) certain.add(rule);
    }
  }
};

const rulesOf = (owned: Iterable<Owned<Rule>>): ReadonlySet<Rule> => {
  const rules = new Set<Rule>();
  for (const { of } of owned) rules.add(of);
  return rules;
};
