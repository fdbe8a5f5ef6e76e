import * as z from 'zod';
import { FAILURES, Failure, type FailureCode } from '../errors.ts';
import type { Command } from '../ssh/fleet.ts';
import { safeText } from '../text/safe.ts';
import { commandResult, commandShape, HELD, howText, limitText, lostFailure, plainText } from './command-result.ts';
import type { Part } from './each.ts';
import { shares } from './share.ts';
import { cost, needOf, PIECE_CHARS, showText } from './shown.ts';

const entryShape = z.strictObject({
  ...commandShape.partial().shape,
  host: z.string(),
  error: z
    .strictObject({ code: z.string(), message: z.string(), next: z.string(), retry_after_ms: z.number().optional() })
    .optional(),
});

/** One answer for each host, in the order asked. */
export const manyShape = z
  .array(entryShape)
  .optional()
  .describe(
    'With hosts: for each what host alone would answer, without cursors and counts that say nothing; or the error.',
  );

type Entry = z.output<typeof entryShape>;

/** What an entry is before its share of the characters is known: `cut` is what it costs to say where what is left out goes on. */
type Draft = {
  readonly frame: number;
  readonly need: number;
  readonly cut: number;
  readonly show: (chars: number) => Entry;
};

/** All answers in one result: short outputs whole, and what they leave goes to the long ones. */
export const manyResult = (parts: readonly Part<Command>[]): { readonly results: Entry[] } => {
  const drafts = parts.map(draftOf);
  let left = PIECE_CHARS - drafts.reduce((sum, { frame }) => sum + frame, 0);
  const needs = drafts.map(({ need }) => need);
  const cut = new Set<Draft>();
  for (;;) {
    const given = shares(needs, left);
    const more = drafts.filter((draft, index) => !cut.has(draft) && (given[index] ?? 0) < draft.need);
    if (more.length === 0) return { results: drafts.map(({ show }, index) => show(given[index] ?? 0)) };
    for (const draft of more) {
      cut.add(draft);
      left -= draft.cut;
    }
  }
};

const draftOf = (part: Part<Command>): Draft => {
  if ('failure' in part) return failed(part.host, part.failure);
  try {
    return ran(part.value);
  } catch (error) {
    if (error instanceof Failure) return failed(part.host, error);
    throw error;
  }
};

const ran = (command: Command): Draft => {
  const bare = entryOf(command, 0);
  const { stdout, stderr } = command;
  const cut = [stdout, stderr].reduce((sum, { length }) => sum + (length === 0 ? 0 : placeOf(length)), 0);
  return {
    frame: JSON.stringify({ ...bare, ...NOT_CUT }).length + (bare.status === 'running' ? 2 * placeOf(0) : 0),
    need: needOf(stdout, stderr, PIECE_CHARS),
    cut,
    show: chars => entryOf(command, chars),
  };
};

/** A cursor and a count of what is left out, of a stream of so many bytes. */
const placeOf = (length: number): number => '"stdout_cursor":,"stdout_omitted":,'.length + 2 * String(length).length;

const NOT_CUT = {
  stdout_cursor: undefined,
  stderr_cursor: undefined,
  stdout_omitted: undefined,
  stderr_omitted: undefined,
};

const entryOf = (command: Command, chars: number): Entry => {
  const { stdout_cursor, stderr_cursor, stdout_omitted, stderr_omitted, ...rest } = commandResult(command, chars);
  const lost = lostFailure(rest);
  const goesOn = rest.status === 'running';
  return {
    ...rest,
    ...(goesOn || stdout_omitted > 0 ? { stdout_cursor } : {}),
    ...(goesOn || stderr_omitted > 0 ? { stderr_cursor } : {}),
    ...(stdout_omitted > 0 ? { stdout_omitted } : {}),
    ...(stderr_omitted > 0 ? { stderr_omitted } : {}),
    ...(lost === undefined ? {} : { error: errorOf(lost) }),
  };
};

const errorOf = ({ code, message, next, details }: Failure): NonNullable<Entry['error']> => ({
  code,
  message: safeText(message),
  next,
  ...(typeof details.retry_after_ms === 'number' ? { retry_after_ms: details.retry_after_ms } : {}),
});

/** What happened comes before what could be done. */
const failed = (host: string, failure: Failure): Draft => {
  const error = errorOf(failure);
  return {
    frame: JSON.stringify({ host, error: { ...error, message: '', next: '' } }).length,
    need: cost(error.message) + cost(error.next),
    cut: 0,
    show: chars => {
      const message = cutTo(error.message, chars);
      return { host, error: { ...error, message, next: cutTo(error.next, chars - cost(message)) } };
    },
  };
};

const cutTo = (text: string, chars: number): string => {
  if (cost(text) <= chars) return text;
  return chars < 1 ? '' : `${showText(text, chars - 1).text}…`;
};

/** The same facts for a reader: how many there are of what, then each host, then what to know of them. */
export const manyText = (results: readonly Entry[]): string =>
  [`${results.length} hosts: ${counted(results.map(wordOf))}`, ...results.map(entryText), ...hintsFor(results)].join(
    '\n',
  );

const wordOf = (entry: Entry): string => entry.error?.code ?? (entry.queued === undefined ? howText(entry) : 'queued');

const counted = (words: readonly string[]): string =>
  [...new Set(words)].map(word => `${words.filter(each => each === word).length} ${word}`).join(', ');

const entryText = (entry: Entry): string => {
  const { host, status, queued, error } = entry;
  const failure = error === undefined ? [] : [`${error.code} on ${host}: ${error.message} ${error.next}`];
  return [
    ...(status === undefined ? [] : [`${queued === undefined ? '' : 'queued, '}${plainText(entry)}`]),
    ...failure,
  ].join('\n');
};

const hintsFor = (results: readonly Entry[]): readonly string[] => {
  const limit = results.find(({ output_limit }) => output_limit !== undefined)?.output_limit;
  return [
    ...(results.some(({ status, queued }) => status === 'running' && queued === undefined) ? [RUNNING] : []),
    ...(results.some(({ queued }) => queued !== undefined) ? [QUEUED] : []),
    ...(results.some(({ output_held }) => output_held) ? [HELD] : []),
    ...(limit === undefined ? [] : [limitText(limit)]),
    ...(results.some(({ stdout_omitted, stderr_omitted }) => stdout_omitted || stderr_omitted) ? [LEFT_OUT] : []),
  ];
};

const RUNNING =
  'What is running goes on: ssh_read_output with its command_id waits for more, ssh_cancel_command stops it.';
const QUEUED =
  'What is queued was not sent yet: it waits for a free lane of its host, and begins by itself; ssh_cancel_command takes it back.';
const LEFT_OUT = 'What is not shown: ssh_read_output with its command_id, from its cursor on.';

/** The call failed when nothing came of it on any host; it then fails as the first of them did. */
export const manyFailure = (results: readonly Entry[]): Failure | undefined => {
  const errors = results.flatMap(({ error }) => (error === undefined ? [] : [error]));
  const [first] = errors;
  if (first === undefined || errors.length < results.length || !isCode(first.code)) return undefined;
  const { code, message, next, ...wait } = first;
  const said = results.length === 1 ? message : `It failed on all ${results.length} hosts, on the first so: ${message}`;
  return new Failure(code, said, { next, details: wait });
};

const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);
