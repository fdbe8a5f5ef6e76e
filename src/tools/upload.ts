import * as z from 'zod';
import type { Transfer } from '../call.ts';
import { Failure } from '../errors.ts';
import { host, reason } from './fields.ts';
import { localPath, recursive, remoteOf, remotePath, resume, symlinks, treeOf } from './file-fields.ts';
import { defineTool } from './tool.ts';
import { FORMS, goingOn, transferResult, transferShape, transferText } from './transfer-result.ts';

const CONTENT_BYTES = 1_048_576;

const input = z
  .strictObject({
    host,
    remote_path: remotePath,
    local_path: localPath.describe('A file of this machine.'),
    content: z.string().max(CONTENT_BYTES).optional().describe('Instead: the text, up to 1 MiB.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be three octal digits, such as "0644"')
      .optional()
      .describe('With content: permissions, such as "0644".'),
    recursive,
    symlinks,
    delete_extra: z.boolean().optional().describe('Of a tree: delete on the host what is not here.'),
    resume,
    reason,
  })
  .refine(args => (args.local_path === undefined) !== (args.content === undefined), {
    message: 'give either local_path or content',
    path: ['local_path'],
  })
  .refine(args => Buffer.byteLength(args.content ?? '') <= CONTENT_BYTES, {
    message: 'is longer than 1 MiB: put it into a file and give local_path',
    path: ['content'],
  })
  .refine(args => !/\p{Surrogate}/u.test(args.content ?? ''), {
    message: 'has half a character in it, which no file could hold: send whole characters',
    path: ['content'],
  })
  .refine(args => args.mode === undefined || args.content !== undefined, {
    message: 'goes with content: a file of this machine keeps its own permissions',
    path: ['mode'],
  })
  .refine(args => args.recursive !== true || args.local_path !== undefined, {
    message: 'goes with local_path: the folder to copy',
    path: ['recursive'],
  })
  .refine(args => args.recursive === true || (args.symlinks === undefined && args.delete_extra !== true), {
    message: 'symlinks and delete_extra are for trees: give recursive: true with them',
    path: ['recursive'],
  })
  .refine(args => args.resume !== true || args.local_path !== undefined, {
    message: 'goes with local_path: a text is sent as a whole',
    path: ['resume'],
  });

const sourceOf = ({ content, mode, local_path = '', ...args }: z.output<typeof input>) =>
  content === undefined
    ? { localPath: local_path, ...treeOf(args) }
    : { from: { content, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) } };

/** `ssh_upload`: puts a file, a text or a tree on a host. */
export const upload = defineTool({
  name: 'ssh_upload',
  title: 'Upload a file',
  description:
    'Writes a file on a host, from a local file or from content, or a tree (recursive; what is unchanged is not sent again). ' +
    'It replaces what is there in one step, when all of it has arrived.',
  risk: 'replace',
  input,
  output: transferShape,
  forms: FORMS,
  action: (args, { directory }): Transfer => ({
    kind: 'transfer',
    target: directory.target(args.host),
    remotePath: remoteOf(args),
    resume: args.resume === true,
    direction: 'upload',
    ...sourceOf(args),
  }),
  run: async (permit, { fleet }, { signal, progress }, args) => {
    const done = await goingOn(fleet.transfer(permit, { signal, progress }), args);
    if (done.what === 'text') throw new Failure('DEFECT', 'An upload came back as a text.');
    return transferResult(done);
  },
  text: out => transferText('uploaded', out),
});
