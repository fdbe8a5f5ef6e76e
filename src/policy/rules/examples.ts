import type { Run } from '../../call.ts';
import type { Problem } from '../../errors.ts';
import type { JsonSource, Path } from '../../text/json-source.ts';
import { type Pack, readCommands } from '../packs/pack.ts';
import { commandsOf } from '../synopsis/commands.ts';
import { bookOf, type Page } from './book.ts';
import { judgeText, sceneOf } from './judge.ts';
import { restrain } from './restrain.ts';
import { compileRule, type Rule } from './rule.ts';
import type { RawPack, RawRule } from './schema.ts';

type Examples = { readonly match?: readonly string[] | undefined; readonly not_match?: readonly string[] | undefined };

/** What a document says that its own examples are about. */
type Document = {
  readonly rules?: readonly RawRule[] | undefined;
  readonly packs?: Readonly<Record<string, RawPack>> | undefined;
};

/** The `match` and `not_match` of rules and packs that do not hold. */
export const failedExamples = (
  { rules: raws = [], packs: own = {} }: Document,
  rules: readonly Rule[],
  packs: ReadonlyMap<string, Pack>,
  source: JsonSource,
): readonly Problem[] => [
  ...raws.flatMap((raw, index) => {
    const rule = rules[index];
    return rule === undefined ? [] : failed(raw, alone(rule), ['rules', index], source);
  }),
  ...Object.entries(own).flatMap(([name, raw]) => {
    const rule = ruleOf(name, packs);
    return rule === undefined ? [] : failed(raw, rule, ['packs', name], source);
  }),
];

/** The rule wherever and whenever it is asked. */
const alone = (rule: Rule): Rule => ({
  ...rule,
  index: 0,
  covers: () => true,
  inForce: () => true,
  directories: () => true,
});

/** A pack as a rule of nothing else. */
const ruleOf = (name: string, packs: ReadonlyMap<string, Pack>): Rule | undefined => {
  const parameter = packs.get(name)?.parameter;
  const read = readCommands([parameter === undefined ? `@${name}` : `@${name}(${parameter.example})`], false, packs);
  if (!('listed' in read)) return undefined;
  return alone(compileRule({ id: name, effect: 'allow', commands: ['-'] }, 0, {}, commandsOf(read.listed)));
};

const failed = ({ match = [], not_match = [] }: Examples, rule: Rule, path: Path, source: JsonSource): Problem[] => {
  const page = bookOf([rule]).at({ host: '', tags: [], user: '' });
  const list = (key: string, texts: readonly string[], holds: boolean): readonly Problem[] =>
    texts.flatMap((text, index) => {
      const why = answer(rule.effect, page, text);
      return (why === undefined) === holds ? [] : [source.problem([...path, key, index], sentence(rule, why))];
    });
  return [...list('match', match, true), ...list('not_match', not_match, false)];
};

const sentence = ({ effect }: Rule, why: string | undefined): string => {
  const does = effect === 'deny' ? 'denies' : 'grants';
  return why === undefined
    ? `should not be what this ${does}, and is`
    : `should be what this ${does}, and is not: ${why}`;
};

/** Why the rule of this page does not grant the text, or is not felt by it when it denies; undefined when it does. */
const answer = (effect: Rule['effect'], page: Page, text: string): string | undefined => {
  const run = runOf(text);
  const scene = sceneOf(page, 0, run);
  if (effect === 'deny') {
    const { denied, doubtful } = restrain(scene);
    return denied === undefined && doubtful.size === 0 ? 'nothing in it is what the rule denies' : undefined;
  }
  const ruling = judgeText(scene, run, { asking: new Set(), doubtful: new Set() });
  return ruling.effect === 'deny' ? ruling.because[0].reason : undefined;
};

const runOf = (text: string): Run => ({
  kind: 'exec',
  target: { host: '', user: '', address: '', port: 22, tags: [] },
  program: { text },
  env: {},
  timeoutMs: 0,
});
