import type { Problem } from '../../errors.ts';
import { type JsonSource, pointerOf } from '../../text/json-source.ts';
import { isObject } from '../fields.ts';
import { expandPack, type Pack, type Parameter, readCommands } from '../packs/pack.ts';
import type { Column } from './column.ts';
import { PACK, type RawPack } from './schema.ts';

/** The packs of a document's own, and what is wrong with them beside what their schema says. */
export const compilePacks = (
  source: JsonSource,
  column: Column,
  known: ReadonlyMap<string, Pack>,
): { readonly packs: ReadonlyMap<string, Pack>; readonly problems: readonly Problem[] } => {
  const packs = new Map<string, Pack>();
  const problems: Problem[] = [];
  const written = isObject(source.value) && isObject(source.value.packs) ? source.value.packs : {};
  for (const [name, raw] of Object.entries(written)) {
    const parsed = PACK.safeParse(raw);
    if (!/^[a-z][a-z0-9-]*$/.test(name))
      problems.push(source.problem(['packs', name], 'must be small letters, digits and "-"', 'name'));
    else if (known.has(name)) problems.push(source.problem(['packs', name], 'is a pack that is there already', 'name'));
    if (!parsed.success || problems.some(({ pointer }) => pointer === pointerOf(['packs', name]))) continue;
    const pack = packOf(name, parsed.data);
    problems.push(...mistakesIn(source, column, pack, parsed.data));
    packs.set(name, pack);
  }
  return { packs, problems };
};

const packOf = (name: string, raw: RawPack): Pack => ({
  name,
  summary: raw.summary ?? '',
  ...(raw.parameter === undefined ? {} : { parameter: parameterOf(raw.parameter) }),
  sets: [{ commands: raw.commands, ...(raw.stdin === true ? { stdin: true as const } : {}) }],
  match: raw.match ?? [],
  not_match: raw.not_match ?? [],
});

const parameterOf = ({ name, of, example, fallback }: NonNullable<RawPack['parameter']>): Parameter => ({
  name,
  of,
  example,
  ...(fallback === undefined ? {} : { fallback }),
});

/** Of each synopsis with the example in place of the parameter: a column is exact as long as both are of one length. */
const mistakesIn = (source: JsonSource, column: Column, pack: Pack, raw: RawPack): readonly Problem[] => {
  const call = pack.parameter === undefined ? `@${pack.name}` : `@${pack.name}(${pack.parameter.example})`;
  const sets = expandPack(call, new Map([[pack.name, pack]]));
  if (typeof sets === 'string') return [source.problem(['packs', pack.name, 'parameter', 'example'], sets)];
  return sets
    .flatMap(({ commands }) => commands)
    .flatMap((text, index) => {
      const path = ['packs', pack.name, 'commands', index];
      if (text.startsWith('@')) return [source.problem(path, 'must be a synopsis: a pack holds no other pack')];
      const read = readCommands([text], false, new Map());
      if ('listed' in read) return [];
      const exact = text === raw.commands[index];
      return read.mistakes.map(mistake => column(path, exact ? mistake : { ...mistake, column: 1 }));
    });
};
