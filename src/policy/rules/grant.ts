import type { FileAction } from '../../shell/file-action.ts';
import { commandsOf, type Script, type Simple } from '../../shell/script.ts';
import { type Commands, grant, type NotGranted } from '../synopsis/commands.ts';
import type { Written } from '../synopsis/match.ts';
import type { Owned } from '../synopsis/program-index.ts';
import { grantsOfFile } from './files.ts';
import { destinationOf, mayMove } from './moves.ts';
import type { Rule } from './rule.ts';
import { hindrance, type Scene } from './scene.ts';

/** Why no rule grants something: of all that came close, the one that failed last. */
export type Refused = NotGranted & { readonly rule?: Rule };

/** The rules that grant one simple command, and the words that the server writes into it. */
export type GrantedCommand = { readonly rules: ReadonlySet<Rule>; readonly written: readonly Written[] };

/** Programs of which so many rules are asked, to say which of them came closest. */
const MOST_EXPLAINED = 16;

/** A simple command of a script, whether it reads input that the agent can shape, and the commands before it that change the directory. */
export type Part = { readonly simple: Simple; readonly shaped: boolean; readonly moves: readonly Simple[] };

/** Every simple command: what is not first in its pipeline, opens a file to read or is sent input reads what the agent shapes. */
export const partsOf = (script: Script, stdin: boolean): readonly Part[] => {
  let moves: readonly Simple[] = [];
  return script.pipelines.flatMap(({ commands }) =>
    commands.map((simple, index) => {
      const part = { simple, shaped: index > 0 || stdin || simple.redirects.some(opensInput), moves };
      if (mayMove(simple)) moves = [...moves, simple];
      return part;
    }),
  );
};

const opensInput = (redirect: Simple['redirects'][number]): boolean =>
  redirect.op === '<' && redirect.target.text !== '/dev/null';

/** Asks every rule that could grant the command: all of those that do count, whatever their order. */
export const grantCommand = (scene: Scene, part: Part): GrantedCommand | Refused => {
  const { granting } = scene.page;
  const rules = new Set<Rule>();
  const asked = new Set<Rule>();
  let written: readonly Written[] = [];
  let closest: Refused = { hit: false, word: 0, why: NO_PROGRAM };
  const ask = (rule: Rule): void => {
    if (asked.has(rule) || !rule.inForce(scene.at)) return;
    asked.add(rule);
    const answer = askRule(scene, rule, part);
    if (!answer.hit) closest = answer.word > closest.word || closest.rule === undefined ? answer : closest;
    else {
      rules.add(rule);
      written = preferred(written, answer.written);
    }
  };
  for (const { of } of granting.certain(part.simple.words)) ask(of);
  if (rules.size > 0) return { rules, written };
  for (const { of } of near(granting.named(part.simple.words[0].text), asked.size)) ask(of);
  return closest;
};

const NO_PROGRAM = 'no synopsis names this program';

const near = (owned: readonly Owned<Rule>[], asked: number): readonly Owned<Rule>[] =>
  asked >= MOST_EXPLAINED ? [] : owned.slice(0, 2 * MOST_EXPLAINED);

type Answer = { readonly hit: true; readonly written: readonly Written[] } | Refused;

const askRule = (scene: Scene, rule: Rule, part: Part): Answer => {
  const { commands } = rule;
  if (commands === undefined || commands === 'any') return { hit: false, word: 0, why: NO_PROGRAM };
  const outcome = grantBy(commands, part);
  if (!outcome.hit) return { ...outcome, rule };
  const why = aloneOrGlob(scene, rule, part.simple) ?? hindrance(scene, rule) ?? astray(commands, rule, part);
  return why === undefined ? outcome : { hit: false, word: part.simple.words.length + 1, why, rule };
};

const grantBy = (commands: Commands, { simple, shaped }: Pick<Part, 'simple' | 'shaped'>) =>
  grant(commands, { words: simple.words, shaped });

/** A rule grants in another directory what stands beside the `cd` that leads there, or where its `cwd` covers that one too. */
const astray = (commands: Commands, rule: Rule, { moves }: Part): string | undefined => {
  const away = moves.find(move => {
    const to = destinationOf(move);
    return !(to !== undefined && rule.directories(to)) && !grantBy(commands, { simple: move, shaped: false }).hit;
  });
  return away === undefined
    ? undefined
    : `the rule ${rule.id} does not cover the directory that ${away.words[0].text} may lead to`;
};

const aloneOrGlob = ({ analysis }: Scene, rule: Rule, { words, redirects }: Simple): string | undefined => {
  const isWhole = (): boolean =>
    analysis.kind === 'known' && commandsOf(analysis.script).length === 1 && redirects.length === 0;
  if (rule.alone && !isWhole()) return `the rule ${rule.id} grants it only alone: the text is nothing else`;
  if (!rule.glob && words.some(({ whole }) => !whole)) return `the rule ${rule.id} grants no pattern of file names`;
  return undefined;
};

/** Of several hardenings the longest one, and of those the first in the order of letters: never a matter of the document's order. */
const preferred = (a: readonly Written[], b: readonly Written[]): readonly Written[] => {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const [keyA, keyB] = [JSON.stringify(a), JSON.stringify(b)];
  const isLonger = keyB.length === keyA.length ? keyB < keyA : keyB.length > keyA.length;
  return isLonger ? b : a;
};

/** The rules that let a redirection open its file; a path with `..` is no rule's. */
export const grantFile = ({ page, at }: Scene, { access, path }: FileAction): ReadonlySet<Rule> =>
  path === undefined ? new Set() : grantsOfFile(page, at, access, path);
