import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { reader, run, testConnections } from '../../support/connections.ts';
import { type Dropbear, startDropbear } from '../../support/dropbear.ts';
import { ranOf, testFleet } from '../../support/fleet.ts';
import { mayChooseAccount, type Sshd, startSshd } from '../../support/sshd.ts';

let sshds: Sshd[];
let dropbear: Dropbear | undefined;
beforeAll(async () => {
  sshds = await Promise.all(Array.from({ length: 4 }, () => startSshd()));
  dropbear = mayChooseAccount() ? await startDropbear() : undefined;
});
afterAll(async () => {
  await Promise.all([...sshds.map(sshd => sshd.close()), dropbear?.[Symbol.asyncDispose]()]);
});

const HOSTS = 50;
const COMMANDS = 20;

/** Fifty names for a few servers, each of them known. */
const fifty = async (): Promise<readonly Host[]> =>
  await Promise.all(
    Array.from({ length: HOSTS }, async (_, at) => {
      const server = [...sshds, ...(dropbear === undefined ? [] : [dropbear])][at % 5] ?? sshds[0];
      if (server === undefined) throw new Error('there is no server');
      return await server.host({ name: `web-${at}` });
    }),
  );

test('fifty hosts and twenty commands on each at once: none is lost, none gets the answer of another', async () => {
  const hosts = await fifty();
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  const knownHosts = sshds.map(sshd => sshd.knownHosts);
  using connections = testConnections(hosts, { knownHosts, lease, caps: { linksPerHost: 3 } });
  const before = process.memoryUsage().rss;
  const ask = async (host: string): Promise<boolean> => {
    const tag = randomBytes(12).toString('hex');
    const { stdout, code } = await run(connections, `cat; echo ${host}`, { host, stdin: tag });
    return stdout === `${tag}${host}\n` && code === 0;
  };
  const asked = hosts.flatMap(({ name }) => Array.from({ length: COMMANDS }, () => ask(name)));
  const answers = await Promise.all(asked);
  expect([answers.length, answers.filter(right => !right).length]).toEqual([HOSTS * COMMANDS, 0]);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
});

test.runIf(mayChooseAccount())('a server that is not OpenSSH runs, answers and is stopped like one', async () => {
  if (dropbear === undefined) throw new Error('there is no dropbear');
  using fleet = testFleet(await dropbear.host(), { knownHosts: '/dev/null' });
  const seven = await Promise.all(Array.from({ length: 7 }, (_, at) => fleet.run(`cat; echo ${at} >&2; exit ${at}`)));
  expect(seven).toEqual(
    Array.from({ length: 7 }, (_, at) => ({ end: { how: 'exited', code: at }, stdout: '', stderr: `${at}\n` })),
  );
  const { command } = await fleet.start('echo up; sleep 8.4321 & sleep 8.4322; wait');
  await command.stdout.grown(0);
  expect(await fleet.cancel(command)).toMatchObject({ outcome: 'confirmed', remaining: [] });
  expect((await ranOf(command)).end).toMatchObject({ how: 'cancelled' });
});

test.each(['ssh2', 'openssh'] as const)(
  'by way of %s, what runs when the server is started anew is lost, and with the same key the next command dials again',
  async transport => {
    await using sshd = await startSshd();
    using connections = testConnections([await sshd.host({ transport })], { knownHosts: [sshd.knownHosts] });
    const { attach, ran } = reader();
    await connections.get('web').exec('sleep 600', { attach });
    await sshd.restart();
    expect(await ran).toMatchObject({ code: undefined });
    expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
    await sshd.caughtUp();
    expect(sshd.counts()).toMatchObject({ logins: 1, sessions: 1 });
  },
);
