import type { Problem } from '../../errors.ts';
import type { JsonSource } from '../../text/json-source.ts';
import { isObject } from '../fields.ts';
import { PACKS } from '../packs/index.ts';
import { type ListMistake, type Pack, readCommands } from '../packs/pack.ts';
import { type Commands, commandsOf, type Entry } from '../synopsis/commands.ts';
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
  readonly column: Column;
  readonly problems: Problem[];
  readonly list: (commands: readonly unknown[], stdin: boolean) => List;
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
  const reading = { source, sets: setsIn(document.hosts), column, problems, list: listReader(packs) };
  const rules = document.rules.flatMap((raw: unknown, index) => {
    if (!isObject(raw)) return [];
    reportHosts(reading, raw.hosts, index);
    const commands = commandsIn(reading, raw, index);
    const parsed = RULE.safeParse(raw);
    return parsed.success ? [compileRule(parsed.data, index, reading.sets, commands)] : [];
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

const commandsIn = (reading: Reading, { commands, stdin }: Raw, index: number): Commands | undefined => {
  if (!Array.isArray(commands)) return undefined;
  const list = reading.list(commands, stdin === true);
  for (const mistake of list.mistakes)
    reading.problems.push(reading.column(['rules', index, 'commands', mistake.entry], mistake));
  return list.commands;
};

/** What the `commands` of a rule mean, as far as they can be read. */
type List = { readonly commands: Commands; readonly mistakes: readonly ListMistake[] };

/** Reads each list, and each text in one, once for a whole document: many rules name the same packs. */
const listReader = (packs: ReadonlyMap<string, Pack>): Reading['list'] => {
  const lists = new Map<string, List>();
  const texts = new Map<string, ReturnType<typeof readCommands>>();
  const readList = (commands: readonly unknown[], stdin: boolean): List => {
    const entries: Entry[] = [];
    const mistakes: ListMistake[] = [];
    for (const [entry, text] of commands.entries()) {
      if (!isText(text) || text === '') continue;
      const read = kept(texts, `${stdin} ${text}`, () => readCommands([text], stdin, packs));
      if ('listed' in read) entries.push(...read.listed);
      else mistakes.push(...read.mistakes.map(mistake => ({ ...mistake, entry })));
    }
    return { commands: commandsOf(entries), mistakes };
  };
  return (commands, stdin) => kept(lists, JSON.stringify([commands, stdin]), () => readList(commands, stdin));
};

const kept = <T>(known: Map<string, T>, key: string, make: () => T): T => {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
};
