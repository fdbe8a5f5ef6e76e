import { expect, test } from 'vitest';
import { heldSecrets } from '../../src/ssh/held-secrets.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory } from '../../src/ssh/inventory.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { redacted } from '../../src/text/redact.ts';

const secret = (...texts: string[]): Secret => new Secret({ env: 'PASS' }, async () => texts.shift() ?? '');
const host = (...auth: Host['auth']): Host => ({
  name: 'web',
  address: '127.0.0.1',
  port: 22,
  user: 'deploy',
  auth,
  hostKeys: [],
  tags: [],
});

test('every secret of every host is held from the moment that it is fetched, and none is fetched for it', async () => {
  const password = secret('first-password', 'second-password');
  const passphrase = secret('some-passphrase');
  const redaction = heldSecrets(
    fixedInventory([
      host({ kind: 'agent', socket: '' }, { kind: 'password', password }),
      host({ kind: 'key', path: '/key', passphrase }),
    ]),
  );
  const text = 'first-password, second-password, some-passphrase';
  expect(redaction.empty).toBe(true);
  await password.reveal();
  expect(redacted(redaction, text)).toBe('[redacted], second-password, some-passphrase');
  await Promise.all([password.reveal(), passphrase.reveal()]);
  expect(redacted(redaction, text)).toBe('[redacted], [redacted], [redacted]');
});

test('a secret that cannot be had changes nothing', async () => {
  const password = secret();
  const redaction = heldSecrets(fixedInventory([host({ kind: 'password', password })]));
  await expect(password.reveal()).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  expect(redaction.empty).toBe(true);
});
