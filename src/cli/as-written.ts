import type { Untried } from '../policy/compile.ts';
import { ACTIONS, FILE_ACTIONS } from '../policy/rules/action.ts';
import type { RawRule } from '../policy/rules/schema.ts';
import type { Way } from './changes.ts';
import { synopsesOf } from './permissions.ts';
import { unknownSynopses } from './tries.ts';

/** A difference that is seen in the texts alone: an action that no call is tried for, or a synopsis that none is known for. */
export type Written = { readonly change: Way; readonly rule: string; readonly what: string };

/** Compares as it is written what calls cannot show. */
export const writtenChanges = (old: Untried, now: Untried): readonly Written[] =>
  [
    ...onlyIn(now, old).map(written => ({
      ...written,
      change: written.grants ? ('widened' as const) : ('narrowed' as const),
    })),
    ...onlyIn(old, now).map(written => ({
      ...written,
      change: written.grants ? ('narrowed' as const) : ('widened' as const),
    })),
  ].map(({ change, rule, what }) => ({ change, rule, what }));

/** Rules, and entries of tools, whose texts differ although no change names them. */
export const unseenRules = (old: Untried, now: Untried, seen: ReadonlySet<string>): readonly string[] => {
  const [before, after] = [textsOf(old), textsOf(now)];
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    id => before.get(id) !== after.get(id) && ![...seen].some(rule => rule === id || rule.startsWith(`${id}/`)),
  );
};

const textsOf = (read: Untried): ReadonlyMap<string, string> =>
  new Map([
    ...(read.document.rules ?? []).map(
      ({ match: _match, not_match: _not, reason: _reason, ...rule }): Text => [
        `/rules/${rule.id}`,
        JSON.stringify([rule, hostsOf(read, rule), synopsesOf(rule, read.packs)]),
      ],
    ),
    ...Object.entries(read.document.tools ?? {}).map(([tool, raw]): Text => [`/tools/${tool}`, JSON.stringify(raw)]),
  ]);

type Text = readonly [id: string, text: string];

/** `within` is the key of what says this and more. */
type Clause = {
  readonly key: string;
  readonly within?: string;
  readonly rule: string;
  readonly what: string;
  readonly grants: boolean;
};

const onlyIn = (read: Untried, other: Untried): readonly Clause[] => {
  const known = new Set(clausesOf(other).map(({ key }) => key));
  return clausesOf(read).filter(({ key, within }) => !known.has(key) && !(within !== undefined && known.has(within)));
};

const clausesOf = (read: Untried): readonly Clause[] => [...networksOf(read), ...rulesOf(read)];

const networksOf = ({ document: { networks = {} } }: Untried): readonly Clause[] => {
  const said = { rule: '/networks', within: 'every network' };
  const { allow, deny = [] } = networks;
  return [
    ...(allow === undefined
      ? [{ ...said, key: 'every network', what: 'any address may be dialled', grants: true }]
      : []),
    ...(allow ?? []).map(one => ({ ...said, key: `allow ${one}`, what: `${one} may be dialled`, grants: true })),
    ...deny.map(one => ({ rule: '/networks', key: `deny ${one}`, what: `${one} is never dialled`, grants: false })),
  ];
};

const EVERY_FILE = '/**';

/** One for each path on each host, so that one more is no other rule. */
const fileClauses = (
  action: string,
  { effect, users, when, paths = [EVERY_FILE] }: RawRule,
  hosts: readonly string[],
  rule: string,
): readonly Clause[] =>
  hosts.flatMap(host =>
    paths.map(path => ({
      key: JSON.stringify([action, effect, host, users, when, path]),
      within: JSON.stringify([action, effect, host, users, when, EVERY_FILE]),
      rule,
      what: `${action} of ${path} is ${effect}`,
      grants: effect !== 'deny',
    })),
  );

const rulesOf = (read: Untried): readonly Clause[] =>
  (read.document.rules ?? []).flatMap((raw, index) => {
    const rule = `/rules/${raw.id}`;
    const grants = raw.effect !== 'deny';
    const { effect, users, when, ports, addresses, directions, tags } = raw;
    const where = [effect, hostsOf(read, raw), users, when];
    const does = ACTIONS.filter(action => read.rules[index]?.does(action) === true);
    const files = does.filter(action => FILE_ACTIONS.includes(action));
    const actions = does.filter(action => action !== 'exec' && action !== 'input' && !files.includes(action));
    const typing = read.rules[index]?.does('input') === true ? keysOf(raw) : [];
    return [
      ...actions.map(action => ({
        key: JSON.stringify([action, where, ports, addresses, directions, tags]),
        rule,
        what: `${action} is ${effect}`,
        grants,
      })),
      ...files.flatMap(action => fileClauses(action, raw, hostsOf(read, raw), rule)),
      ...typing.map(key => ({
        key: JSON.stringify(['input', where, key]),
        within: JSON.stringify(['input', where, 'any']),
        rule,
        what: `input of ${key} is ${effect}`,
        grants,
      })),
      ...unknownSynopses(read, raw).map(text => ({
        key: JSON.stringify([text, where]),
        rule,
        what: `no command is known for: ${text}`,
        grants,
      })),
    ];
  });

/** A deny of input is of all keys. */
const keysOf = ({ effect, input = [] }: RawRule): readonly string[] =>
  input === 'any' || effect === 'deny' ? ['any'] : input;

const hostsOf = ({ document: { hosts = {} } }: Untried, rule: Pick<RawRule, 'hosts'>): readonly string[] =>
  (rule.hosts ?? ['*']).flatMap(entry => (Object.hasOwn(hosts, entry) ? (hosts[entry] ?? []) : [entry]));
