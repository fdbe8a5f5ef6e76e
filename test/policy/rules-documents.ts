import fc from 'fast-check';
import type { LawCall, LawCommand, LawRule, LawText } from './rules-oracle.ts';

const WORDS = ['a', 'b', 'sudo a', 'sudo', 'a x', 'b x y', '/bin/a', 'nice b x y', 'a x x'] as const;
const PATHS = ['/p', '/q'] as const;
const TIMES = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'] as const;
const some = <T>(...values: readonly [T, ...T[]]) => fc.subarray([...values], { minLength: 1 });
const optional = <T>(value: fc.Arbitrary<T>, freq = 3) => fc.option(value, { nil: undefined, freq });

const where = {
  hosts: optional(some('web-1', 'db-1', 'web-*'), 2),
  users: optional(some('deploy', 'root'), 1),
  when: optional(
    fc.oneof(fc.record({ not_before: fc.constantFrom(...TIMES) }), fc.record({ not_after: fc.constantFrom(...TIMES) })),
    1,
  ),
};
const commands = fc.oneof(
  { weight: 9, arbitrary: some(...WORDS) },
  { weight: 1, arbitrary: fc.constant('any' as const) },
);
const narrow = {
  stdin: optional(fc.boolean()),
  alone: optional(fc.boolean(), 1),
  env: optional(some('TZ', 'LC_ALL')),
  cwd: optional(some('~', '/srv', '/opt')),
  timeout: optional(fc.constantFrom('1s', '1m')),
};

const granting = fc
  .record({ effect: fc.constantFrom('allow', 'allow', 'allow', 'ask'), ...where, commands, ...narrow })
  .map(rule => (rule.commands === 'any' ? { ...rule, stdin: undefined, alone: undefined } : rule));
const files = fc.record({
  effect: fc.constantFrom('allow', 'allow', 'ask', 'deny'),
  ...where,
  actions: some('read', 'write'),
  paths: some(...PATHS),
});
const denying = fc.record({ effect: fc.constant('deny' as const), ...where, commands: some(...WORDS) });
const closing = fc.record({ effect: fc.constantFrom('deny', 'ask'), ...where, actions: fc.constant(['exec']) });
const freezing = fc.record({ effect: fc.constant('deny' as const), ...where });

const clean = (rule: object, id: string): LawRule =>
  JSON.parse(JSON.stringify({ id, ...rule }, (_key, value) => value ?? undefined));

/** Any sound rule over a few words. */
export const lawRule: fc.Arbitrary<Omit<LawRule, 'id'>> = fc
  .oneof(
    { weight: 12, arbitrary: granting },
    { weight: 4, arbitrary: files },
    { weight: 3, arbitrary: denying },
    { weight: 1, arbitrary: closing },
    { weight: 1, arbitrary: freezing },
  )
  .map(rule => {
    const { id: _id, ...rest } = clean(rule, '');
    return rest;
  });

/** A few of them, with ids of their own. */
export const lawRules: fc.Arbitrary<readonly LawRule[]> = fc
  .array(lawRule, { maxLength: 7 })
  .map(rules => rules.map((rule, index) => ({ id: `r${index}`, ...rule })));

const command: fc.Arbitrary<LawCommand> = fc
  .record({
    words: fc.constantFrom(...WORDS).map(words => words.split(' ')),
    to: optional(fc.constantFrom(...PATHS), 1),
    from: optional(fc.constantFrom(...PATHS), 1),
  })
  .map(({ words, to, from }) => ({
    words,
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
  }));

const text: fc.Arbitrary<LawText> = fc.record({
  pipelines: fc.array(fc.array(command, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  unknown: fc.boolean().map(unknown => unknown && true),
});

/** Any call over the same words. */
export const lawCall: fc.Arbitrary<LawCall> = fc
  .record({
    text: fc.oneof(
      { weight: 6, arbitrary: text.map(one => ({ ...one, unknown: false })) },
      { weight: 1, arbitrary: text },
    ),
    host: fc.constantFrom('web-1', 'web-1', 'db-1'),
    user: fc.constantFrom('deploy', 'deploy', 'root'),
    at: fc.constantFrom('2025-12-31T00:00:00Z', '2026-02-01T00:00:00Z', '2026-07-01T00:00:00Z').map(Date.parse),
    cwd: optional(fc.constantFrom('/srv', '/etc'), 1),
    env: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some('TZ', 'LD_X') }),
    stdin: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ cwd, ...call }) => (cwd === undefined ? call : { ...call, cwd }));

/** The text, spelled in one of the ways that mean the same. */
export const spell = ({ pipelines, unknown }: LawText, spelling: number): string => {
  let turn = spelling;
  const next = (ways: number): number => {
    turn = Math.imul(turn ^ (turn >>> 15), 0x2c1b3c6d) >>> 0;
    return turn % ways;
  };
  const word = (plain: string): string =>
    [plain, `'${plain}'`, `"${plain}"`, `${plain.slice(0, -1)}\\${plain.slice(-1)}`][next(4)] ?? plain;
  const one = ({ words, to, from }: LawCommand): string =>
    [
      ...words.map(word),
      ...(to === undefined ? [] : [`${['>', '> ', '>>', '2>'][next(4)]}${word(to)}`]),
      ...(from === undefined ? [] : [`${['<', '< '][next(2)]}${word(from)}`]),
    ].join([' ', '  ', '\t', ' \\\n '][next(4)] ?? ' ');
  const texts = pipelines.map(pipeline => pipeline.map(one).join(['|', ' | ', ' |\n'][next(3)]));
  const joined = texts.join([';', ' && ', '\n', ' || ', ' ; '][next(5)]);
  return unknown ? `${joined}; echo $x` : joined;
};
