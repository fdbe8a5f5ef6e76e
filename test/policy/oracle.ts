/*
 * The policy on one page, from the reference alone: no indexes, no compilation, no sharing with src. It reads the raw
 * document for every call and answers what must come out. Slow and plain on purpose: laws.test.ts compares the two.
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Row = { readonly [key: string]: Json };
export type Verdict =
  | { readonly effect: 'deny'; readonly rule: string }
  | { readonly effect: 'allow' | 'ask'; readonly charges: readonly string[] };
export type Asked = {
  readonly tool: string;
  readonly input: { readonly [key: string]: unknown };
  readonly grant: string;
  readonly host: string | null;
  readonly session: string | null;
};

const row = (value: Json | undefined): Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : {};
const rows = (value: Json | undefined): Row[] => (Array.isArray(value) ? value.map(row) : []);
const deny = (rule: string): Verdict => ({ effect: 'deny', rule });

export const oracle = (document: Row, call: Asked): Verdict => {
  const hide = (document.hide ?? []) as readonly string[];
  const tools = row(document.tools);
  const listed = Object.keys(tools).includes(call.tool);
  const tool = row(tools[call.tool]);
  const at = `/tools/${call.tool}`;
  if (hide.includes('*') || hide.includes(call.tool)) return deny('(hidden)');
  if (!listed && document.default === 'deny') return deny('(default deny)');
  if (tool.action === 'deny') return deny(`${at}/action`);
  for (const group of rows(tool.require)) {
    for (const each of conditions(group)) if (holds(each, call.input) !== 'yes') return deny(`${at}/require/`);
  }
  for (const group of rows(tool.deny_if)) {
    let refuses = true;
    for (const each of conditions(group)) if (holds(each, call.input) === 'no') refuses = false;
    if (refuses) return deny(`${at}/deny_if/`);
  }
  const limits = [...rows(row(document.all_tools).limits), ...(listed ? rows(tool.limits) : [])];
  const rate = row(tool.rate_limit);
  if (tool.rate_limit !== undefined)
    limits.push({ counter: `${call.tool}_rate`, window: `${rate.window}s`, max: rate.max ?? 0, scope: 'grant' });
  const taken: { name: string; amount: number; max: number }[] = [];
  for (const limit of limits) {
    const amount = limit.increment_from === undefined ? 1 : amountAt(String(limit.increment_from), call.input);
    if (amount === undefined || amount > Number(limit.max)) return deny('limit');
    const name = budget(limit, call);
    const same = taken.find(other => other.name === name);
    if (same === undefined) taken.push({ name, amount, max: Number(limit.max) });
    else [same.amount, same.max] = [Math.max(same.amount, amount), Math.min(same.max, Number(limit.max))];
  }
  if (taken.some(({ amount, max }) => amount > max)) return deny('limit');
  const asks = tool.action === 'require_approval' || tool.approval !== undefined;
  return {
    effect: asks ? 'ask' : 'allow',
    charges: taken.map(({ name, amount, max }) => `${amount} of ${max}: ${name}`).sort(),
  };
};

const conditions = (group: Row): Row[] => (group.conditions === undefined ? [group] : rows(group.conditions));

/** `doubt` when a value is there that the operator cannot judge. */
const holds = ({ path, op, value }: Row, input: Asked['input']): 'yes' | 'no' | 'doubt' => {
  const actual = valueAt(String(path), input);
  if (actual === 'doubt') return 'doubt';
  const found = actual.value;
  if (op === 'exists') return found === null ? 'doubt' : (found !== undefined) === (value ?? true) ? 'yes' : 'no';
  if (found === undefined) return 'no';
  const sort = typeof found;
  const plain = sort === 'string' || sort === 'boolean' || Number.isFinite(found);
  const say = (answer: boolean) => (answer ? 'yes' : 'no');
  if (op === 'eq') return plain && sort === typeof value ? say(found === value) : 'doubt';
  if (op === 'neq') return plain && sort === typeof value ? say(found !== value) : 'doubt';
  if (op === 'in' || op === 'not_in') {
    const list = value as readonly Json[];
    if (!plain || list.every(item => typeof item !== sort)) return 'doubt';
    return say(list.some(item => item === found) === (op === 'in'));
  }
  if (op === 'contains' && Array.isArray(found)) {
    if (found.some(item => item === value)) return 'yes';
    return found.some(item => typeof item !== typeof value) ? 'doubt' : 'no';
  }
  if (op === 'contains')
    return sort === 'string' && typeof value === 'string' ? say(String(found).includes(value)) : 'doubt';
  if (op === 'regex') return sort === 'string' ? say(new RegExp(String(value), 'u').test(String(found))) : 'doubt';
  if (sort !== 'number' || !Number.isFinite(found)) return 'doubt';
  const [a, b] = [Number(found), Number(value)];
  return say(op === 'lt' ? a < b : op === 'lte' ? a <= b : op === 'gt' ? a > b : a >= b);
};

const valueAt = (path: string, input: Asked['input']): { value: unknown } | 'doubt' => {
  let value: unknown = input;
  for (const step of path.split('.').slice(1)) {
    if (value === undefined) return { value };
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'doubt';
    value = Object.entries(value).find(([key]) => key === step)?.[1];
  }
  return { value };
};

const amountAt = (path: string, input: Asked['input']): number | undefined => {
  const at = valueAt(path, input);
  const amount = at === 'doubt' ? undefined : at.value;
  return typeof amount === 'number' && amount >= 0 && amount < Number.POSITIVE_INFINITY ? Math.ceil(amount) : undefined;
};

/** What two limits must have in common to share a budget. */
const budget = ({ counter, window, scope }: Row, { grant, host, session }: Asked): string => {
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[String(window).slice(-1)] ?? 0;
  const seconds = { minute: 60, hour: 3600, day: 86400 }[String(window)] ?? Number.parseInt(String(window), 10) * unit;
  const who = { grant: [grant], host: [host], session: [grant, host === null ? null : session], server: [] }[
    String(scope)
  ];
  return JSON.stringify({ counter, span: window === undefined ? 'concurrent' : seconds, scope, who });
};
