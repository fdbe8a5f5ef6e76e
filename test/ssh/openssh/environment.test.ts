import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reachByOpenssh } from '../../../src/ssh/openssh/reach.ts';
import { realClock } from '../../support/clock.ts';
import { startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

test('an OpenSSH client has the environment that it is given, and no other', async () => {
  await using sshd = await startSshd();
  await using temp = await tempFolder();
  await temp.write('ssh', `#!/bin/sh\nenv >"${temp.path}/env"\nexec /usr/bin/ssh "$@"\n`, 0o700);
  const link = await reachByOpenssh(
    await sshd.host(),
    { signal: new AbortController().signal },
    {
      ...{ clock: realClock, log: () => undefined, connectTimeoutMs: 10_000, knownHosts: [sshd.knownHosts] },
      lookUp: async () => [{ address: '127.0.0.1', family: 4 }],
      programEnv: { HOME: temp.path, PATH: `${temp.path}:${process.env.PATH}`, GIVEN: 'yes' },
    },
  );
  link.end();
  const lines = (await readFile(join(temp.path, 'env'), 'utf8')).split('\n');
  const names = lines.flatMap(line => /^([A-Za-z]\w*)=/.exec(line)?.[1] ?? []).filter(name => name !== 'PWD');
  expect(names.sort()).toEqual(['GIVEN', 'HOME', 'PATH', 'SSH_ASKPASS_REQUIRE']);
});
