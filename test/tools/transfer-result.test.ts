import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { Transferred } from '../../src/ssh/transfer/transfer.ts';
import { transferResult, transferText } from '../../src/tools/transfer-result.ts';

const SUM = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const MOVED = { host: 'web-1', remotePath: '/srv/app/x', bytes: 3, durationMs: 2_134.4 } as const;
const TREE: Extract<Transferred, { what: 'tree' }> = {
  ...MOVED,
  ...{ direction: 'download', what: 'tree', remotePath: '/srv/app', localPath: 'app', bytes: 3_412_000 },
  ...{ files: 12, unchanged: 100, folders: 4, links: 2, deleted: 0, leftOut: [], leftOutCount: 0 },
};

describe('what a transfer of one file came to', () => {
  test('is said whole in both forms', () => {
    const done = { ...MOVED, direction: 'upload', what: 'file', localPath: 'x', size: 3, sha256: SUM } as const;
    const out = transferResult(done);
    expect(out).toEqual({
      host: 'web-1',
      remote_path: '/srv/app/x',
      local_path: 'x',
      bytes: 3,
      duration_ms: 2134,
      size: 3,
      sha256: SUM,
    });
    expect(transferText('uploaded', out)).toBe(`uploaded x to web-1:/srv/app/x in 2.13 s: 3 bytes, SHA-256 ${SUM}`);
  });

  test('says how much was there already', () => {
    const out = transferResult({
      ...{ ...MOVED, direction: 'download', what: 'file', localPath: 'x', durationMs: 61_000 },
      ...{ bytes: 30_000_000, size: 80_000_000, resumedFrom: 50_000_000, sha256: SUM },
    });
    expect(out).toMatchObject({ bytes: 30_000_000, size: 80_000_000, resumed_from: 50_000_000 });
    expect(transferText('downloaded', out)).toBe(
      `downloaded web-1:/srv/app/x to x in 61 s: 80.0 MB (80000000 bytes), of which 50.0 MB (50000000 bytes) were there and verified, SHA-256 ${SUM}`,
    );
  });

  test('names no local path where a text was given, and nothing that a reader could not see', () => {
    const remotePath = '/srv/\x1b[31mred\u202e';
    const out = transferResult({ ...MOVED, remotePath, direction: 'upload', what: 'file', size: 3, sha256: SUM });
    expect(out).toMatchObject({ remote_path: '/srv/red\\u{202e}' });
    expect(transferText('uploaded', out)).toBe(
      `uploaded to web-1:/srv/red\\u{202e} in 2.13 s: 3 bytes, SHA-256 ${SUM}`,
    );
  });
});

describe('what a transfer of a tree came to', () => {
  test('is counted, and names what was left out and why', () => {
    const why = new Failure('POLICY_DENIED', 'Keys stay on the host.');
    const out = transferResult({ ...TREE, leftOut: [{ path: 'tls/server.key', why }], leftOutCount: 3 });
    expect(out).toEqual({
      ...{ host: 'web-1', remote_path: '/srv/app', local_path: 'app', bytes: 3_412_000, duration_ms: 2134 },
      ...{ files: 12, unchanged: 100, folders: 4, links: 2, deleted: 0 },
      left_out: [{ path: 'tls/server.key', code: 'POLICY_DENIED', message: 'Keys stay on the host.' }],
      left_out_count: 3,
    });
    expect(transferText('downloaded', out)).toBe(
      'downloaded web-1:/srv/app to app in 2.13 s: 12 files copied (3.4 MB (3412000 bytes)), 100 unchanged, 4 folders, 2 links, 3 left out\n' +
        'left out tls/server.key: POLICY_DENIED: Keys stay on the host.\n' +
        'and 2 more that were left out',
    );
  });

  test('names what was left out as far as it can be read', () => {
    const why = new Failure('FILE_FAILED', 'Its name holds\ncontrol characters.');
    const out = transferResult({
      ...TREE,
      leftOut: [{ path: `a\x1b[2Jb\udcff/${'x'.repeat(500)}`, why }],
      leftOutCount: 1,
    });
    expect(out).toMatchObject({ left_out: [{ path: `ab\ufffd/${'x'.repeat(396)}` }] });
  });

  test('fits into a result however many entries were left out, and however long their names are', () => {
    const why = new Failure('FILE_DENIED', 'x'.repeat(5_000));
    const leftOut = Array.from({ length: 100 }, (_, index) => ({ path: `${index}/${'"'.repeat(4_000)}`, why }));
    const path = `/${'"'.repeat(4_000)}`;
    const out = transferResult({ ...TREE, remotePath: path, localPath: path, leftOut, leftOutCount: 12_345 });
    expect(JSON.stringify(out).length).toBeLessThan(30_000);
    expect(JSON.stringify(transferText('downloaded', out)).length).toBeLessThan(30_000);
    expect(transferText('downloaded', out)).toMatch(/and 123\d\d more that were left out$/);
  });
});
