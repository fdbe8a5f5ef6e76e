import { type Action, type Call, hostOf } from '../call.ts';
import { reader } from './condition.ts';
import { type Charge, type Denial, denial } from './decision.ts';

/** What a limit is written as; `window` is text such as `minute` or `10m`. */
export type RawLimit = {
  readonly counter: string;
  readonly window?: string | undefined;
  readonly concurrent?: true | undefined;
  readonly max: number;
  readonly scope: Scope;
  readonly increment_from?: string | undefined;
  readonly on_deny?: string | undefined;
};

/** Who shares a budget: one grant's calls, one session's, all calls to one host, or all calls to this server. */
export type Scope = 'grant' | 'host' | 'session' | 'server';

/** A compiled limit. */
export type Limit = {
  /** What it takes for a call, or why the call cannot be counted at all. */
  readonly take: (call: Call, host: string | undefined) => Charge | Denial;
  /** What a plain call of this grant would take, when its budget depends on nothing else of the call. */
  readonly standing: (grant: string) => Charge | undefined;
  /** The argument that it adds up; undefined for one that counts calls. */
  readonly adds: string | undefined;
};

/** Whether a limit adds up the bytes that a call moves. */
export const countsBytes = ({ adds }: Limit): boolean => adds === 'args.size';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const NAMED: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const LONGEST_MS = 366 * 86_400_000;

/** The milliseconds of `minute`, `hour`, `day`, or of a whole number with `s`, `m`, `h` or `d`; at most 366 days. */
export const windowMsOf = (text: string): number | undefined => {
  const [, count, unit] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  const ms = count === undefined || unit === undefined ? NAMED[text] : Number(count) * (UNITS[unit] ?? Number.NaN);
  return ms !== undefined && ms <= LONGEST_MS ? ms : undefined;
};

/** Compiles a limit that the schema accepted. */
export const compileLimit = (raw: RawLimit, rule: string): Limit => {
  const { counter, scope, max } = raw;
  const windowMs = raw.window === undefined ? undefined : windowMsOf(raw.window);
  const span = Object.freeze(
    windowMs === undefined ? { kind: 'concurrent' as const } : { kind: 'window' as const, windowMs },
  );
  const prefix = JSON.stringify([windowMs ?? 'concurrent', scope, counter]).slice(0, -1);
  const rate = `${max} ${windowMs === undefined ? 'at a time' : `per ${raw.window}`} ${WHOSE[scope]}`;
  const reason = raw.on_deny ?? `The limit of ${rate} is reached.`;
  const charge = (amount: number, who: string): Charge => ({
    rule,
    key: `${prefix},${who}]`,
    amount,
    max,
    span,
    reason,
  });
  const amountOf = raw.increment_from === undefined ? () => 1 : amountAt(raw.increment_from);
  const uncountable = denial(
    rule,
    raw.on_deny ?? `${raw.increment_from} must be a number of at least 0: it is counted.`,
  );
  const excessive = denial(rule, raw.on_deny ?? `This can never fit in the limit of ${rate}.`);
  const take: Limit['take'] = (call, host) => {
    try {
      const amount = amountOf(call);
      if (amount === undefined) return uncountable;
      return amount > max ? excessive : charge(amount, whoOf(scope, call, host));
    } catch {
      return uncountable;
    }
  };
  const standing: Limit['standing'] = grant =>
    scope === 'grant' || scope === 'server' ? charge(1, scope === 'grant' ? JSON.stringify(grant) : SERVER) : undefined;
  return Object.freeze({ take, standing, adds: raw.increment_from });
};

const WHOSE: Readonly<Record<Scope, string>> = {
  grant: 'for this grant',
  host: 'for this host',
  session: 'for this session',
  server: 'for this server',
};

/** The server has no name of its own. */
const SERVER = 'true';

/** Rounded up: a budget of whole units never lets fractions through for nothing. */
const amountAt = (path: string): ((call: Call) => number | undefined) => {
  const read = reader(path);
  return ({ input }) => {
    const at = read(input);
    const amount = at === 'mistyped' ? undefined : at.value;
    return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? Math.ceil(amount) : undefined;
  };
};

/** The rest of the key, as JSON, so that no name can pass for another's. */
const whoOf = (scope: Scope, call: Call, host: string | undefined): string => {
  const at = host ?? hostOf(call.action) ?? null;
  switch (scope) {
    case 'grant':
      return JSON.stringify(call.grant);
    case 'host':
      return JSON.stringify(at);
    case 'session':
      return `${JSON.stringify(call.grant)},${JSON.stringify(at === null ? null : sessionOf(call.action))}`;
    case 'server':
      return SERVER;
  }
};

/** An id that belongs to no host is one that a client made up, and must not open a budget of its own. */
const sessionOf = (action: Action): string | null => {
  if ('session' in action) return action.session ?? null;
  return 'id' in action && action.what === 'session' ? action.id : null;
};
