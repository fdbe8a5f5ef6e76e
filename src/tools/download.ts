import * as z from 'zod';
import type { Transfer } from '../call.ts';
import type { Transferred } from '../ssh/transfer/transfer.ts';
import { safeText } from '../text/safe.ts';
import { host, reason } from './fields.ts';
import { localPath, recursive, remoteOf, remotePath, resume, symlinks, treeOf } from './file-fields.ts';
import { BASE64_BYTES, partAsBase64, partAsText } from './file-text.ts';
import { cost, PIECE_CHARS } from './shown.ts';
import { defineTool } from './tool.ts';
import { FORMS, goingOn, transferResult, transferShape, transferText } from './transfer-result.ts';

const TEXT_BYTES = 24_000;

const input = z
  .strictObject({
    host,
    remote_path: remotePath,
    local_path: localPath.describe('Where to put it.'),
    recursive,
    symlinks,
    resume,
    encoding: z.enum(['text', 'base64']).optional().describe('base64: exact bytes, 16 KiB at a time.'),
    offset: z.int().min(0).optional().describe('The byte to begin at.'),
    max_bytes: z.int().min(1).max(TEXT_BYTES).optional().describe(`Default ${TEXT_BYTES}.`),
    reason,
  })
  .refine(args => args.local_path === undefined || (args.offset === undefined && args.max_bytes === undefined), {
    message: 'offset and max_bytes are for text in the result: leave them out, or local_path',
    path: ['local_path'],
  })
  .refine(args => args.local_path === undefined || args.encoding === undefined, {
    message: 'is for what comes in the result: leave it out, or local_path',
    path: ['encoding'],
  })
  .refine(args => args.local_path !== undefined || (args.recursive !== true && args.resume !== true), {
    message: 'is needed for recursive and resume: where to put it',
    path: ['local_path'],
  })
  .refine(args => args.recursive === true || args.symlinks === undefined, {
    message: 'is for trees: give recursive: true with it',
    path: ['symlinks'],
  });

const output = z.strictObject({
  ...transferShape.shape,
  offset: z.number().optional().describe('Where content begins in the file.'),
  next_offset: z.number().optional().describe('Where to go on; absent at the end of the file.'),
  content: z.string().optional(),
  encoding: z.enum(['text', 'base64']).optional(),
  exact: z
    .literal(false)
    .optional()
    .describe('content is not exactly those bytes: something was made visible, or a secret left out.'),
  binary: z.literal(true).optional().describe('It is no text, and nothing of it is shown.'),
});

type Out = z.output<typeof output>;
type Text = Extract<Transferred, { what: 'text' }>;

const TEXT_FORM = ['host', 'remote_path', 'bytes', 'duration_ms', 'size', 'offset', 'content', 'encoding'];

/** `asked` is how many bytes were asked for: fewer came only where the file ends, whatever size it says it has (those of /proc say 0). */
const textResult = (done: Text, encoding: 'text' | 'base64', asked: number): Out => {
  const { content, offset, size, redaction } = done;
  const goesOn = content.length === asked && offset + content.length !== size;
  const remote_path = safeText(done.remotePath);
  const chars = PIECE_CHARS - cost(remote_path);
  const part = (encoding === 'text' ? partAsText : partAsBase64)({ content, goesOn, redaction, chars });
  const next = offset + part.bytes;
  return {
    ...{ host: done.host, remote_path, duration_ms: Math.round(done.durationMs) },
    ...{ bytes: part.bytes, size, offset, encoding, content: part.content },
    ...(goesOn || part.bytes < content.length ? { next_offset: next } : {}),
    ...(part.sha256 === undefined ? {} : { sha256: part.sha256 }),
    ...(part.exact ? {} : { exact: false as const }),
    ...(part.binary ? { binary: true as const } : {}),
  };
};

const textText = (out: Out): string => {
  const { offset = 0, size = 0, next_offset: next, sha256 } = out;
  const more = next === undefined ? 'that is all' : `offset ${next} goes on`;
  const sum = sha256 === undefined ? '' : `, SHA-256 ${sha256}`;
  const head = `${out.bytes} bytes of ${out.host}:${out.remote_path} (${size} bytes) from offset ${offset}: ${more}${sum}`;
  const hint = hintFor(out);
  return `${head}${hint === undefined ? '' : `\n[${hint}]`}${out.content === '' ? '' : `\n${out.content}`}`;
};

const hintFor = ({ binary, exact, encoding, sha256 }: Out): string | undefined => {
  if (binary) return 'Binary data: give local_path to keep it as a file, or encoding "base64" for its exact bytes.';
  if (exact !== false) return encoding === 'base64' ? 'in base64' : undefined;
  if (sha256 === undefined) return 'A secret of this server is among them and is left out.';
  return 'Not exactly as they are: control characters are shown as \\u{…}, line ends as line feeds. encoding "base64" gives the exact bytes.';
};

/** `ssh_download`: gets a file or a tree, or reads a file as text. */
export const download = defineTool({
  name: 'ssh_download',
  title: 'Download a file',
  description:
    'Reads a file of a host: as text in the result (encoding, offset, max_bytes), or to local_path, a tree too (recursive; what is unchanged is not fetched again). ' +
    'There it replaces what is there in one step, when all of it has arrived.',
  risk: 'replace',
  input,
  output,
  forms: [...FORMS, TEXT_FORM],
  action: (args, { directory }): Transfer => ({
    ...{ kind: 'transfer', target: directory.target(args.host), remotePath: remoteOf(args) },
    ...{ direction: 'download', resume: args.resume === true },
    ...(args.local_path === undefined
      ? { to: 'text', offset: args.offset ?? 0, maxBytes: askedOf(args) }
      : { localPath: args.local_path, ...treeOf(args) }),
  }),
  run: async (permit, { fleet }, { signal, progress }, args): Promise<Out> => {
    const done = await goingOn(fleet.transfer(permit, { signal, progress }), args);
    return done.what === 'text' ? textResult(done, args.encoding ?? 'text', askedOf(args)) : transferResult(done);
  },
  text: out => (out.content === undefined ? transferText('downloaded', out) : textText(out)),
});

const askedOf = ({ encoding, max_bytes: max = TEXT_BYTES }: z.output<typeof input>): number =>
  encoding === 'base64' ? Math.min(max, BASE64_BYTES) : max;
