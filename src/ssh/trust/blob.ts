/** The fields of a blob in their order (RFC 4251 section 5). */
export type Fields = {
  readonly bytes: () => Buffer;
  /** A name: latin1, so that every byte is one character. */
  readonly text: () => string;
  readonly byte: () => number;
  readonly uint32: () => number;
  readonly uint64: () => bigint;
  /** Where the next field begins, in bytes. */
  readonly at: () => number;
  readonly more: () => boolean;
};

/** What `read` makes of a blob; undefined when a field is cut short, when bytes are left over, or when `read` says so. */
export const readBlob = <T>(blob: Buffer, read: (fields: Fields) => T | undefined): T | undefined => {
  let at = 0;
  const take = (count: number): Buffer => {
    if (count > blob.length - at) throw new CutShort();
    at += count;
    return blob.subarray(at - count, at);
  };
  const bytes = (): Buffer => take(take(4).readUInt32BE());
  const fields: Fields = {
    bytes,
    text: () => bytes().toString('latin1'),
    byte: () => take(1).readUInt8(),
    uint32: () => take(4).readUInt32BE(),
    uint64: () => take(8).readBigUInt64BE(),
    at: () => at,
    more: () => at < blob.length,
  };
  try {
    const value = read(fields);
    return at === blob.length ? value : undefined;
  } catch (error) {
    if (error instanceof CutShort) return undefined;
    throw error;
  }
};

class CutShort extends Error {}

/** Strings until the bytes end. */
export const readStrings = (blob: Buffer): readonly Buffer[] | undefined =>
  readBlob(blob, ({ bytes, more }) => {
    const all: Buffer[] = [];
    while (more()) all.push(bytes());
    return all;
  });

/** Bytes behind their length. */
export const string = (content: Uint8Array | string): Buffer => {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([uint32(bytes.length), bytes]);
};

/** Four bytes, the highest first. */
export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A positive number behind its length, without leading zeros, its sign kept clear (`mpint`). */
export const mpint = (number: Buffer): Buffer => {
  const first = number.findIndex(byte => byte !== 0);
  const bare = first < 0 ? Buffer.alloc(0) : number.subarray(first);
  return string((bare[0] ?? 0) < 0x80 ? bare : Buffer.concat([Buffer.alloc(1), bare]));
};

/** A positive `mpint`'s bytes at this width; undefined when it is wider. */
export const fixedWidth = (number: Buffer, width: number): Buffer | undefined => {
  const first = number.findIndex(byte => byte !== 0);
  const bare = first < 0 ? Buffer.alloc(0) : number.subarray(first);
  return bare.length > width ? undefined : Buffer.concat([Buffer.alloc(width - bare.length), bare]);
};
