import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, testConnections } from '../../support/connections.ts';
import { makeKey, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

test('a host whose key is another one each of a hundred times is never logged in to, and each key is named [G8]', {
  timeout: 60_000,
}, async () => {
  await using temp = await tempFolder();
  await using sshd = await startSshd({ hostKeys: ['ed25519', 'rsa', 'ecdsa'], config: ['LogLevel DEBUG1'] });
  const kinds = ['ed25519', 'ecdsa', 'ed25519', 'ecdsa'] as const;
  const name = `[127.0.0.1]:${sshd.port}`;
  const host = await sshd.host();
  const visit = async (number: number): Promise<unknown> => {
    const old = await makeKey(join(temp.path, `old-${number}`), kinds[number % kinds.length]);
    const file = await temp.write(`known_hosts_${number}`, `${name} ${old.publicKey}\n`);
    // Where the key of that type is another one, and where the pin is.
    const pinned = number % 2 === 0 ? {} : { hostKeys: [old.fingerprint] };
    using connections = testConnections([{ ...host, ...pinned }], { knownHosts: [file] });
    return await run(connections, 'touch never').then(
      () => 'it was let in',
      error => [error.code, error.details.expected, error.details.presented.fingerprint, old.fingerprint],
    );
  };
  for (let done = 0; done < 100; done += 5) {
    const refused = await Promise.all([0, 1, 2, 3, 4].map(at => visit(done + at)));
    for (const one of refused) {
      expect(one).toEqual(['HOST_KEY_CHANGED', [expect.any(String)], expect.any(String), expect.any(String)]);
      const [, [expected] = [], presented, old] = one as [string, string[], string, string];
      expect(expected).toBe(old);
      expect(sshd.hostKeys.map(({ fingerprint }) => fingerprint)).toContain(presented);
    }
  }
  await sshd.caughtUp();
  expect(sshd.counts()).toMatchObject({ logins: 0, sessions: 0 });
  expect(sshd.log()).not.toMatch(/userauth-request for user/);
  using control = testConnections([host], { knownHosts: [sshd.knownHosts] });
  expect(await run(control, 'printf in')).toMatchObject({ stdout: 'in' });
  await sshd.waitForLog(/userauth-request for user/);
});
