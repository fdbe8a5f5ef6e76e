import { loadConfig } from '../config/load.ts';
import { compile, readUntried, type Untried } from '../policy/compile.ts';
import { visibility } from '../policy/decide.ts';
import type { Decision } from '../policy/decision.ts';
import { decisionOn } from '../policy/rules/tests.ts';
import type { Host } from '../ssh/host.ts';
import { TOOLS } from '../tools/index.ts';
import { SERVED } from '../tools/known.ts';
import { unseenRules, type Written, writtenChanges } from './as-written.ts';
import { type Change, changeOf, merged } from './changes.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';
import { groupsOf } from './places.ts';
import { textOf } from './policy-validate.ts';
import { replayOf } from './replay.ts';
import { type Try, triesOf } from './tries.ts';

/** What another document decides otherwise. */
export type Difference = {
  readonly old: string;
  readonly new: string;
  readonly changes: readonly Change[];
  /** What only the texts show. */
  readonly written: readonly Written[];
  /** Rules that differ although nothing above names them. */
  readonly unseen: readonly string[];
  /** What `tools/list` gains and loses. */
  readonly listed: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly tried: number;
  readonly replayed?: number;
  /** Records that do not say what the call was to do. */
  readonly skipped?: number;
  readonly widens: boolean;
};

/** `policy diff`: decisions that change from the first document to the second; 1 when anything widens. */
export const policyDiff = async (io: Io, request: Request): Promise<number> => {
  const { flags, options, operands } = request;
  const [old = '', now = ''] = operands;
  const { hosts } = await withEveryHost(io, loadConfig(options, io).config, options);
  const replay = flags.get('replay')?.[0];
  const audit = replay === undefined ? undefined : textOf(io, replay).text;
  const difference = differenceOf(sound(io, old), sound(io, now), hosts, audit);
  if (options.json) writeJson(io, difference);
  else tell(io, difference);
  return difference.widens ? EXIT.no : EXIT.ok;
};

const sound = (io: Io, name: string): Untried => {
  const { file, text } = textOf(io, name);
  compile(text, file, SERVED);
  return readUntried(text, file);
};

const decided = ({ call }: Try, { policy }: Untried): Decision => decisionOn(call, policy, SERVED.read);

/** Compares two sound documents; `audit` is the text of a file of the record. */
export const differenceOf = (old: Untried, now: Untried, hosts: readonly Host[], audit?: string): Difference => {
  const tries = triesOf([old, now], groupsOf([old, now], hosts));
  const replay = audit === undefined ? undefined : replayOf(audit, hosts);
  const changes = merged(
    [...tries, ...(replay?.tries ?? [])].flatMap(each => changeOf(each, decided(each, old), decided(each, now)) ?? []),
  );
  const written = writtenChanges(old, now);
  const named = new Set([
    ...changes.flatMap(({ was, now }) => [was.rule, now.rule]),
    ...written.map(({ rule }) => rule),
  ]);
  const names = TOOLS.map(({ name }) => name);
  const shows = (here: Untried, there: Untried) =>
    names.filter(name => visibility(here.policy, name) && !visibility(there.policy, name));
  return {
    old: old.policy.digest,
    new: now.policy.digest,
    changes,
    written,
    unseen: unseenRules(old, now, named),
    listed: { added: shows(now, old), removed: shows(old, now) },
    tried: tries.length,
    ...(replay === undefined ? {} : { replayed: replay.tries.length, skipped: replay.skipped }),
    widens: [...changes, ...written].some(({ change }) => change === 'widened'),
  };
};

const tell = (io: Io, { changes, written, unseen, listed, tried, replayed, skipped, widens }: Difference): void => {
  for (const alike of alikes(changes)) tellChanges(io, alike);
  for (const { change, rule, what } of written) print(io, `${change.padEnd(8)} ${rule}: ${what}`);
  for (const name of listed.added) print(io, `listed   ${name}`);
  for (const name of listed.removed) print(io, `unlisted ${name}`);
  for (const rule of unseen) print(io, `unseen   ${rule} differs, and no call that was tried shows it`);
  print(
    io,
    `${tried} calls tried${replayed === undefined ? '' : `, ${replayed} replayed, ${skipped ?? 0} not on record`}`,
  );
  print(io, widens ? 'The new policy allows more.' : 'Nothing widens.');
};

/** Changes of one kind, by the same rules; a person reads a few of them, and JSON has all. */
const alikes = (changes: readonly Change[]): readonly (readonly Change[])[] => {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const key = JSON.stringify([change.change, change.what, change.tool, change.was.rule, change.now.rule]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [change]);
    else group.push(change);
  }
  return [...groups.values()];
};

const SHOWN = 5;

const tellChanges = (io: Io, alike: readonly Change[]): void => {
  for (const change of alike.slice(0, SHOWN)) tellChange(io, change);
  if (alike.length > SHOWN) print(io, `         and ${alike.length - SHOWN} more like it: --json lists them`);
};

const tellChange = (io: Io, { change, what, tool, args, hosts, users, at, was, now }: Change): void => {
  const where = [hosts.join(', '), ...(users.length === 0 ? [] : [`as ${users.join(', ')}`])].join(' ');
  const [time, ...more] = at ?? [];
  const when = time === undefined ? '' : ` at ${time}${more.length === 0 ? '' : ` and ${more.length} more times`}`;
  const words = Object.entries(args).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  print(io, `${change.padEnd(8)} ${[tool, ...words].join(' ')}`);
  print(io, `         on ${where}${when}: ${what.join(', ')}`);
  print(io, `         was ${was.decision} by ${was.rule}, is ${now.decision} by ${now.rule}`);
};
