/** Variables as `env -0` prints them; values are bytes, one to a character (latin1), so that what is no UTF-8 can be compared. */
export type Environment = ReadonlyMap<string, string>;

/** What a line did to the variables: `odd` are those whose new values no command line of ours can carry. */
export type Difference = {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  readonly odd: readonly string[];
};

const ENTRY = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
/**
 * What shells and sshd set by themselves, for one process or one connection, and what a shell takes from nobody. Kept, it
 * would be wrong in the next line, or an error of it.
 */
const PASSING =
  /^(?:_|A__z|SHLVL|PWD|OLDPWD|LINENO|RANDOM|SRANDOM|SECONDS|EPOCHSECONDS|EPOCHREALTIME|BASHPID|PPID|UID|EUID|GID|EGID|USERNAME|IFS|OPTIND|SSH_CLIENT|SSH_CONNECTION|SSH_TTY|XDG_SESSION_ID|SALLYPORT_.*)$/;

/** Reads entries; functions that bash exports, and whatever else has no plain name, are left out. */
export const readEnvironment = (entries: readonly string[]): Environment =>
  new Map(
    entries.flatMap(entry => {
      const [, name, value] = ENTRY.exec(entry) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );

/** What is in `after` and was not so in `before`, and the other way round. */
export const differenceOf = (before: Environment, after: Environment): Difference => {
  const changed = [...after].filter(([name, value]) => !PASSING.test(name) && before.get(name) !== value);
  const texts = changed.map(([name, value]) => [name, textOf(value)] as const);
  return {
    set: Object.fromEntries(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]))),
    unset: [...before.keys()].filter(name => !PASSING.test(name) && !after.has(name)),
    odd: texts.filter(([, text]) => text === undefined).map(([name]) => name),
  };
};

/** The environment with these variables in it, and without those. */
export const withChanges = (
  base: Environment,
  env: Readonly<Record<string, string>>,
  gone: ReadonlySet<string>,
): Environment => {
  const given = Object.entries(env).map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const);
  const changed = new Map([...base, ...given]);
  for (const name of gone) changed.delete(name);
  return changed;
};

const textOf = (bytes: string): string | undefined => {
  const raw = Buffer.from(bytes, 'latin1');
  const text = raw.toString('utf8');
  return Buffer.from(text).equals(raw) ? text : undefined;
};
