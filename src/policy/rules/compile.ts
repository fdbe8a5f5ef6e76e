import type { Problem } from '../../errors.ts';
import type { JsonSource } from '../../text/json-source.ts';
import { isObject } from '../fields.ts';
import { PACKS } from '../packs/index.ts';
import { type Pack, readCommands } from '../packs/pack.ts';
import type { Entry } from '../synopsis/commands.ts';
import { type Column, columns } from './column.ts';
import { compilePacks } from './own-packs.ts';
import { strangeHost } from './place.ts';
import { compileRule, type Rule } from './rule.ts';
import { type RawHostSets, RULE } from './schema.ts';

/** The rules of a document that are sound, and what is wrong with the others beside what their schema says. */
export type Compiled = {
  /** Undefined when the document has none: then tools alone decide. */
  readonly rules: readonly Rule[] | undefined;
  readonly packs: ReadonlyMap<string, Pack>;
  readonly problems: readonly Problem[];
};

type Reading = {
  readonly source: JsonSource;
  readonly sets: RawHostSets;
  readonly packs: ReadonlyMap<string, Pack>;
  readonly column: Column;
  readonly problems: Problem[];
};

/** Compiles what a document says of hosts, packs and rules; of a part that its schema refuses, what can still be said. */
export const compileRules = (source: JsonSource, text: string): Compiled => {
  const document = isObject(source.value) ? source.value : {};
  const column = columns(source, text);
  const own = compilePacks(source, column, PACKS);
  const packs = new Map([...PACKS, ...own.packs]);
  const problems: Problem[] = [...own.problems];
  if (!Array.isArray(document.rules)) return { rules: undefined, packs, problems };
  problems.push(...duplicates(source, document.rules));
  const reading = { source, sets: setsIn(document.hosts), packs, column, problems };
  const rules = document.rules.flatMap((raw: unknown, index) => {
    if (!isObject(raw)) return [];
    reportHosts(reading, raw.hosts, index);
    const entries = entriesOf(reading, raw, index);
    const parsed = RULE.safeParse(raw);
    return parsed.success ? [compileRule(parsed.data, index, reading.sets, entries)] : [];
  });
  return { rules, packs, problems };
};

const setsIn = (hosts: unknown): RawHostSets =>
  Object.fromEntries(
    Object.entries(isObject(hosts) ? hosts : {}).map(([name, entries]) => [
      name,
      Array.isArray(entries) ? entries.filter(isText) : [],
    ]),
  );

const isText = (value: unknown): value is string => typeof value === 'string';

const duplicates = (source: JsonSource, rules: readonly unknown[]): readonly Problem[] => {
  const seen = new Set<unknown>();
  return rules.flatMap((rule, index) => {
    if (!isObject(rule) || !isText(rule.id)) return [];
    if (seen.has(rule.id)) return [source.problem(['rules', index, 'id'], 'is the id of another rule too')];
    seen.add(rule.id);
    return [];
  });
};

const reportHosts = ({ source, sets, problems }: Reading, hosts: unknown, index: number): void => {
  for (const [at, entry] of (Array.isArray(hosts) ? hosts : []).entries()) {
    const message = isText(entry) ? strangeHost(entry, sets) : undefined;
    if (message !== undefined) problems.push(source.problem(['rules', index, 'hosts', at], message));
  }
};

type Raw = Readonly<Record<string, unknown>>;

/** `stdin` opens a rule's own synopses: a pack knows by itself which of its programs may read input. */
const entriesOf = (reading: Reading, { commands, stdin }: Raw, index: number): readonly Entry[] | undefined => {
  if (!Array.isArray(commands)) return undefined;
  return commands.flatMap((text: unknown, number): readonly Entry[] => {
    if (!isText(text) || text === '') return [];
    const read = readCommands([text], stdin === true && !text.startsWith('@'), reading.packs);
    if ('listed' in read) return read.listed;
    const at = ['rules', index, 'commands', number];
    reading.problems.push(...read.mistakes.map(mistake => reading.column(at, mistake)));
    return [];
  });
};
