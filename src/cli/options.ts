import { isGrantName } from '../config/grant.ts';
import type { Env, Paths } from '../config/paths.ts';
import { defaultPaths, expandHome, homeOf } from '../config/paths.ts';
import { didYouMean, nearest } from '../text/nearest.ts';
import { Usage } from './io.ts';

/** What may be said on stderr, from least to most. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the flags and the environment settle for every subcommand: flags beat environment, environment beats files. */
export type Options = {
  readonly paths: Paths;
  /** The files that somebody named: they must exist, where a default one may be absent. */
  readonly named: { readonly config: boolean; readonly policy: boolean; readonly state: boolean };
  /** Undefined when nobody named one. */
  readonly grant: string | undefined;
  /** The digest of the only policy that may be in force. */
  readonly pin: string | undefined;
  /** A candidate to be judged beside the policy. */
  readonly shadow: string | undefined;
  readonly logLevel: LogLevel;
  readonly json: boolean;
};

type Given = (name: keyof typeof TWINS) => { readonly value: string; readonly from: string } | undefined;

/** Each flag's twin in the environment. */
export const TWINS = {
  config: 'SALLYPORT_CONFIG',
  policy: 'SALLYPORT_POLICY',
  state: 'SALLYPORT_STATE',
  grant: 'SALLYPORT_GRANT',
  pin: 'SALLYPORT_PIN',
  shadow: 'SALLYPORT_SHADOW',
  'log-level': 'SALLYPORT_LOG_LEVEL',
  json: 'SALLYPORT_JSON',
} as const;

/** Twins of flags that this version has not: obeying them by silence would guard less than somebody believes. */
const LATER = ['SALLYPORT_HTTP', 'SALLYPORT_CONSOLE'];

/** The options in force; throws a `Usage` that names the flag or the variable at fault. */
export const optionsFrom = (
  flags: ReadonlyMap<string, readonly string[]>,
  env: Env,
  resolve: (path: string) => string,
): Options => {
  checkNames(env);
  const given: Given = name => {
    const flag = flags.get(name)?.[0];
    if (flag !== undefined) return { value: flag, from: `--${name}` };
    const value = env[TWINS[name]];
    return value === undefined || value === '' ? undefined : { value, from: TWINS[name] };
  };
  const byDefault = defaultPaths(env);
  const named = (name: 'config' | 'policy' | 'state' | 'shadow'): string | undefined => {
    const chosen = given(name);
    return chosen === undefined ? undefined : resolve(expandHome(chosen.value, homeOf(env)));
  };
  const path = (name: 'config' | 'policy' | 'state'): string => named(name) ?? byDefault[name];
  return {
    paths: { config: path('config'), policy: path('policy'), state: path('state') },
    named: {
      config: given('config') !== undefined,
      policy: given('policy') !== undefined,
      state: given('state') !== undefined,
    },
    grant: grantFrom(given('grant')),
    pin: pinFrom(given('pin')),
    shadow: named('shadow'),
    logLevel: levelFrom(given('log-level')),
    json: flags.has('json') || truthFrom(given('json')),
  };
};

type Chosen = ReturnType<Given>;

const grantFrom = (chosen: Chosen): string | undefined => {
  if (chosen === undefined || isGrantName(chosen.value)) return chosen?.value;
  throw new Usage(`${chosen.from} must be a name of letters, digits, ., _ and -, up to 64`);
};

const pinFrom = (chosen: Chosen): string | undefined => {
  if (chosen === undefined || /^sha256:[0-9a-f]{64}$/.test(chosen.value)) return chosen?.value;
  throw new Usage(`${chosen.from} must be sha256: and 64 hexadecimal digits; policy validate prints them`);
};

const isLevel = (text: string): text is LogLevel => LOG_LEVELS.some(level => level === text);

const levelFrom = (chosen: Chosen): LogLevel => {
  if (chosen === undefined) return 'warn';
  if (isLevel(chosen.value)) return chosen.value;
  throw new Usage(`${chosen.from} must be one of ${LOG_LEVELS.join(', ')}${didYouMean(chosen.value, LOG_LEVELS)}`);
};

const truthFrom = (chosen: Chosen): boolean => {
  if (chosen === undefined || chosen.value === '0' || chosen.value === 'false') return false;
  if (chosen.value === '1' || chosen.value === 'true') return true;
  throw new Usage(`${chosen.from} must be 1, true, 0 or false`);
};

/** A mistyped variable would be obeyed by nobody, and the default would guard instead. */
const checkNames = (env: Env): void => {
  const twins: readonly string[] = Object.values(TWINS);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || twins.includes(name)) continue;
    if (LATER.includes(name) && env[name] !== '') throw new Usage(`${name} is not available in this version`);
    const near = nearest(
      name.slice(PREFIX.length),
      twins.map(twin => twin.slice(PREFIX.length)),
    );
    if (near !== undefined) throw new Usage(`unknown variable ${name}; did you mean "${PREFIX}${near}"?`);
  }
};

const PREFIX = 'SALLYPORT_';
