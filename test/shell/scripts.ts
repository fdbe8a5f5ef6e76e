import { read } from '../../src/shell/read.ts';
import type { Literal, Part, Pipeline, Redirect, Script, Simple, Word } from '../../src/shell/script.ts';
import { write } from '../../src/shell/write.ts';
import { NAMES } from './lines.ts';
import { type Dice, dice } from './random.ts';

const CHARACTERS = [..."''\"\\\\!!$`*?[]{}()<>|&;#~=^%@,:+- \t-abx1.", 'é', '日', '🌍'];
const FILES = ['f', 'g', 'f g', "f'", '-rf', '$(b)', '!'] as const;
const BUILTINS = new Set([':', '.', '[', ']']);

const text = (random: Dice, most: number): string =>
  Array.from({ length: random.below(most + 1) }, () => random.pick(CHARACTERS)).join('');

const literal = (one: string): Literal => ({ whole: true, text: one, at: 0 });

const name = (random: Dice): Literal => {
  for (;;) {
    const one = random.once(2) ? random.pick(NAMES) : text(random, 4);
    const isPossible = !BUILTINS.has(one) && one !== '' && one !== '..';
    const script: Script = { pipelines: [{ join: ';', commands: [{ words: [literal(one)], redirects: [] }] }] };
    if (isPossible && read(write(script)).kind === 'known') return literal(one);
  }
};

const word = (random: Dice): Word => {
  if (!random.once(6)) return literal(text(random, 10));
  const before = random.pick(['', 'a', '-', '\\', "'", '!', '[', ' ', 'é']);
  const pattern = random.pick<Part>([
    { kind: 'many' },
    { kind: 'one' },
    { kind: 'set', text: '[!a-c]' },
    { kind: 'set', text: '[ab0-9_]' },
  ]);
  const after = random.pick(['', '*', ' ', '.log', "'"]);
  const parts: readonly Part[] = [
    ...(before === '' ? [] : [{ kind: 'literal', text: before } as const]),
    pattern,
    ...(after === '' ? [] : [{ kind: 'literal', text: after } as const]),
  ];
  const [first = pattern, ...rest] = parts;
  return { whole: false, text: before, parts: [first, ...rest], at: 0 };
};

const redirect = (random: Dice): Redirect => {
  const fd = random.pick([1, 2] as const);
  if (random.once(3)) return { op: 'dup', fd, target: random.pick([1, 2] as const), at: 0 };
  if (random.once(4)) return { op: '<', fd: 0, target: literal('f'), at: 0 };
  return { op: random.pick(['>', '>>'] as const), fd, target: literal(random.pick(FILES)), at: 0 };
};

const many = <T>(random: Dice, most: number, make: (random: Dice) => T): readonly T[] =>
  Array.from({ length: random.below(most + 1) }, () => make(random));

const simple = (random: Dice): Simple => ({
  words: [name(random), ...many(random, 4, word)],
  redirects: random.once(3) ? many(random, 3, redirect) : [],
});

/** Every command of it runs, as long as each ends well: there is no `||`. */
const pipeline = (random: Dice): Pipeline => ({
  join: random.pick([';', '&&'] as const),
  commands: [simple(random), ...(random.once(3) ? many(random, 2, simple) : [])],
});

/** Scripts of hostile words, not from any text; the same seed gives the same ones. */
export const randomScripts = (seed: number, count: number): readonly Script[] => {
  const random = dice(seed);
  return Array.from({ length: count }, () => ({
    pipelines: [{ ...pipeline(random), join: ';' }, ...many(random, 2, pipeline)],
  }));
};
