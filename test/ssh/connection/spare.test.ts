import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clock } from '../../../src/call.ts';
import { openSftp } from '../../../src/ssh/sftp/open.ts';
import { after } from '../../../src/ssh/timer.ts';
import { manualClock, realClock } from '../../support/clock.ts';
import { reader, run, testConnections } from '../../support/connections.ts';
import { type Relay, relayTo } from '../../support/relay.ts';
import { type Exec, manners, type Rudeness, startRudeHost } from '../../support/rude-host.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';

const DELAY_MS = 15;
const ROUND_TRIP_MS = 2 * DELAY_MS;

let sshd: Sshd;
let far: Relay;
beforeAll(async () => {
  sshd = await startSshd({ config: ['LogLevel DEBUG1'] });
  far = await relayTo(sshd.port, { delayMs: DELAY_MS });
});
afterAll(async () => {
  far[Symbol.dispose]();
  await sshd.close();
});

/** Connections to a server behind a long line, checked by a pin. */
const connectionsOver = async (relay: Relay, server: Sshd, clock: Clock = realClock) => {
  const hostKeys = server.hostKeys.map(({ fingerprint }) => fingerprint);
  return testConnections([await server.host({ port: relay.port, hostKeys })], { knownHosts: [], clock });
};

const channelsOf = (server: Sshd): number =>
  server.log().match(/server_input_channel_open: confirm session/g)?.length ?? 0;

/** How long one command takes over a warm connection, in round trips: the best of a few. */
const roundTrips = async (one: () => Promise<unknown>): Promise<number> => {
  const times: number[] = [];
  for (let at = 0; at < 9; at++) {
    const begun = performance.now();
    await one();
    times.push(performance.now() - begun);
  }
  return Math.min(...times) / ROUND_TRIP_MS;
};

test('over a long line a warm command costs one round trip, where one with a channel of its own costs two', async () => {
  using connections = await connectionsOver(far, sshd);
  const connection = connections.get('web');
  await run(connections, 'true');
  const warm = await roundTrips(() => run(connections, 'true'));
  const own = await roundTrips(async () => {
    const { attach, ran } = reader();
    (await connection.exec('true', { reserved: true, attach })).end();
    await ran;
  });
  expect(own).toBeGreaterThan(2);
  expect(warm).toBeLessThan(1.7);
  expect(warm / own).toBeLessThan(0.75);
});

test('over a short line no channel is opened ahead', async () => {
  using relay = await relayTo(sshd.port);
  // However slow this machine is: no time passes.
  using connections = await connectionsOver(relay, sshd, manualClock());
  const before = channelsOf(sshd);
  await run(connections, 'true');
  await sshd.caughtUp();
  expect(channelsOf(sshd) - before).toBe(1);
});

test('output, status, stdin and variables are the same on a channel that was opened ahead', async () => {
  await using taking = await startSshd({ config: ['AcceptEnv GREETING'] });
  using relay = await relayTo(taking.port, { delayMs: DELAY_MS });
  const hostKeys = taking.hostKeys.map(({ fingerprint }) => fingerprint);
  const host = await taking.host({ port: relay.port, hostKeys, env: { GREETING: 'good day' } });
  using connections = testConnections([host], { knownHosts: [] });
  for (let at = 0; at < 3; at++)
    expect(await run(connections, 'cat; echo "$GREETING" >&2; exit 3', { stdin: `in ${at}` })).toEqual({
      stdout: `in ${at}`,
      stderr: 'good day\n',
      code: 3,
      signal: undefined,
    });
});

test('a command that is given up while the channel opens leaves it to the next one', async () => {
  using connections = await connectionsOver(far, sshd);
  const connection = connections.get('web');
  const before = channelsOf(sshd);
  await connection.ready();
  const giveUp = new AbortController();
  const exec = connection.exec('echo never', { signal: giveUp.signal });
  setTimeout(() => giveUp.abort(), DELAY_MS / 2);
  await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(connection.channels()).toBe(0);
  expect(await run(connections, 'echo next')).toMatchObject({ stdout: 'next\n' });
  expect(await run(connections, 'echo last')).toMatchObject({ stdout: 'last\n' });
  await sshd.caughtUp();
  expect(sshd.log()).not.toContain('never');
  expect(channelsOf(sshd) - before).toBeLessThanOrEqual(3);
});

test('a command that is given up after it was sent is handed out, for it to be stopped properly', async () => {
  using connections = await connectionsOver(far, sshd);
  const connection = connections.get('web');
  await run(connections, 'true');
  const giveUp = new AbortController();
  const { attach, ran } = reader();
  const exec = connection.exec('cat', { signal: giveUp.signal, attach });
  setTimeout(() => giveUp.abort(), DELAY_MS / 2);
  (await exec).end('in');
  expect(await ran).toMatchObject({ stdout: 'in', code: 0 });
});

test.each([1, 2, 3])('a host of %i sessions refuses no command for it, and none waits for it', async maxSessions => {
  await using small = await startSshd({ maxSessions });
  using relay = await relayTo(small.port, { delayMs: 5 });
  using connections = await connectionsOver(relay, small);
  const held = Array.from({ length: maxSessions - 1 }, () => reader());
  const channels = await Promise.all(held.map(({ attach }) => connections.get('web').exec('cat', { attach })));
  expect(await run(connections, 'echo last')).toMatchObject({ stdout: 'last\n' });
  const { attach, ran } = reader();
  (await connections.get('web').exec('echo reserved', { reserved: true, attach })).end();
  expect(await ran).toMatchObject({ stdout: 'reserved\n' });
  for (const channel of channels) channel.end();
  await Promise.all(held.map(each => each.ran));
  const runs = Array.from({ length: 20 }, (_, at) => run(connections, `echo ${at}`));
  expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(
    Array.from({ length: 20 }, (_, at) => `${at}\n`),
  );
});

test('five commands at once take five channels, the one that was opened ahead among them', async () => {
  await using fresh = await startSshd({ config: ['LogLevel DEBUG1'] });
  using relay = await relayTo(fresh.port, { delayMs: 5 });
  using connections = await connectionsOver(relay, fresh);
  const held = await Promise.all(
    Array.from({ length: 5 }, () => connections.get('web').exec('cat', { attach: reader().attach })),
  );
  await fresh.caughtUp();
  expect(channelsOf(fresh)).toBe(5);
  for (const channel of held) channel.end();
});

test('when the line is cut, the channel that was opened ahead harms nobody', async () => {
  using relay = await relayTo(sshd.port, { delayMs: 5 });
  using connections = await connectionsOver(relay, sshd);
  await run(connections, 'true');
  relay.reset();
  await untilTrue(() => connections.get('web').state() === 'closed');
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
});

test('a line that is cut as SFTP is asked for on that channel is dialled again, for nothing was done there yet', async () => {
  using relay = await relayTo(sshd.port, { delayMs: 5 });
  using connections = await connectionsOver(relay, sshd);
  await run(connections, 'true');
  // The channel that is opened ahead is answered before this is.
  await run(connections, 'true');
  const opening = openSftp(connections.get('web'), { after });
  await new Promise(resolve => setImmediate(resolve));
  relay.reset();
  expect(await (await opening).realPath('/')).toBe('/');
  expect(connections.dials.length).toBe(2);
});

/** A rude host behind a long line. */
const rudely = async (rudeness: Rudeness) => {
  const rude = await startRudeHost(rudeness);
  const relay = await relayTo(rude.port, { delayMs: 5 });
  const connections = testConnections([rude.host({ port: relay.port, hostKeys: [rude.fingerprint] })], {
    knownHosts: [],
    pause: async () => {},
  });
  return {
    rude,
    connections,
    [Symbol.asyncDispose]: async () => {
      connections.closeAll();
      relay[Symbol.dispose]();
      await rude.close();
    },
  };
};

test('a channel that the host closed before it was used is no error: the command gets one of its own', async () => {
  const unused: (() => void)[] = [];
  await using far = await rudely({ onSession: ({ close }) => unused.push(close) });
  await far.connections.get('web').ready();
  await untilTrue(() => unused.length === 1);
  unused[0]?.();
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(await run(far.connections, 'x')).toMatchObject({ stdout: 'ran: x', code: 0 });
  expect(far.rude.seen.commands).toEqual(['x']);
});

test.each([
  ['a status', (session: { status: (code: number) => void }) => session.status(0)],
  ['output', (session: { write: (text: string) => void }) => session.write('early')],
])('what a host says before it was asked, %s, is no part of an answer', async (_title, early) => {
  const sessions: unknown[] = [];
  await using far = await rudely({
    onSession: session => {
      if (sessions.push(session) === 1) early(session);
    },
    exec: () => exec => {
      const channel = exec.accept();
      channel.write('answer');
      channel.exit(7);
      channel.end();
    },
  });
  await far.connections.get('web').ready();
  await untilTrue(() => sessions.length === 1);
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(await run(far.connections, 'x')).toMatchObject({ stdout: 'answer', code: 7 });
});

test.each([
  ['is refused', manners.refuse, 'UNSUPPORTED'],
  ['is answered by a close', manners.closeUnanswered, 'CONNECTION_LOST'],
  ['is answered by the end of the line', (exec: Exec) => exec.drop(), 'CONNECTION_LOST'],
])('a request on a channel that was opened ahead, which %s, is not repeated', async (_title, exec, code) => {
  await using far = await rudely({ exec: () => exec });
  await far.connections.get('web').ready();
  await expect(run(far.connections, 'x')).rejects.toMatchObject({ code });
  expect(far.rude.seen.commands).toEqual(['x']);
});

test('a request on it that is never answered can be given up, and its fate is unknown', async () => {
  await using far = await rudely({ exec: () => manners.silent });
  const giveUp = new AbortController();
  const exec = far.connections.get('web').exec('x', { signal: giveUp.signal });
  await untilTrue(() => far.rude.seen.commands.length > 0);
  giveUp.abort();
  await expect(exec).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(far.connections.get('web').channels()).toBe(0);
});

test('acceptance, status and close in one packet are all heard on it', async () => {
  await using far = await rudely({ exec: () => manners.instantly });
  for (let at = 0; at < 10; at++) expect(await run(far.connections, 'x')).toMatchObject({ stdout: '', code: 7 });
});
