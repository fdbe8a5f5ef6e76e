import { bytesOf } from '../../text/byte-name.ts';
import { attributes, done, handle, noData } from './answers.ts';
import { attributesFor } from './attributes.ts';
import type { Conversation } from './conversation.ts';
import { joined } from './pieces.ts';
import type { Changes, OpenMode, RemoteFile } from './sftp.ts';
import { FXP, halves } from './wire.ts';

/** SSH_FXF_READ, SSH_FXF_WRITE, SSH_FXF_CREAT and SSH_FXF_EXCL (section 6.3). */
const [READ, WRITE, CREATE, EXCLUSIVE] = [1, 2, 8, 32];
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: READ,
  new: WRITE + CREATE + EXCLUSIVE,
  update: READ + WRITE,
};

/** What a file has of its conversation. */
export type Ground = {
  readonly conversation: Conversation;
  readonly limits: { readonly maxRead: number; readonly maxWrite: number };
  readonly syncs: boolean;
  readonly window: number;
};

/** Opens a file: see `Sftp.open`. */
export const openFile = async (
  ground: Ground,
  path: string,
  { mode, changes = {} }: { readonly mode: OpenMode; readonly changes?: Changes | undefined },
): Promise<RemoteFile> => {
  const parts = [bytesOf(path), FLAGS[mode], ...attributesFor(changes)];
  return fileOf(ground, await ground.conversation.ask(FXP.OPEN, parts, handle));
};

const fileOf = ({ conversation, limits, syncs, window }: Ground, name: Buffer): RemoteFile => {
  const { maxRead, maxWrite } = limits;
  const readPieces: RemoteFile['readPieces'] = (offset, length) =>
    conversation.read([name, ...halves(offset)], Math.min(length, maxRead), noData);
  return {
    ...{ maxRead, maxWrite, window, readPieces },
    read: async (offset, length) => {
      const pieces = await readPieces(offset, length);
      return pieces === undefined ? undefined : joined(pieces);
    },
    write: async (offset, bytes) => await conversation.write(name, offset, bytes, done),
    stat: async () => await conversation.ask(FXP.FSTAT, [name], attributes),
    change: async changes => await conversation.ask(FXP.FSETSTAT, [name, ...attributesFor(changes)], done),
    sync: async () => {
      if (syncs) await conversation.ask(FXP.EXTENDED, ['fsync@openssh.com', name], done, true);
    },
    close: async () => {
      if (conversation.isOpen) await conversation.ask(FXP.CLOSE, [name], done);
    },
  };
};
