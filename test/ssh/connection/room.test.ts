import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { type After, after } from '../../../src/ssh/timer.ts';
import { testConnections } from '../../support/connections.ts';
import { relayTo } from '../../support/relay.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

const ALLOWED = [1, 2, 3, 10] as const;
let sshds: readonly Sshd[];
beforeAll(async () => {
  sshds = await Promise.all([...ALLOWED, 40].map(maxSessions => startSshd({ maxSessions })));
});
afterAll(() => Promise.all(sshds.map(sshd => sshd.close())));

const over = (sshd: Sshd, host: Host) => testConnections([host], { knownHosts: [sshd.knownHosts] });

const measured = async (sshd: Sshd, most = 12) => {
  using connections = over(sshd, await sshd.host());
  return await connections.get('web').room(most);
};

test.each(ALLOWED.map((allowed, at) => ({ allowed, at })))(
  'of MaxSessions $allowed exactly so many are found',
  async ({ allowed, at }) => {
    const sshd = sshds[at];
    if (sshd === undefined) throw new Error('no sshd');
    expect(await measured(sshd)).toEqual({ sessions: allowed, more: false });
  },
);

test('where the host refuses none, so many are found and there may be more', async () => {
  const [sshd] = sshds.slice(-1);
  if (sshd === undefined) throw new Error('no sshd');
  expect(await measured(sshd, 12)).toEqual({ sessions: 12, more: true });
});

test('what was opened for it is closed: a command runs at once afterwards, and a second look finds the same', async () => {
  const [, two] = sshds;
  if (two === undefined) throw new Error('no sshd');
  using connections = over(two, await two.host());
  const connection = connections.get('web');
  expect(await connection.room(12)).toEqual({ sessions: 2, more: false });
  expect(await connection.room(12)).toEqual({ sessions: 2, more: false });
  const channel = await connection.exec('true');
  expect(connection.channels()).toBe(1);
  channel.close();
});

test('a session that is kept ahead for the next command counts as one that there is', async () => {
  const [, , three] = sshds;
  if (three === undefined) throw new Error('no sshd');
  using relay = await relayTo(three.port, { delayMs: 5 });
  using connections = over(three, await three.host({ port: relay.port, hostKeys: fingerprints(three) }));
  expect(await connections.get('web').room(12)).toEqual({ sessions: 3, more: false });
});

const fingerprints = ({ hostKeys }: Sshd): readonly string[] => hostKeys.map(({ fingerprint }) => fingerprint);

test.each([
  { title: 'opens no session', rudeness: { refuseSessions: Number.POSITIVE_INFINITY } },
  { title: 'never answers', rudeness: { ignoreSessions: true } },
])('of a host that $title nothing is said', async ({ rudeness }) => {
  await using rude = await startRudeHost(rudeness);
  const soon: After = (ms, run) => after(Math.min(ms, 200), run);
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts], after: soon });
  expect(await connections.get(rude.host().name).room(12)).toBeUndefined();
});
