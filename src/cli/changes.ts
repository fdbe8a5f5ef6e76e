import type { Charge, Decision, Effect, Obligations } from '../policy/decision.ts';
import { EFFECTS } from '../policy/decision.ts';
import { runsOf } from './explain.ts';
import type { Try } from './tries.ts';

/** More is allowed, less is, or a person is asked for what needed none. */
export type Way = 'widened' | 'narrowed' | 'asked';

type Side = { readonly decision: Effect; readonly rule: string; readonly reason: string; readonly runs?: string };

/** A call that is decided otherwise: what of the decision, and where; `hosts` are all that it holds for. */
export type Change = {
  readonly change: Way;
  readonly what: readonly ('decision' | 'runs' | 'limits' | 'timeout' | 'output')[];
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly hosts: readonly string[];
  readonly users: readonly string[];
  readonly at?: readonly string[];
  readonly was: Side;
  readonly now: Side;
};

/** What changes for one call, or undefined. */
export const changeOf = ({ call, hosts }: Try, old: Decision, now: Decision): Change | undefined => {
  const ways = old.effect === now.effect ? details(old, now) : [{ what: 'decision' as const, way: wayOf(old, now) }];
  const [first] = ways;
  if (first === undefined) return undefined;
  return {
    change: ways.some(({ way }) => way === 'widened') ? 'widened' : first.way,
    what: [...new Set(ways.map(({ what }) => what))],
    tool: call.tool,
    args: { ...call.args, ...(call.session === undefined ? {} : { session: call.session }) },
    hosts,
    users: call.user === undefined || call.user === '' ? [] : [call.user],
    ...(call.at === undefined ? {} : { at: [call.at] }),
    was: sideOf(old),
    now: sideOf(now),
  };
};

/** Changes that say the same of other hosts, users or times are one. */
export const merged = (changes: readonly Change[]): readonly Change[] => {
  const byKey = new Map<string, Change>();
  for (const change of changes) {
    const { hosts, users, at, ...same } = change;
    const key = JSON.stringify(same);
    const other = byKey.get(key);
    byKey.set(key, other === undefined ? change : joined(other, change));
  }
  return [...byKey.values()];
};

const joined = (a: Change, b: Change): Change => {
  const at = [...new Set([...(a.at ?? []), ...(b.at ?? [])])];
  return {
    ...a,
    hosts: [...new Set([...a.hosts, ...b.hosts])],
    users: [...new Set([...a.users, ...b.users])],
    ...(at.length === 0 ? {} : { at }),
  };
};

/** What a person may now let through is wider than what nobody could. */
const wayOf = (old: Decision, now: Decision): Way => {
  if (EFFECTS.indexOf(now.effect) < EFFECTS.indexOf(old.effect)) return 'widened';
  return now.effect === 'ask' ? 'asked' : 'narrowed';
};

const sideOf = (decision: Decision): Side => {
  const [{ rule, reason }] = decision.because;
  const runs =
    decision.effect === 'deny' || !('program' in decision.action) ? {} : { runs: runsOf(decision.action.program) };
  return { decision: decision.effect, rule, reason, ...runs };
};

type Detail = { readonly what: Change['what'][number]; readonly way: Way };

const details = (old: Decision, now: Decision): readonly Detail[] => {
  if (old.effect === 'deny' || now.effect === 'deny') return [];
  return [
    ...runsChange(old, now),
    ...chargesChange(old.charges, now.charges),
    ...bound('timeout', old.obligations, now.obligations, 'timeoutMs'),
    ...bound('output', old.obligations, now.obligations, 'maxOutputBytes'),
  ];
};

type Granted = Exclude<Decision, { effect: 'deny' }>;

/** Only words that are written in, and nothing left out, make it narrower. */
const runsChange = (old: Granted, now: Granted): readonly Detail[] => {
  if (old.action.kind !== 'exec' || now.action.kind !== 'exec') return [];
  const [before, after] = [old.action.program, now.action.program];
  if (runsOf(before) === runsOf(after) && 'canonical' in before === 'canonical' in after) return [];
  const narrower = 'canonical' in after && (!('canonical' in before) || isWithin(before.canonical, after.canonical));
  return [{ what: 'runs', way: narrower ? 'narrowed' : 'widened' }];
};

const isWithin = (few: string, many: string): boolean => {
  const words = many.split(' ');
  let from = 0;
  return few.split(' ').every(word => {
    const at = words.indexOf(word, from);
    from = at + 1;
    return at >= 0;
  });
};

const chargesChange = (old: readonly Charge[], now: readonly Charge[]): readonly Detail[] => {
  const lost = old.some(charge => !now.some(other => isAsStrict(other, charge)));
  const gained = now.some(charge => !old.some(other => isAsStrict(other, charge)));
  if (!lost && !gained) return [];
  return [{ what: 'limits', way: lost ? 'widened' : 'narrowed' }];
};

const isAsStrict = (charge: Charge, than: Charge): boolean =>
  budgetOf(charge) === budgetOf(than) &&
  charge.max <= than.max &&
  charge.amount >= than.amount &&
  (charge.span.kind === 'window'
    ? than.span.kind === 'window' && charge.span.windowMs >= than.span.windowMs
    : than.span.kind === 'concurrent');

/** What a charge counts, and for whom, without its span, with which its key begins. */
const budgetOf = ({ key }: Charge): string => key.slice(key.indexOf(','));

const bound = (
  what: 'timeout' | 'output',
  old: Obligations,
  now: Obligations,
  key: keyof Obligations,
): readonly Detail[] => {
  const [before, after] = [old[key] ?? Number.POSITIVE_INFINITY, now[key] ?? Number.POSITIVE_INFINITY];
  return before === after ? [] : [{ what, way: after > before ? 'widened' : 'narrowed' }];
};
