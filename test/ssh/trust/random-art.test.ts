import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, hash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mpint, string } from '../../../src/ssh/trust/blob.ts';
import { readHostKey } from '../../../src/ssh/trust/host-key.ts';
import { randomArt } from '../../../src/ssh/trust/random-art.ts';
import { publicBlobOf } from '../../../src/ssh/trust/signature.ts';
import { securityKey } from '../../support/fake-agent.ts';
import { tempFolder } from '../../support/temp.ts';

const run = promisify(execFile);

/** Blobs of every type, the same in each run where the type allows it. */
const blobs = (): readonly Buffer[] => {
  const number = (bytes: number, seed: number): Buffer => {
    const parts = Array.from({ length: Math.ceil(bytes / 64) }, (_, at) => hash('sha512', `${seed}/${at}`, 'buffer'));
    return Buffer.concat(parts).subarray(0, bytes);
  };
  const ed25519 = Array.from({ length: 140 }, (_, seed) =>
    Buffer.concat([string('ssh-ed25519'), string(number(32, seed))]),
  );
  const rsa = Array.from({ length: 48 }, (_, seed) =>
    Buffer.concat([
      string('ssh-rsa'),
      mpint(Buffer.of(1, 0, 1)),
      mpint(Buffer.concat([Buffer.of(0x80 >> (seed % 8)), number(128 + 8 * seed, 1_000 + seed)])),
    ]),
  );
  const ecdsa = ['P-256', 'P-384', 'P-521', 'P-256'].flatMap(namedCurve => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    return publicBlobOf(createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))) ?? [];
  });
  const security = (['ed25519', 'ecdsa'] as const).flatMap(kind => [0, 1, 2, 3].map(() => securityKey(kind).blob));
  return [...ed25519, ...rsa, ...ecdsa, ...security];
};

test('200 keys are drawn as ssh-keygen draws them', async () => {
  await using temp = await tempFolder();
  const keys = blobs().map(blob => readHostKey(blob));
  expect(keys.length).toBe(200);
  const lines = keys.map(key => `${key?.type} ${key?.blob.toString('base64')}\n`).join('');
  await temp.write('keys', lines);
  const { stdout } = await run('ssh-keygen', ['-lv', '-f', join(temp.path, 'keys')]);
  const pictures = [...stdout.matchAll(/^\+[\s\S]*?^\+.*\+$/gm)].map(([picture]) => picture);
  expect(keys.map(key => key && randomArt(key))).toEqual(pictures);
});
