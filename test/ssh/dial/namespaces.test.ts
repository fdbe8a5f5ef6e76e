import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { reader, run, testConnections } from '../../support/connections.ts';
import { layNamespace, mayLayNetworks, type Namespace } from '../../support/namespace.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

describe.runIf(mayLayNetworks())('a host on another network', () => {
  let there: Namespace;
  let sshd: Sshd;
  beforeAll(async () => {
    there = layNamespace();
    sshd = await startSshd({ elsewhere: there });
  });
  afterAll(async () => {
    await sshd.close();
    there[Symbol.dispose]();
  });

  const host = async (more: Partial<Host> = {}): Promise<Host> =>
    await sshd.host({ address: there.address, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''], ...more });

  test('is reached by the one of its addresses that answers, though another swallows everything', async () => {
    const lookUp = async () => [there.blackhole, there.address].map(address => ({ address, family: 4 }));
    using connections = testConnections([await host({ address: 'web.test' })], { knownHosts: [], lookUp });
    const beganMs = performance.now();
    expect(await run(connections, 'echo there')).toMatchObject({ stdout: 'there\n' });
    expect(performance.now() - beganMs).toBeLessThan(2_500);
    expect((await connections.get('web').ready()).address).toBe(there.address);
  });

  test('that swallows everything holds up nobody else, and is given up in its time', async () => {
    const hosts = await Promise.all(
      Array.from({ length: 24 }, async (_, at) =>
        host({ name: `web-${at}`, ...(at % 3 === 0 ? { address: there.blackhole } : {}) }),
      ),
    );
    using connections = testConnections(hosts, { knownHosts: [], connectTimeoutMs: 5_000 });
    const beganMs = performance.now();
    const answers = hosts.map(async ({ name }) =>
      run(connections, `echo ${name}`, { host: name }).then(
        ({ stdout }) => stdout,
        ({ code, message }) => `${code} ${message.replace(/\(.*\)/, '')}`,
      ),
    );
    const good = await Promise.all(answers.filter((_, at) => at % 3 !== 0));
    expect(performance.now() - beganMs).toBeLessThan(4_500);
    expect(good).toEqual(hosts.filter((_, at) => at % 3 !== 0).map(({ name }) => `${name}\n`));
    expect(await answers[0]).toBe('UNREACHABLE web-0  did not answer within 5000 ms.');
  });

  test('whose line is cut loses what runs within ten seconds, and is said to be silent', async () => {
    using connections = testConnections([await host()], { knownHosts: [] });
    const { attach, ran } = reader();
    await connections.get('web').exec('cat', { attach });
    const beganMs = performance.now();
    there.cut();
    expect(await ran).toMatchObject({ code: undefined, signal: undefined });
    expect(performance.now() - beganMs).toBeLessThan(11_000);
    expect(connections.logged.join()).toContain('a host has gone silent');
  }, 20_000);
});
