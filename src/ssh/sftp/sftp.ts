/** What an entry of a file system is, by its mode (draft-ietf-secsh-filexfer-02 section 5, and the S_IFMT bits that every server sends). */
export type FileKind = 'file' | 'directory' | 'link' | 'other' | 'unknown';

/** Attributes as the server tells them; what it does not tell is undefined. Times are seconds since the epoch. */
export type Attributes = {
  readonly kind: FileKind;
  /** Bytes, a safe integer. */
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** All bits of it, the kind's too. */
  readonly mode?: number;
  readonly accessedAt?: number;
  readonly modifiedAt?: number;
};

/** What may be set: permission bits (no kind), whose it is, times in seconds, a length to cut or extend to. */
export type Changes = {
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  readonly times?: { readonly accessedAt: number; readonly modifiedAt: number };
  readonly size?: number;
};

/** A name in a folder, never `.` or `..`, never empty, without `/`, in the form of `text/byte-name.ts`. */
export type Entry = { readonly name: string; readonly attributes: Attributes };

/**
 * How a file is opened: `read`; `new` makes one and fails when there is anything of the name, a link included (O_EXCL); `update` writes in one that
 * is there, and may be read too.
 */
export type OpenMode = 'read' | 'new' | 'update';

/** An open file of the host. Offsets and sizes are bytes. */
export type RemoteFile = {
  /** Bytes that one request may ask for or carry (`limits@openssh.com`, or 32 KiB). */
  readonly maxRead: number;
  readonly maxWrite: number;
  /** Bytes that are worth having on their way at once, for the round trip to this host. */
  readonly window: number;
  /** At most `length` bytes from there, fewer when the server gives fewer; undefined at the end of the file. */
  readonly read: (offset: number, length: number) => Promise<Buffer | undefined>;
  /** The same in the pieces in which they came, never empty, without a copy. */
  readonly readPieces: (offset: number, length: number) => Promise<readonly Buffer[] | undefined>;
  /** Resolves when the server has said that it is written; `bytes` are not to be changed before. */
  readonly write: (offset: number, bytes: Buffer) => Promise<void>;
  readonly stat: () => Promise<Attributes>;
  readonly change: (changes: Changes) => Promise<void>;
  /** `fsync@openssh.com`; does nothing where the server has none. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * A conversation with the SFTP server of a host, version 3 (draft-ietf-secsh-filexfer-02), on a channel of its own. Requests may
 * be in flight together, and the server does them in the order in which they were called; paths are absolute, in the form of
 * `text/byte-name.ts`. Everything rejects with an `SftpError`, or with CONNECTION_LOST when the conversation is over.
 */
export type Sftp = {
  /** To this host, when its link was dialled. */
  readonly roundTripMs: number;
  /** Whether `rename` replaces what is there in one step (`posix-rename@openssh.com`). */
  readonly replaces: boolean;
  /** How many files and folders may be open at a time, as far as the server has said that by now. */
  readonly handles: () => number;
  /** Whether `RemoteFile.sync` does anything. */
  readonly syncs: boolean;
  /** The path without symbolic links; OpenSSH gives one also for a last name that is not there yet. */
  readonly realPath: (path: string) => Promise<string>;
  readonly stat: (path: string) => Promise<Attributes>;
  /** Of a symbolic link itself. */
  readonly lstat: (path: string) => Promise<Attributes>;
  /** Part after part, as the server gives them. */
  readonly list: (path: string) => AsyncIterable<readonly Entry[]>;
  readonly readLink: (path: string) => Promise<string>;
  readonly makeLink: (path: string, target: string) => Promise<void>;
  readonly makeFolder: (path: string, mode?: number) => Promise<void>;
  readonly removeFolder: (path: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Replaces `to` where the server can; elsewhere fails when it is there. */
  readonly rename: (from: string, to: string) => Promise<void>;
  /** The rename of version 3, which fails when `to` is there. */
  readonly renameNew: (from: string, to: string) => Promise<void>;
  readonly change: (path: string, changes: Changes) => Promise<void>;
  readonly open: (path: string, mode: OpenMode, changes?: Changes) => Promise<RemoteFile>;
  /** Bytes that an ordinary user can still write there (`statvfs@openssh.com`); undefined where the server does not say. */
  readonly room: (path: string) => Promise<number | undefined>;
  /** Whether the conversation goes on. */
  readonly isOpen: () => boolean;
  /** Ends the conversation; what is in flight rejects. */
  readonly close: () => void;
};
