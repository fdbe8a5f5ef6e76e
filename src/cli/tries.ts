import type { Untried } from '../policy/compile.ts';
import type { RawCondition, RawTool } from '../policy/document.ts';
import type { Rule } from '../policy/rules/rule.ts';
import type { RawRule } from '../policy/rules/schema.ts';
import type { TestCall } from '../policy/rules/tests.ts';
import { instancesOf } from '../policy/synopsis/instances.ts';
import { TOOL_NAMES } from '../policy/tool-names.ts';
import { fileTries } from './file-tries.ts';
import { synopsesOf } from './permissions.ts';
import type { Group } from './places.ts';

/** A call that two documents are asked about, and the hosts that it stands for. */
export type Try = { readonly call: TestCall; readonly hosts: readonly string[] };

type Pair = readonly [Untried, Untried];
type Args = NonNullable<TestCall['args']>;

/** Texts that only a rule for any command lets through, and one that everybody lets through. */
const COMMON = ['uptime', 'id', 'rm -rf /srv', 'echo $(id)'];
const SHELL: TestCall = { tool: 'ssh_session_start', args: { mode: 'terminal' } };
/** A key that nobody lists. */
const ANY_OTHER_KEY = 'ctrl-]';

/**
 * Everything worth asking: both documents' tests, every tool by itself and with the values of its conditions, and, where a
 * rule of either is about the host, the rule's examples and commands made from its synopses.
 */
export const triesOf = (pair: Pair, groups: readonly Group[]): readonly Try[] => {
  const tests = pair.flatMap(({ document }) => document.tests ?? []);
  const isBarred = pair.every(({ policy }) => policy.rulesOf('ssh_exec').barred !== undefined);
  const run = (command: string): TestCall =>
    isBarred ? { tool: 'ssh_session_send', args: { input: command } } : { tool: 'ssh_exec', args: { command } };
  const tools = TOOL_NAMES.flatMap(tool => [{ tool }, ...conditionCalls(pair, tool)]);
  const everywhere = [...COMMON.map(run), SHELL, ...tools];
  const rules = rulesIn(pair).map(({ rule, commands, variants }) => ({
    rule,
    calls: [...commands.map(run), ...variants],
  }));
  return [
    ...tests.map(({ expect: _expect, rule: _rule, ...call }) => ({ call, hosts: [call.host ?? 'web-1'] })),
    ...groups.flatMap(({ place, hosts }) => {
      const about = rules.filter(({ rule }) => rule.covers(place)).flatMap(({ calls }) => calls);
      const { host, user, tags } = place;
      return unlike([...everywhere, ...about]).map(call => ({ call: { ...call, host, user, tags: [...tags] }, hosts }));
    }),
  ];
};

const unlike = (calls: readonly TestCall[]): readonly TestCall[] => [
  ...new Map(calls.map(call => [JSON.stringify(call), call])).values(),
];

type RuleTries = { readonly rule: Rule; readonly commands: readonly string[]; readonly variants: readonly TestCall[] };

/** Of a synopsis that both documents have, one command is enough; of the others, every kind. */
const rulesIn = (pair: Pair): readonly RuleTries[] => {
  const texts = pair.map(read => new Set((read.document.rules ?? []).flatMap(raw => textsOf(read, raw))));
  const isInBoth = (text: string): boolean => texts.every(each => each.has(text));
  return pair.flatMap(read =>
    (read.document.rules ?? []).flatMap((raw, index) => {
      const rule = read.rules[index];
      if (rule === undefined) return [];
      const made = textsOf(read, raw).flatMap(text => instances(text).slice(0, isInBoth(text) ? 1 : undefined));
      const variants = [...variantsOf(read, raw), ...fileTries(rule)];
      return [{ rule, commands: [...examplesOf(read, raw), ...made], variants }];
    }),
  );
};

/** The examples of a rule, and of the packs that it names. */
const examplesOf = ({ packs }: Untried, raw: RawRule): readonly string[] => {
  const entries = Array.isArray(raw.commands) ? raw.commands : [];
  const named = entries.flatMap(entry => packs.get(/^@([a-z0-9-]+)/.exec(entry)?.[1] ?? '') ?? []);
  return [raw, ...named].flatMap(({ match = [], not_match = [] }) => [...match, ...not_match]);
};

/** What stands for a `<command>`: whether its rule grants it is for the documents to say. */
const INNER = [['uptime'], ['id']];

/** Many rules name the same packs. */
const kept =
  <Key, Value>(known: { get: (key: Key) => Value | undefined; set: (key: Key, value: Value) => unknown }) =>
  (key: Key, make: () => Value): Value => {
    const value = known.get(key) ?? make();
    known.set(key, value);
    return value;
  };

const keptInstances = kept(new Map<string, readonly string[]>());
const keptTexts = kept(new WeakMap<RawRule, readonly string[]>());

const instances = (text: string): readonly string[] => keptInstances(text, () => instancesOf(text, INNER));

const textsOf = ({ packs }: Untried, rule: RawRule): readonly string[] =>
  keptTexts(rule, () => {
    const synopses = synopsesOf(rule, packs);
    return synopses === undefined || synopses === 'any' ? [] : synopses.map(({ synopsis }) => synopsis);
  });

/** Synopses of which no command can be made up here. */
export const unknownSynopses = (read: Untried, rule: RawRule): readonly string[] =>
  textsOf(read, rule).filter(text => instances(text).length === 0);

/** A command of the rule, detached, not alone, elsewhere, with variables, and at other times; and each with input. */
const variantsOf = (read: Untried, rule: RawRule): readonly TestCall[] => {
  const [first] = rule.effect === 'deny' ? [] : (rule.match ?? []);
  const command = first ?? textsOf(read, rule).flatMap(text => instances(text).slice(0, 1))[0] ?? 'uptime';
  const run = (args: Args, at?: string): TestCall => ({
    tool: 'ssh_exec',
    args: { command, ...args },
    ...(at === undefined ? {} : { at }),
  });
  return [
    ...[command, ...textsOf(read, rule).flatMap(text => instances(text).slice(0, 1))].map(each =>
      run({ command: each, stdin: 'x' }),
    ),
    run({ detach: true }),
    run({ command: `${command}; ${command}` }),
    run({ timeout_ms: 86_400_000 }),
    ...(rule.cwd ?? []).map(pattern => run({ cwd: pattern.replace(/\*+/g, 'x') })),
    run({ cwd: '/any/other/folder' }),
    ...(rule.env ?? []).map(name => run({ env: { [name]: 'x' } })),
    run({ env: { ANY_OTHER: 'x' } }),
    ...timesOf(rule.when).map(at => run({}, at)),
    ...keysOf(rule).map(key => typing(command, key)),
  ];
};

const typing = (command: string, key: string): TestCall => ({
  tool: 'ssh_session_send',
  session: { mode: 'program', command },
  args: { keys: [key] },
});

const keysOf = ({ actions = [], input = [] }: RawRule): readonly string[] =>
  actions.includes('input') ? [...(input === 'any' ? [] : input), ANY_OTHER_KEY] : [];

const HOUR_MS = 3_600_000;

/** Every half hour of a week, and the edges of the rule's dates. */
const timesOf = (when: RawRule['when']): readonly string[] => {
  if (when === undefined) return [];
  const edges = [when.not_before, when.not_after].flatMap(time => {
    const at = time === undefined ? Number.NaN : Date.parse(time);
    return Number.isNaN(at) ? [] : [at - 1, at, at + 1];
  });
  const monday = Date.parse('2026-01-05T00:00:00Z');
  const week = Array.from({ length: 7 * 48 }, (_, half) => monday + (half * HOUR_MS) / 2 + 60_000);
  return [...week, ...edges].map(at => new Date(at).toISOString());
};

/** Calls with the values that a tool's conditions speak of, each with all others as `require` wants them. */
const conditionCalls = (pair: Pair, tool: string): readonly TestCall[] => {
  const raws = pair.flatMap(({ document }) => document.tools?.[tool] ?? []);
  const all = raws.flatMap(raw => [...conditionsIn(raw.require), ...conditionsIn(raw.deny_if)]);
  return raws.flatMap(raw => {
    const base = conditionsIn(raw.require).reduce<Args>((args, each) => withValue(args, each, valuesOf(each)[0]), {});
    return [base, ...all.flatMap(each => valuesOf(each).map(value => withValue(base, each, value)))].map(args => ({
      tool,
      args,
    }));
  });
};

const conditionsIn = (groups: RawTool['require'] | RawTool['deny_if'] = []): readonly RawCondition[] =>
  groups.flatMap(group => ('conditions' in group ? group.conditions : [group]));

type Json = Args[string];

/** Values on both sides of a condition; the first, where that can be told, is one that holds. */
const valuesOf = ({ op, value = null }: RawCondition): readonly Json[] => {
  const listed = Array.isArray(value) ? value : [value];
  if (typeof value === 'number')
    return op.startsWith('g') ? [value + 1, value, value - 1] : [value - 1, value, value + 1];
  if (op === 'exists') return ['x'];
  return op === 'neq' || op === 'not_in' ? ['any other', ...listed] : [...listed, 'any other'];
};

const withValue = (args: Args, { path }: RawCondition, value: Json | undefined): Args => {
  const [name, ...inner] = path.split('.').slice(1);
  if (name === undefined || value === undefined) return args;
  return { ...args, [name]: inner.reduceRight<Json>((held, key) => ({ [key]: held }), value) };
};
