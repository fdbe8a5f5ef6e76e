import { read } from '../shell/read.ts';
import { type Analysis, commandsOf, type Word } from '../shell/script.ts';
import { type Entry, linesOf } from '../text/question.ts';
import type { Facts, Json } from './facts.ts';

/**
 * A request as whoever is asked reads it: the host first, then what runs there, word by word, then every other detail that is
 * approved. Nothing of the facts is left out; undefined when it cannot be shown whole.
 */
export const sheetOf = (facts: Facts): readonly string[] | undefined => {
  const action = fieldsOf(facts.action);
  const { kind, target, program, ...details } = action;
  return linesOf([
    ...placeOf(facts, target),
    { name: 'does', text: DOES[String(kind)] ?? String(kind) },
    ...programOf(program ?? null, facts.asked),
    ...leavesOf(details),
    ...(kind === 'transfer' && details.direction === 'upload' && 'localPath' in details ? [UNBOUND] : []),
    ...askedFor(facts),
  ]);
};

const UNBOUND: Entry = {
  name: 'not part of it',
  text: 'what the local file holds: it is copied as it is then',
};

/** What each kind of action does, in words. */
export const DOES: Readonly<Record<string, string>> = {
  exec: 'runs a command',
  open: 'opens a session',
  type: 'types into a session',
  transfer: 'copies files',
  forward: 'opens a tunnel',
  connect: 'opens a connection',
  observe: 'looks at what is there',
  stop: 'ends something',
  configure: 'changes the list of hosts',
};

type Fields = { readonly [key: string]: Json };

const isFields = (value: Json): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of a JSON object; anything else is one member. */
export const fieldsOf = (value: Json): Fields => (isFields(value) ? value : { value });

const placeOf = ({ host, host_keys }: Facts, target: Json | undefined): readonly Entry[] => {
  if (target === undefined || !isFields(target)) return [{ name: 'host', text: 'none' }];
  const { host: name, user, address, port, ...rest } = target;
  return [
    { name: 'host', text: host },
    ...(name === host ? [] : leavesOf({ target: name ?? null })),
    { name: 'account', text: `${String(user)} at ${String(address)} port ${String(port)}` },
    ...host_keys.map(key => ({ name: 'host key', text: key })),
    ...leavesOf(rest),
  ];
};

/** What runs, as text and taken apart; and the text that was asked for, where it is another. */
const programOf = (program: Json, asked: Json): readonly Entry[] => {
  if (program === null) return leavesOf({ asked });
  const { text, argv, canonical, ...rest } = fieldsOf(program);
  const written = text ?? canonical;
  return [
    ...(typeof written === 'string' ? [{ name: 'command', text: written }, ...wordsOf(read(written))] : []),
    ...(Array.isArray(argv)
      ? argv.map((word: Json, index) => ({ name: `word ${index + 1}`, text: String(word) }))
      : []),
    ...leavesOf(rest),
    ...(JSON.stringify(asked) === JSON.stringify(program) ? [] : leavesOf({ asked })),
  ];
};

const wordsOf = (analysis: Analysis): readonly Entry[] => {
  if (analysis.kind === 'unknown')
    return [
      { name: 'words', text: `cannot be told: it holds ${analysis.construct}. A shell reads what stands there.` },
    ];
  const commands = commandsOf(analysis.script);
  return commands.flatMap(({ words }, at) =>
    words.map((word, index) => ({
      name: `${commands.length === 1 ? '' : `command ${at + 1} `}word ${index + 1}`,
      text: word.whole ? word.text : patternOf(word),
    })),
  );
};

const patternOf = (word: Exclude<Word, { whole: true }>): string =>
  word.parts.map(part => (part.kind === 'many' ? '*' : part.kind === 'one' ? '?' : part.text)).join('');

/** Every leaf below some fields under the name of its way there; a name that an agent chose stands in the text. */
export const leavesOf = (fields: Fields): readonly Entry[] =>
  Object.entries(fields).flatMap(([name, value]) => {
    if (name === 'env' && isFields(value))
      return Object.entries(value).map(([key, text]) => ({ name: 'variable', text: `${key}=${String(text)}` }));
    return leaves(LABELS[name] ?? name, value);
  });

const LABELS: Readonly<Record<string, string>> = {
  cwd: 'directory',
  timeoutMs: 'milliseconds that it may take',
  stdin: 'input',
  detach: 'outlives the server',
};

const leaves = (name: string, value: Json): readonly Entry[] => {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one: Json, index) => leaves(`${name} ${index + 1}`, one));
  if (isFields(value)) return Object.entries(value).flatMap(([key, one]) => leaves(`${name} ${key}`, one));
  // Permissions are read in octal.
  const text = name.endsWith(' mode') && typeof value === 'number' ? `0${value.toString(8)}` : String(value);
  return [{ name: name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`), text }];
};

const askedFor = ({ grant, tool, policy, rules, by, approvers, uses, ttl_ms }: Facts): readonly Entry[] => [
  { name: 'grant', text: grant },
  { name: 'tool', text: tool },
  ...rules.map(({ rule, reason }) => ({ name: 'rule', text: `${rule}: ${reason}` })),
  { name: 'policy', text: policy },
  {
    name: 'leave',
    text: `of ${approvers === 1 ? `one ${by}` : `${approvers} ${by}s`}, for ${times(uses)} within ${ttl_ms / 1000} s`,
  },
];

const times = (uses: number): string => (uses === 1 ? 'one use' : `${uses} uses`);
