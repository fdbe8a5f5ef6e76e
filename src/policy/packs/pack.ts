import { didYouMean } from '../../text/nearest.ts';
import { type Entry, readPattern } from '../synopsis/commands.ts';
import type { Mistake } from '../synopsis/syntax.ts';

/** What a pack is called with: folders or names, written where a synopsis has `$` and this name. */
export type Parameter = {
  readonly name: string;
  readonly of: 'folders' | 'names';
  /** What the pack's examples are judged with. */
  readonly example: string;
  /** What stands for it when the pack is called without. */
  readonly fallback?: string | undefined;
};

/** Synopses, and whether their programs may read input that the agent can shape. */
export type CommandSet = { readonly stdin?: true; readonly commands: readonly string[] };

/** A named set of synopses: what one kind of work needs, with examples of what it grants and what it refuses. */
export type Pack = {
  readonly name: string;
  readonly summary: string;
  readonly parameter?: Parameter | undefined;
  readonly sets: readonly CommandSet[];
  readonly match: readonly string[];
  readonly not_match: readonly string[];
};

/** One synopsis that a list of commands means, `from` the entry of that number. */
export type Listed = Entry & { readonly text: string; readonly from: number };

/** What is wrong with an entry of a list of commands. */
export type ListMistake = Mistake & { readonly entry: number };

/**
 * Every synopsis of a rule's `commands`, packs expanded, or every mistake. `stdin` opens a rule's own synopses: a pack
 * knows by itself which of its programs may read input.
 */
export const readCommands = (
  commands: readonly string[],
  stdin: boolean,
  packs: ReadonlyMap<string, Pack>,
): { readonly listed: readonly Listed[] } | { readonly mistakes: readonly ListMistake[] } => {
  const listed: Listed[] = [];
  const mistakes: ListMistake[] = [];
  for (const [entry, command] of commands.entries()) {
    const own: CommandSet = stdin ? { commands: [command], stdin: true } : { commands: [command] };
    const sets = command.startsWith('@') ? expandPack(command, packs) : [own];
    if (typeof sets === 'string') mistakes.push({ entry, column: 1, message: sets });
    else
      for (const set of sets)
        for (const text of set.commands) {
          const read = readPattern(text);
          if ('pattern' in read) listed.push({ pattern: read.pattern, stdin: set.stdin === true, text, from: entry });
          else mistakes.push(...read.mistakes.map(mistake => ({ ...mistake, entry })));
        }
  }
  return mistakes.length > 0 ? { mistakes } : { listed };
};

/** The synopses of `@name` or `@name(value,value)`, or what is wrong with it. */
export const expandPack = (call: string, packs: ReadonlyMap<string, Pack>): readonly CommandSet[] | string => {
  const [, name, inside] = /^@([a-z0-9-]+)(?:\(([^()]*)\))?$/.exec(call) ?? [];
  if (name === undefined) return 'Write a pack as @name or @name(value).';
  const pack = packs.get(name);
  if (pack === undefined)
    return strangePack(
      `@${name}`,
      [...packs.keys()].map(each => `@${each}`),
    );
  const { parameter, sets } = pack;
  if (parameter === undefined) return inside === undefined ? sets : `@${name} takes no value.`;
  const values = (inside ?? parameter.fallback ?? '').split(',').map(value => value.trim());
  const shape = SHAPES[parameter.of];
  const wrong = values.find(value => !shape.test(value) || value.split('/').includes('..'));
  if (wrong !== undefined) return `@${name} takes ${parameter.of}: @${name}(${parameter.example}).`;
  return sets.map(set => ({
    ...set,
    commands: set.commands.map(text => text.replaceAll(`$${parameter.name}`, values.join(','))),
  }));
};

const strangePack = (call: string, calls: readonly string[]): string => {
  const meant = didYouMean(call, calls);
  return `There is no pack ${call}${meant === '' ? '.' : meant} There are ${calls.join(' ')}.`;
};

const SHAPES = {
  folders: /^\/[A-Za-z0-9._@+/-]*$/,
  names: /^[A-Za-z0-9_.@:][A-Za-z0-9_.@:-]*$/,
} as const;
