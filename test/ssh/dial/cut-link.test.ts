import type { Connection } from 'ssh2';
import { expect, test } from 'vitest';
import { reader, run, testConnections } from '../../support/connections.ts';
import { relayTo } from '../../support/relay.ts';
import { sendPacket, startRudeHost } from '../../support/rude-host.ts';
import { startSshd } from '../../support/sshd.ts';

const QUICK = { pingMs: 20, lookMs: 20, silentLooks: 10 };

test.each([
  ['answers no more', 'SIGSTOP'],
  ['is killed', 'SIGKILL'],
] as const)('a session process that %s loses what runs, and the next use dials anew', async (_what, signal) => {
  await using sshd = await startSshd();
  using connections = testConnections([await sshd.host()], { knownHosts: [sshd.knownHosts], heartbeat: QUICK });
  const { attach, ran } = reader();
  await connections.get('web').exec('cat', { attach });
  await sshd.killConnections(signal);
  expect(await ran).toMatchObject({ code: undefined, signal: undefined });
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
  expect(connections.dials.length).toBe(2);
});

test('a link that is reset loses what runs, and the next use dials anew', async () => {
  await using sshd = await startSshd();
  using relay = await relayTo(sshd.port);
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [] });
  const { attach, ran } = reader();
  await connections.get('web').exec('cat', { attach });
  relay.reset();
  expect(await ran).toMatchObject({ code: undefined });
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
});

test('a link as slow as a satellite is not given up', async () => {
  await using sshd = await startSshd();
  using relay = await relayTo(sshd.port, { delayMs: 150 });
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [], heartbeat: { ...QUICK, silentLooks: 20 } });
  expect(await run(connections, 'head -c 3000000 /dev/zero')).toMatchObject({ code: 0 });
  expect(connections.dials.length).toBe(1);
});

test('a server that another one has taken the place of is dialled, and nobody logs in there', async () => {
  const first = await startSshd();
  using connections = testConnections([await first.host({ hostKeys: [first.hostKeys[0]?.fingerprint ?? ''] })], {
    knownHosts: [],
  });
  expect(await run(connections, 'echo first')).toMatchObject({ stdout: 'first\n' });
  await first.close();
  await expect.poll(() => connections.get('web').state()).toBe('closed');
  await using second = await startSshd({ port: first.port });
  await expect(run(connections, 'echo second')).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED' });
  expect(second.counts().logins).toBe(0);
});

/** A request to open a channel of any type, whatever the library thinks of it (RFC 4254 section 5.1). */
const openChannel = (connection: Connection, type: string, answered: (opened: boolean) => void): void => {
  const { _chanMgr: channels } = connection as unknown as {
    _chanMgr: { add: (taker: (error: unknown) => void) => number };
  };
  const number = channels.add(Object.assign((error: unknown) => answered(!error), { type }));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(number, 0);
  head.writeUInt32BE(1_048_576, 4);
  head.writeUInt32BE(32_768, 8);
  const name = Buffer.alloc(4);
  name.writeUInt32BE(type.length);
  sendPacket(connection, Buffer.concat([Buffer.of(90), name, Buffer.from(type), head]));
};

const KINDS = ['auth-agent@openssh.com', 'auth-agent', 'session', 'tun@openssh.com'];

test.each(KINDS)('a host that opens a channel of type %s towards us is refused', async kind => {
  const outcomes: boolean[] = [];
  await using rude = await startRudeHost({
    onReady: connection => openChannel(connection, kind, opened => outcomes.push(opened)),
  });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  await run(connections, 'true');
  await expect.poll(() => outcomes).toEqual([false]);
});
