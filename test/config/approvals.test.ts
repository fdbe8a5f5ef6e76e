import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { InvalidFile } from '../../src/errors.ts';

const read = (approvals: unknown) =>
  readConfig(JSON.stringify({ approvals }), '/etc/sallyport/config.json', { HOME: '/home/deploy' }).approvals;

test('paths are absolute, and a program of the home folder is too', () => {
  const approvals = {
    allowedSigners: 'signers',
    revokedKeys: '~/krl',
    key: '/k',
    notify: ['~/bin/tell', '~/x'],
    waiting: 2,
  };
  expect(read(approvals)).toEqual({
    allowedSigners: '/etc/sallyport/signers',
    revokedKeys: '/home/deploy/krl',
    key: '/k',
    notify: ['/home/deploy/bin/tell', '~/x'],
    limits: { perMinute: 10, waiting: 2 },
  });
});

test.each([
  { approvals: { allowedSigner: 'x' }, says: /allowedSigner/ },
  { approvals: { notify: 'xmessage hello' }, says: /notify/ },
  { approvals: { notify: ['bin/tell'] }, says: /must be an absolute path, one under ~\/, or a name found on PATH/ },
  { approvals: { perMinute: 0 }, says: /perMinute/ },
  { approvals: { waiting: 1000 }, says: /waiting/ },
])('$approvals is a problem', ({ approvals, says }) => {
  expect(() => read(approvals)).toThrow(InvalidFile);
  expect(() => read(approvals)).toThrow(says);
});
