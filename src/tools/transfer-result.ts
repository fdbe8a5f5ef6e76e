import * as z from 'zod';
import { Failure } from '../errors.ts';
import { sizeText } from '../ssh/transfer/progress.ts';
import type { LeftOut, Transferred } from '../ssh/transfer/transfer.ts';
import { safeText } from '../text/safe.ts';
import { cost, PIECE_CHARS, showText } from './shown.ts';

const movedShape = z.strictObject({
  host: z.string(),
  remote_path: z.string().describe('The real path on the host.'),
  bytes: z.number().describe('Bytes that moved now.'),
  duration_ms: z.number(),
  local_path: z.string().optional(),
});

const fileShape = z.strictObject({
  size: z.number(),
  sha256: z.string().describe('Of the bytes as they now are at their destination.'),
  resumed_from: z.number().optional().describe('Bytes that were there from an earlier transfer, and were verified.'),
});

const treeShape = z.strictObject({
  files: z.number().describe('Files that were copied now.'),
  unchanged: z.number().describe('Files that were there already, with the same size and time of change.'),
  folders: z.number(),
  links: z.number(),
  deleted: z.number(),
  left_out: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
  left_out_count: z.number().describe('How many entries were not copied; left_out names the first of them.'),
});

/** What a transfer of a file or of a tree came to, on the wire. */
export const transferShape = z.strictObject({
  ...movedShape.shape,
  ...fileShape.partial().shape,
  ...treeShape.partial().shape,
});

type Told = z.output<typeof transferShape>;
type Moved = z.output<typeof movedShape>;
type FileResult = Moved & z.output<typeof fileShape>;
type TreeResult = Moved & z.output<typeof treeShape>;

const isTree = (out: Told): out is TreeResult => out.files !== undefined;

/** The members that each form of a result has always. */
export const FORMS: readonly (readonly string[])[] = [
  ['host', 'remote_path', 'bytes', 'duration_ms', 'size', 'sha256'],
  ['host', 'remote_path', 'bytes', 'duration_ms', ...Object.keys(treeShape.shape)],
];

/** What a transfer of a file or a tree came to, as JSON. */
export const transferResult = (done: Extract<Transferred, { what: 'file' | 'tree' }>): FileResult | TreeResult => {
  const moved = {
    ...{ host: done.host, remote_path: safeText(done.remotePath), bytes: done.bytes },
    duration_ms: Math.round(done.durationMs),
    ...(done.localPath === undefined ? {} : { local_path: safeText(done.localPath) }),
  };
  if (done.what === 'file')
    return {
      ...moved,
      ...{ size: done.size, sha256: done.sha256 },
      ...(done.resumedFrom === undefined ? {} : { resumed_from: done.resumedFrom }),
    };
  const { files, unchanged, folders, links, deleted } = done;
  const left_out = fitting(done.leftOut.map(entryOf), PIECE_CHARS - cost(JSON.stringify(moved)) - COUNTS_CHARS);
  return { ...moved, files, unchanged, folders, links, deleted, left_out, left_out_count: done.leftOutCount };
};

/** What all that is counted takes. */
const COUNTS_CHARS = 1_000;
const LONGEST_PATH = 400;
const LONGEST_MESSAGE = 300;

const entryOf = ({ path, why }: LeftOut) => ({
  path: showText(safeText(path), LONGEST_PATH).text,
  code: why.code,
  message: showText(safeText(why.message), LONGEST_MESSAGE).text,
});

/** Each entry is in both forms of a result, and costs there what it costs in the longer one. */
const fitting = <T extends object>(entries: readonly T[], chars: number): T[] => {
  let left = chars;
  const last = entries.findIndex(entry => {
    left -= cost(JSON.stringify(entry));
    return left < 0;
  });
  return entries.slice(0, last === -1 ? entries.length : last);
};

/** The same facts for a reader: what became of it first. */
export const transferText = (verb: 'uploaded' | 'downloaded', out: Told): string => {
  const there = `${out.host}:${out.remote_path}`;
  const way =
    verb === 'uploaded'
      ? `${out.local_path === undefined ? '' : `${out.local_path} `}to ${there}`
      : `${there}${out.local_path === undefined ? '' : ` to ${out.local_path}`}`;
  const took = `in ${(out.duration_ms / 1_000).toFixed(out.duration_ms < 10_000 ? 2 : 0)} s`;
  if (isTree(out)) return treeText(out, `${verb} ${way} ${took}`);
  const resumed =
    out.resumed_from === undefined ? '' : `, of which ${bytesText(out.resumed_from)} were there and verified`;
  return `${verb} ${way} ${took}: ${bytesText(out.size ?? out.bytes)}${resumed}, SHA-256 ${out.sha256}`;
};

const treeText = (out: TreeResult, head: string): string => {
  const counts = [
    `${out.files} files copied (${bytesText(out.bytes)})`,
    `${out.unchanged} unchanged`,
    `${out.folders} folders`,
    ...(out.links === 0 ? [] : [`${out.links} links`]),
    ...(out.deleted === 0 ? [] : [`${out.deleted} deleted`]),
    `${out.left_out_count} left out`,
  ];
  const hidden = out.left_out_count - out.left_out.length;
  return [
    `${head}: ${counts.join(', ')}`,
    ...out.left_out.map(({ path, code, message }) => `left out ${path}: ${code}: ${message}`),
    ...(hidden === 0 ? [] : [`and ${hidden} more that were left out`]),
  ].join('\n');
};

const bytesText = (bytes: number): string =>
  bytes < 10_000 ? `${bytes} bytes` : `${sizeText(bytes)} (${bytes} bytes)`;

/**
 * What a transfer gives; one that lost its connection says how to go on. It is no riddle as a lost command is: whatever arrived, its final
 * name has what was there before or all of it.
 */
export const goingOn = async <T>(work: Promise<T>, asked: { readonly local_path?: string | undefined }): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'CONNECTION_LOST' || 'resumable_bytes' in error.details)
      throw error;
    const { code, message, details, operator } = error;
    const how = asked.local_path === undefined ? '' : ', with resume: true to go on where it was cut';
    throw new Failure(code, message, { next: `Call again${how}.`, details, operator, cause: error });
  }
};
