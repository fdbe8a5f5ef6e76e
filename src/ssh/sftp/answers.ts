import { nameOf } from '../../text/byte-name.ts';
import { safeLine } from '../../text/safe.ts';
import { BrokenMessage, type Fields } from '../packet.ts';
import { isPossible, readAttributes } from './attributes.ts';
import type { Answer } from './conversation.ts';
import type { Attributes, Entry } from './sftp.ts';
import { SftpError, type SftpStatus } from './sftp-error.ts';
import { FXP } from './wire.ts';

/** Section 7; and of the later drafts what servers of version 3 are known to say too. */
const STATUSES: Readonly<Record<number, SftpStatus>> = {
  ...{ 1: 'end', 2: 'missing', 3: 'denied', 4: 'failed', 5: 'bad', 8: 'unsupported' },
  ...{ 10: 'missing', 11: 'exists', 12: 'denied', 14: 'full', 15: 'full' },
};
const OK = 0;

/** Throws what a STATUS says that went wrong; a server of few words leaves its text out. */
const statusIn = ({ fields, length }: Answer): undefined => {
  const code = fields.number();
  if (code === OK) return undefined;
  throw new SftpError(STATUSES[code] ?? 'failed', length > 4 ? safeLine(fields.bytes().toString('utf8')) : '');
};

/** An answer of one kind; a STATUS in its place says why not. */
const only =
  <T>(type: number, take: (fields: Fields) => T) =>
  (answer: Answer): T => {
    if (answer.type === type) return take(answer.fields);
    if (answer.type === FXP.STATUS && statusIn(answer) === undefined)
      throw new BrokenMessage('it says "done" in place of an answer');
    throw new BrokenMessage(`message ${answer.type} in place of an answer`);
  };

/** That it was done. */
export const done = (answer: Answer): undefined => {
  if (answer.type !== FXP.STATUS) throw new BrokenMessage(`message ${answer.type} in place of a status`);
  return statusIn(answer);
};

/** That there is no more: anything else that is no data is why there is none. */
export const noData = (answer: Answer): undefined => {
  try {
    done(answer);
  } catch (error) {
    if (error instanceof SftpError && error.status === 'end') return undefined;
    throw error;
  }
  throw new BrokenMessage('it says "done" in place of data');
};

/** Section 6.3. */
const LONGEST_HANDLE = 256;

/** A handle, which means something only to the server. */
export const handle = only(FXP.HANDLE, fields => {
  const bytes = fields.bytes();
  if (bytes.length > LONGEST_HANDLE) throw new BrokenMessage('a handle is too long');
  return Buffer.from(bytes);
});

/** Attributes, whose size, if there is one, can be. */
export const attributes = only(FXP.ATTRS, (fields): Attributes => {
  const read = readAttributes(fields);
  if (!isPossible(read)) throw new SftpError('lie', 'it says a size that no file has');
  return read;
});

/** The only name of an answer. */
export const oneName = only(FXP.NAME, fields => {
  if (fields.number() !== 1) throw new SftpError('lie', 'it gives no name, or many');
  const name = nameOf(fields.bytes());
  if (name === '' || name.includes('\0')) throw new SftpError('lie', 'it gives a name that none can have');
  return name;
});

/** The only name, which is an absolute path. */
export const onePath = (answer: Answer): string => {
  const path = oneName(answer);
  if (!path.startsWith('/')) throw new SftpError('lie', 'it gives a path that is not absolute');
  return path;
};

/** Names in a folder without `.` and `..`; a size that cannot be is left out. Undefined when there are no more. */
export const names = (answer: Answer): readonly Entry[] | undefined => {
  if (answer.type === FXP.STATUS) return noData(answer);
  return entries(answer);
};

const entries = only(FXP.NAME, fields => {
  const found: Entry[] = [];
  for (let left = fields.number(); left > 0; left--) {
    const name = nameOf(fields.bytes());
    fields.bytes();
    const { size, ...attributes } = readAttributes(fields);
    const sized = size !== undefined && isPossible({ kind: 'file', size }) ? { size } : {};
    if (name === '' || /[\0/]/.test(name)) throw new SftpError('lie', 'it gives a name that none can have');
    if (name !== '.' && name !== '..') found.push({ name, attributes: { ...attributes, ...sized } });
  }
  return found;
});

/** The fields of an answer to an extension. */
export const extended = <T>(take: (fields: Fields) => T): ((answer: Answer) => T) => only(FXP.EXTENDED_REPLY, take);
