const ZEROS = Buffer.alloc(65_536);

/** Whether a block holds nothing but zeros, so that a hole does as well. */
export const isZero = (block: Buffer): boolean => {
  for (let at = 0; at < block.length; at += ZEROS.length) {
    const part = block.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
};
