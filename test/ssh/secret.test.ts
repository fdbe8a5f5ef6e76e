import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { isFingerprint, isHostName } from '../../src/ssh/host.ts';
import { Secret, type SecretReference } from '../../src/ssh/secret.ts';

const CANARY = 'canary-51d2';

test('a secret is fetched anew whenever it is used, from where it lies', async () => {
  const asked: SecretReference[] = [];
  const secret = new Secret({ env: 'PASS' }, async reference => {
    asked.push(reference);
    return `text-${asked.length}`;
  });
  expect(asked).toEqual([]);
  expect([await secret.reveal(), await secret.reveal()]).toEqual(['text-1', 'text-2']);
  expect(asked).toEqual([{ env: 'PASS' }, { env: 'PASS' }]);
});

test.each([
  [{ env: 'PASS' }, 'environment variable PASS'],
  [{ file: '/run/pass' }, 'file /run/pass'],
  [{ command: ['pass', 'show', CANARY] as const }, 'command pass'],
])('where it lies can be said without its arguments: %j', async (reference, origin) => {
  const secret = new Secret(reference, async () => {
    throw new Error('it is not there');
  });
  expect(secret.origin).toBe(origin);
  await expect(secret.reveal()).rejects.toMatchObject({
    code: 'AUTH_FAILED',
    message: 'The configured secret cannot be used: it cannot be fetched.',
    operator: `The secret in ${origin} cannot be used: it is not there.`,
  });
});

test('nothing that prints values prints a secret', () => {
  const secret = new Secret({ env: 'PASS' }, async () => CANARY);
  expect(`${secret} ${JSON.stringify({ secret })} ${inspect({ secret }, { showHidden: true })}`).toBe(
    '[secret] {"secret":"[secret]"} { secret: [secret] }',
  );
  expect(Object.entries(secret)).toEqual([]);
});

test.each([
  ['web-1', true],
  ['Web_1.example.org', true],
  ['9', true],
  ['', false],
  ['-web', false],
  ['.web', false],
  ['web 1', false],
  ['web/1', false],
  ['web\n', false],
  ['wéb', false],
  ['*', false],
  ['w'.repeat(129), false],
])('%j is a host name: %s', (text, is) => {
  expect(isHostName(text)).toBe(is);
});

test.each([
  [`SHA256:${'a'.repeat(43)}`, true],
  [`SHA256:${'a'.repeat(42)}`, false],
  [`SHA256:${'a'.repeat(43)}=`, false],
  [`MD5:${'a'.repeat(43)}`, false],
  [`SHA256:${'a'.repeat(42)}-`, false],
])('%s is a fingerprint: %s', (text, is) => {
  expect(isFingerprint(text)).toBe(is);
});
