import { bytesOf } from '../../text/byte-name.ts';
import { windowFor } from '../dial/window.ts';
import type { Part } from '../packet.ts';
import { type Greeting, limitsOf } from './ability.ts';
import { attributes, done, extended, oneName, onePath } from './answers.ts';
import { attributesFor } from './attributes.ts';
import type { Conversation, Decode } from './conversation.ts';
import { type Ground, openFile } from './file.ts';
import { listFolder } from './listing.ts';
import type { Sftp } from './sftp.ts';
import { FXP, uint64 } from './wire.ts';

/** Bytes on their way at once on a short line: sixteen requests keep the server, the wire and us busy at the same time. */
const WINDOW = 4 * 2 ** 20;

/** What can be asked in a conversation whose greeting is done. */
export const clientOf = (conversation: Conversation, greeting: Greeting, roundTripMs: number): Sftp => {
  const { offers } = greeting;
  const replaces = offers.has('posix-rename@openssh.com');
  const syncs = offers.has('fsync@openssh.com');
  const limits = limitsOf(conversation, greeting);
  const window = Math.max(WINDOW, windowFor(roundTripMs) ?? 0);
  const ground: Ground = { conversation, limits, syncs, window };
  const ask = <T>(type: number, parts: readonly Part[], decode: Decode<T>): Promise<T> =>
    conversation.ask(type, parts, decode);
  const renameNew: Sftp['renameNew'] = (from, to) => ask(FXP.RENAME, [bytesOf(from), bytesOf(to)], done);
  return {
    ...{ roundTripMs, replaces, syncs, renameNew },
    handles: () => limits.handles,
    realPath: path => ask(FXP.REALPATH, [bytesOf(path)], onePath),
    stat: path => ask(FXP.STAT, [bytesOf(path)], attributes),
    lstat: path => ask(FXP.LSTAT, [bytesOf(path)], attributes),
    list: path => listFolder(conversation, path),
    readLink: path => ask(FXP.READLINK, [bytesOf(path)], oneName),
    // The draft has the two the other way round; OpenSSH did not, and everybody does as OpenSSH does (its PROTOCOL section 4.1).
    makeLink: (path, target) => ask(FXP.SYMLINK, [bytesOf(target), bytesOf(path)], done),
    makeFolder: (path, mode) =>
      ask(FXP.MKDIR, [bytesOf(path), ...attributesFor(mode === undefined ? {} : { mode })], done),
    removeFolder: path => ask(FXP.RMDIR, [bytesOf(path)], done),
    remove: path => ask(FXP.REMOVE, [bytesOf(path)], done),
    rename: (from, to) =>
      replaces
        ? ask(FXP.EXTENDED, ['posix-rename@openssh.com', bytesOf(from), bytesOf(to)], done)
        : renameNew(from, to),
    change: (path, changes) => ask(FXP.SETSTAT, [bytesOf(path), ...attributesFor(changes)], done),
    open: (path, mode, changes) => openFile(ground, path, { mode, changes }),
    room: async path => {
      if (!offers.has('statvfs@openssh.com')) return undefined;
      return await ask(FXP.EXTENDED, ['statvfs@openssh.com', bytesOf(path)], room);
    },
    isOpen: () => conversation.isOpen,
    close: () => conversation.close(),
  };
};

/** f_bavail of f_frsize bytes each, the second and fifth field. */
const room = extended(fields => {
  const [, size = 0, , , free = 0] = Array.from({ length: 5 }, () => uint64(fields));
  const bytes = size * free;
  return Math.min(bytes, Number.MAX_SAFE_INTEGER);
});
