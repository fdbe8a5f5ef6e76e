import { readAnswer } from './answer.ts';
import type { AskSsh, Said } from './ask.ts';
import { hostOf, type Meaning, type Meant } from './host-of.ts';
import type { Person } from './person.ts';
import { type Hop, keyOf, type SshHost } from './ssh-host.ts';

/** What is to be asked, and of which ssh_config. */
export type Question = {
  readonly names: readonly string[];
  readonly stated: ReadonlySet<string>;
  /** The file that is read in place of the usual ones. */
  readonly file: string | undefined;
};

/** What ssh said. */
export type Resolved = {
  /** By `keyOf`: the names, and whoever they go by. */
  readonly answers: ReadonlyMap<string, SshHost>;
  /** What ssh or we made nothing of, each in a sentence. */
  readonly problems: readonly string[];
  /** The key files on which the answers rest. */
  readonly looked: readonly string[];
};

/** So many at a time: each takes a few milliseconds of a processor. */
const AT_ONCE = 4;
/** The first call waits for it: a command of `Match exec` that hangs must not hold up everything. */
const LIMIT_MS = 30_000;
/** Hops are asked for as they are found; nobody has more. */
const MOST = 4_000;

/**
 * Asks ssh about each name and each hop on the way; undefined when there is no ssh. Of what it refuses to speak now, `before`
 * has what it said the last time, which then stays.
 */
export const resolveNames = async (
  question: Question,
  ask: AskSsh,
  person: Person,
  before: Resolved['answers'],
): Promise<Resolved | undefined> => {
  const plain = await ask(['-F', 'none', '--', 'localhost']);
  if ('why' in plain && plain.why === 'no ssh') return undefined;
  const answers = new Map<string, SshHost>();
  const problems = new Set<string>();
  const looked = new Set<string>();
  const meaning = 'text' in plain ? { ...question, person, usual: readAnswer(plain.text) } : undefined;
  const askFor = async (hop: Hop): Promise<readonly Hop[]> => {
    const meant = meaning === undefined ? { why: whyOf(plain) } : await meantBy(hop, ask, meaning);
    const host = 'host' in meant ? meant.host : before.get(keyOf(hop));
    if ('why' in meant) problems.add(host === undefined ? meant.why : `${meant.why}; what it said before stays`);
    else for (const path of meant.looked) looked.add(path);
    if (host !== undefined) answers.set(keyOf(hop), host);
    return host?.jumps ?? [];
  };
  const first = question.names.map(name => ({ name }));
  if (!(await walk(first, askFor, AbortSignal.timeout(LIMIT_MS)))) {
    problems.add(`ssh -G takes more than ${LIMIT_MS} ms for all hosts together: the last of ssh_config are left out`);
    for (const [key, host] of before) if (!answers.has(key)) answers.set(key, host);
  }
  return { answers, problems: [...problems].sort(), looked: [...looked] };
};

const meantBy = async (hop: Hop, ask: AskSsh, meaning: Meaning): Promise<Meant> => {
  const from = meaning.file === undefined ? [] : ['-F', meaning.file];
  const said = await ask([...from, ...argumentsOf(hop), '--', hop.name]);
  if (!('text' in said)) return { why: whyOf(said) };
  const meant = await hostOf(hop, readAnswer(said.text), meaning);
  return 'why' in meant ? { why: `${hop.name} of ssh_config is left out: ${meant.why}` } : meant;
};

const whyOf = (said: Said): string =>
  'message' in said ? `ssh -G: ${said.message}` : 'ssh -G: there is no ssh any more';

/** Values of options of their own: nothing in them is taken for another option. */
const argumentsOf = ({ user, port }: Hop): readonly string[] => [
  ...(user === undefined ? [] : ['-l', user]),
  ...(port === undefined ? [] : ['-p', String(port)]),
];

/** Asks for each hop once, and for those that it leads to; false when that took too long. */
const walk = async (
  first: readonly Hop[],
  ask: (hop: Hop) => Promise<readonly Hop[]>,
  limit: AbortSignal,
): Promise<boolean> => {
  const waiting = [...first];
  const seen = new Set(first.map(keyOf));
  const busy = new Set<Promise<void>>();
  while ((waiting.length > 0 && !limit.aborted) || busy.size > 0) {
    const hop = busy.size < AT_ONCE && !limit.aborted ? waiting.shift() : undefined;
    if (hop === undefined) {
      await Promise.race(busy);
      continue;
    }
    const work = ask(hop).then(more => {
      for (const next of more.filter(each => !seen.has(keyOf(each)) && seen.size < MOST)) {
        seen.add(keyOf(next));
        waiting.push(next);
      }
      busy.delete(work);
    });
    busy.add(work);
  }
  return waiting.length === 0;
};
