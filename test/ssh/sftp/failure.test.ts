import { expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { fileFailure, writeFailure } from '../../../src/ssh/sftp/failure.ts';
import type { Sftp } from '../../../src/ssh/sftp/sftp.ts';
import { SftpError } from '../../../src/ssh/sftp/sftp-error.ts';

const about = { host: 'web', path: '/srv/a', doing: 'write' };

test.each([
  [new SftpError('missing', 'No such file'), 'NO_SUCH_FILE', 'There is no /srv/a on web.'],
  [new SftpError('denied', 'Permission denied'), 'FILE_DENIED', 'The account on web may not write /srv/a.'],
  [new SftpError('failed', 'Failure'), 'FILE_FAILED', 'web could not write /srv/a, and does not say why.'],
  [new SftpError('failed', ''), 'FILE_FAILED', 'web could not write /srv/a, and does not say why.'],
  [new SftpError('failed', 'Is a directory.'), 'FILE_FAILED', 'web could not write /srv/a: Is a directory.'],
  [new SftpError('exists', ''), 'FILE_FAILED', 'web could not write /srv/a: it is there already.'],
  [new SftpError('full', ''), 'FILE_FAILED', 'web could not write /srv/a: its disk or the quota is full.'],
  [new SftpError('unsupported', ''), 'UNSUPPORTED', 'The SFTP server of web has no way to write /srv/a.'],
  [
    new SftpError('lie', 'it gives no name'),
    'FILE_FAILED',
    'web was asked to write /srv/a, and answered what cannot be: it gives no name.',
  ],
])('%s is told in words', (error, code, message) => {
  expect(fileFailure(error, about)).toMatchObject({ code, message, details: { host: 'web', path: '/srv/a' } });
});

test('a path is made safe to read', () => {
  const { message } = fileFailure(new SftpError('missing', ''), { ...about, path: '/a\x1b[2J\n\udc80b' });
  expect(message).toMatch(/^There is no \/a\S* ?\ufffdb on web\.$/u);
});

test('a failure is passed on as it is, and a defect stays one', () => {
  const failure = new Failure('CONNECTION_LOST', 'It is gone.');
  expect(fileFailure(failure, about)).toBe(failure);
  expect(() => fileFailure(new TypeError('x'), about)).toThrow(TypeError);
});

const withRoom = (room: Sftp['room']): Sftp => {
  const no = (): never => {
    throw new Error('nothing else is asked');
  };
  const asked = { realPath: no, stat: no, lstat: no, list: no, readLink: no, makeLink: no, makeFolder: no };
  const more = { removeFolder: no, remove: no, rename: no, renameNew: no, change: no, open: no, close: no };
  return {
    ...asked,
    ...more,
    room,
    roundTripMs: 0,
    replaces: true,
    syncs: true,
    handles: () => 64,
    isOpen: () => true,
  };
};

test.each([
  ['no room', async () => 4_096, 'web could not write /srv/a: its disk is full.', { free_bytes: 4_096 }],
  ['room', async () => 1e9, 'web could not write /srv/a, and does not say why.', {}],
  ['no answer', async () => undefined, 'web could not write /srv/a, and does not say why.', {}],
  ['a refusal', () => Promise.reject(new SftpError('denied', '')), /and does not say why\.$/, {}],
])('a write that fails where there is %s is told so', async (_what, room, message, details) => {
  const failure = await writeFailure(withRoom(room), new SftpError('failed', 'Failure'), about, '/srv');
  expect(failure).toMatchObject({ code: 'FILE_FAILED', details });
  expect(failure.message).toMatch(message);
});
