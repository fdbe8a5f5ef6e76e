import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { liveInventory } from '../../src/config/inventory.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { tempFolder } from '../support/temp.ts';

const CONFIG = {
  sshConfig: 'ssh_config',
  hosts: {
    one: {
      ...{ address: '10.0.0.1', user: 'me', sudoPassword: { env: 'WEB_SUDO' } },
      auth: [
        { key: 'k', passphrase: { env: 'WEB_PASS' } },
        { interactive: [{ asks: 'code', answer: { env: 'WEB_CODE' } }] },
        { password: { command: ['sh', '-c', 'env'] } },
      ],
    },
    two: { address: '10.0.0.2', user: 'me', auth: { password: { env: 'WEB_SUDO' } } },
  },
};

test('no program that is started is given a variable in which a secret lies, and no host is sent one', async () => {
  await using temp = await tempFolder();
  const canaries = { WEB_SUDO: 'canary-1', WEB_PASS: 'canary-2', WEB_CODE: 'canary-3' };
  const env = { HOME: temp.path, PATH: `${temp.path}:${process.env.PATH}`, WEB_OPEN: 'open', ...canaries };
  await temp.write('ssh', `#!/bin/sh\nenv >>"${temp.path}/env"\nexec /usr/bin/ssh "$@"\n`, 0o700);
  await temp.write('ssh_config', 'Host web\n HostName 10.0.0.3\n User me\n SendEnv WEB_*\n');
  const text = JSON.stringify(CONFIG);
  const file = await temp.write('config.json', text);
  const config = readConfig(text, file, env);
  expect(config.secretVariables).toEqual(['WEB_PASS', 'WEB_CODE', 'WEB_SUDO']);
  const uid = process.getuid?.();
  const inventory = liveInventory({ config, file, text, env, uid, log: () => undefined });
  await inventory.ready();
  const given = await readFile(join(temp.path, 'env'), 'utf8');
  expect([given.includes('WEB_OPEN=open'), given.includes('canary')]).toEqual([true, false]);
  expect(inventory.get('web')?.env).toEqual({ WEB_OPEN: 'open' });
  const secrets = inventory.get('one')?.auth.flatMap(login => (login.kind === 'password' ? [login.password] : []));
  const printed = (await secrets?.[0]?.reveal()) ?? '';
  expect([printed.includes('WEB_OPEN=open'), printed.includes('canary')]).toEqual([true, false]);
  const { sudoPassword } = inventory.get('one') ?? {};
  expect(sudoPassword instanceof Secret ? await sudoPassword.reveal() : undefined).toBe('canary-1');
});
