import { expect, test } from 'vitest';
import { progressOf, sizeText } from '../../../src/ssh/transfer/progress.ts';

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1.0 KB'],
  [12_345_678, '12.3 MB'],
  [99_949_999, '99.9 MB'],
  [99_950_000, '100 MB'],
  [999_949, '1000 KB'],
  [80_000_000_000, '80.0 GB'],
  [9_007_199_254_740_991, '9007 TB'],
])('%d bytes are said as %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  [{ bytes: 12_300_000, totalBytes: 80_000_000, durationMs: 400 }, '12.3 MB of 80.0 MB, 30.8 MB/s'],
  [{ bytes: 0, durationMs: 0 }, '0 bytes'],
  [{ bytes: 5_000, files: 12, durationMs: 1_000 }, '12 files, 5.0 KB, 5.0 KB/s'],
])('a transfer says how far it is', (view, text) => {
  expect(progressOf(view)).toBe(text);
});
