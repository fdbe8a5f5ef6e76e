import { existsSync } from 'node:fs';
import { openAudit } from '../audit/log.ts';
import type { AuditRecord } from '../audit/record.ts';
import { countdown } from '../gate/ask-answer.ts';
import { digestOf, type Facts, readFacts } from '../gate/facts.ts';
import { sheetOf } from '../gate/sheet.ts';
import { type Approval, isAnswered } from '../state/approval.ts';
import { openSqlite } from '../state/sqlite.ts';
import type { Store } from '../state/store.ts';
import { linesOf } from '../text/question.ts';
import { Environment, type Io } from './io.ts';
import { logTo } from './log.ts';
import type { Options } from './options.ts';
import { placesIn } from './record.ts';

/** A question with the time it has left. */
export type Waiting = Approval & { readonly leftMs: number };

/** A question whose shown lines are those that its digest is over. */
export type Shown = { readonly approval: Waiting; readonly facts: Facts; readonly lines: readonly string[] };

/** Opens the store in which servers of this account keep what they ask; undefined when there is none. */
export const openStore = async (io: Io, { paths, logLevel }: Options): Promise<Store | undefined> => {
  const { store: file } = placesIn(paths.state);
  if (!existsSync(file)) return undefined;
  const { clock, random, uid } = io;
  return await openSqlite({ file, clock, random, uid, log: logTo(io, logLevel) });
};

/** The question that an id means, or the beginning of one; without an id the only one that waits. Or why there is none. */
export const questionNamed = async (store: Store, id: string | undefined): Promise<Waiting | string> => {
  const all = await store.approvals.all();
  if (id === undefined) {
    const [first, ...more] = all.filter(isOpen);
    if (first === undefined) return 'Nothing waits for an answer.';
    return more.length === 0
      ? first
      : `${more.length + 1} questions wait: name one of them (sallyport approvals list).`;
  }
  const meant = all.filter(one => one.id === id || (id.length >= LEAST_BEGINNING && one.id.startsWith(id)));
  const [only, ...others] = meant;
  if (only === undefined) return `There is no question ${JSON.stringify(id)}.`;
  return others.length === 0 ? only : `${JSON.stringify(id)} is the beginning of ${meant.length} questions.`;
};

const LEAST_BEGINNING = 'ap_'.length + 4;

/** Whether somebody may still say yes or no. */
export const isOpen = ({ stance, leftMs }: Waiting): boolean => stance === 'asked' && leftMs > 0;

/** Where it stands, in one word. */
export const wordFor = (approval: Approval): string => {
  if (approval.stance !== 'asked') return approval.stance;
  return isAnswered(approval) ? 'approved' : 'waiting';
};

/**
 * What an open question is about, from the facts alone that its digest is over; or why nobody should answer it. Whatever else
 * the store says of it may have been written by anybody of this account.
 */
export const shownOf = async (store: Store, approval: Waiting): Promise<Shown | string> => {
  if (!isOpen(approval)) return `${approval.id} is ${wordFor(approval)}: it can no longer be answered.`;
  const text = await store.approvals.facts(approval.id);
  const facts = text === undefined ? undefined : readFacts(text);
  if (facts === undefined || digestOf(facts) !== approval.digest)
    return `${approval.id} is not what its digest says: somebody has changed the store. Do not approve it.`;
  const lines = sheetOf(facts);
  return lines === undefined ? `${approval.id} cannot be shown whole.` : { approval, facts, lines };
};

/** The question as a person reads it, with what nobody vouches for at its end. */
export const textOf = ({ approval, lines }: Shown): string =>
  [
    `${approval.id}, ${countdown(approval.leftMs)} left`,
    '',
    ...lines,
    '',
    ...(linesOf([
      ...(approval.why === '' ? [] : [{ name: 'the agent says why, and nobody vouches for it', text: approval.why }]),
      ...approval.voices.map(({ principal, key }) => ({
        name: 'the store says, and nobody has verified, that yes was said by',
        text: `${principal}, ${key}`,
      })),
    ]) ?? []),
  ].join('\n');

/** A question as data. */
export const dataOf = (approval: Waiting) => ({
  id: approval.id,
  state: wordFor(approval),
  host: approval.host,
  tool: approval.tool,
  grant: approval.grant,
  by: approval.by,
  approvers: approval.approvers,
  voices: approval.voices.map(({ principal, key, note, time }) => ({ principal, key, note, time })),
  rule: approval.rule,
  why: approval.why,
  request: approval.digest,
  policy: approval.policy,
  asked_at: new Date(approval.askedAt.wallMs).toISOString(),
  left_ms: Math.floor(approval.leftMs),
  uses: approval.uses,
  used: approval.used,
  ...(approval.note === undefined ? {} : { note: approval.note }),
});

/** Puts on record what a person saw and said here, in a file of this process, before it counts. */
export const recordWith = async (
  io: Io,
  { paths, logLevel }: Options,
  store: Store,
): Promise<{ readonly admit: (record: AuditRecord) => Promise<void>; readonly close: () => void }> => {
  const { clock, random, uid, version } = io;
  const { audit: folder, key: keyFile } = placesIn(paths.state);
  const about = { version, command: 'approvals' };
  const audit = await openAudit({ folder, keyFile, clock, store, random, uid, about, log: logTo(io, logLevel) });
  return { admit: audit.admit, close: audit.close };
};

/** The store, or the sentence that says that there is nothing to answer. */
export const storeFor = async (io: Io, options: Options): Promise<Store> => {
  const store = await openStore(io, options);
  if (store === undefined) throw new Environment(`Nothing was ever asked in ${options.paths.state}.`);
  return store;
};
