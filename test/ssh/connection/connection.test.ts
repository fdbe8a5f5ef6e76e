import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { manualClock } from '../../support/clock.ts';
import { reader, run, type TestConnections, testConnections } from '../../support/connections.ts';
import { type Manner, manners, startRudeHost } from '../../support/rude-host.ts';
import { freePort, type Sshd, startSshd } from '../../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const connectionsTo = async (server: Sshd, parts = {}): Promise<TestConnections> =>
  testConnections([await server.host()], { knownHosts: [server.knownHosts], ...parts });

test('a command runs on a real sshd and its output and status come back', async () => {
  using connections = await connectionsTo(sshd);
  expect(await run(connections, 'cat; echo err >&2; exit 3', { stdin: 'in' })).toEqual({
    stdout: 'in',
    stderr: 'err\n',
    code: 3,
    signal: undefined,
  });
});

test('nothing is dialled before the first use, and fifty first uses at once share one connection', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  expect([connection.state(), connections.dials.length]).toEqual(['idle', 0]);
  const runs = Array.from({ length: 50 }, (_, at) => run(connections, `echo ${at}`));
  expect(connection.state()).toBe('connecting');
  const outputs = (await Promise.all(runs)).map(({ stdout }) => stdout);
  expect(outputs).toEqual(Array.from({ length: 50 }, (_, at) => `${at}\n`));
  expect(connection.state()).toBe('ready');
  await fresh.waitForLog(/Starting session/, 50);
  await expect.poll(() => fresh.counts()).toEqual({ connections: 1, logins: 1, sessions: 50 });
});

test('the TCP connection is made without delay and with keep-alive from its first byte', async () => {
  using connections = await connectionsTo(sshd);
  await connections.get('web').ready();
  expect(connections.dials).toEqual([
    {
      host: '127.0.0.1',
      port: sshd.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 250,
      lookup: expect.any(Function),
    },
  ]);
});

test('a ready connection describes its host', async () => {
  using connections = await connectionsTo(sshd);
  const peer = await connections.get('web').ready();
  expect(peer).toEqual({
    server: expect.stringMatching(/^OpenSSH_/),
    fingerprint: sshd.hostKeys[0]?.fingerprint,
    roundTripMs: expect.any(Number),
    login: ['key'],
    address: '127.0.0.1',
  });
  expect(peer.roundTripMs).toBeGreaterThan(0);
  expect(peer.roundTripMs).toBeLessThan(1_000);
});

test('when the session process is killed, what runs closes without a status, and the next use dials again', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const { attach, ran } = reader();
  await connections.get('web').exec('cat', { attach });
  await fresh.waitForLog(/Starting session/);
  expect(await fresh.killConnections()).toBeGreaterThan(0);
  expect(await ran).toMatchObject({ code: undefined, signal: undefined });
  expect([connections.get('web').state(), connections.get('web').channels()]).toEqual(['closed', 0]);
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
  await fresh.waitForLog(/Starting session/, 2);
  await expect.poll(() => fresh.counts().connections).toBe(2);
});

test.each([1, 2, 3])('forty commands run on a host that holds %i sessions, and none fails', async maxSessions => {
  await using small = await startSshd({ maxSessions });
  using connections = await connectionsTo(small);
  const runs = Array.from({ length: 40 }, (_, at) => run(connections, `echo ${at}`));
  expect((await Promise.all(runs)).map(({ stdout, code }) => `${code} ${stdout}`)).toEqual(
    Array.from({ length: 40 }, (_, at) => `0 ${at}\n`),
  );
  await small.waitForLog(/Starting session/, 40);
  await expect.poll(() => small.counts()).toEqual({ connections: 1, logins: 1, sessions: 40 });
});

test('commands that outlast all repetitions of a refused open wait for a session to end', async () => {
  await using small = await startSshd({ maxSessions: 2 });
  using connections = await connectionsTo(small, { pause: () => new Promise(resolve => setImmediate(resolve)) });
  const runs = Array.from({ length: 6 }, () => run(connections, 'sleep 0.3; echo done'));
  expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(Array.from({ length: 6 }, () => 'done\n'));
});

test('five commands run at once, the sixth waits, and the reserved lane does not', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  const held = Array.from({ length: 5 }, () => reader());
  const channels = await Promise.all(held.map(({ attach }) => connection.exec('cat', { attach })));
  expect(connection.channels()).toBe(5);
  const sixth = run(connections, 'echo six');
  const probe = reader();
  const reserved = await connection.exec('echo reserved', { reserved: true, attach: probe.attach });
  reserved.end();
  expect(await probe.ran).toMatchObject({ stdout: 'reserved\n', code: 0 });
  await fresh.waitForLog(/Starting session/, 6);
  await expect.poll(() => fresh.counts().sessions).toBe(6);
  channels[0]?.end();
  expect(await sixth).toMatchObject({ stdout: 'six\n' });
  for (const channel of channels) channel.end();
  await Promise.all(held.map(({ ran }) => ran));
  expect(connection.channels()).toBe(0);
});

test('a command that is given up while it runs keeps its lane until its channel closes', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const held = Array.from({ length: 5 }, () => reader());
  const channels = await Promise.all(held.map(({ attach }) => connection.exec('cat', { attach, signal })));
  giveUp.abort();
  const sixth = run(connections, 'echo six');
  const probe = reader();
  (await connection.exec('true', { reserved: true, attach: probe.attach })).end();
  await probe.ran;
  await fresh.waitForLog(/Starting session/, 6);
  await expect.poll(() => [connection.channels(), fresh.counts().sessions]).toEqual([5, 6]);
  for (const channel of channels) channel.end();
  expect(await sixth).toMatchObject({ stdout: 'six\n' });
});

test('when the line is cut, the lanes of channels that nobody reads are free again', async () => {
  await using rude = await startRudeHost({ exec: () => manners.drop });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  const connection = connections.get('web');
  for (let at = 0; at < 7; at++) {
    const channel = await connection.exec('x');
    await new Promise(resolve => channel.once('readable', resolve));
    while (connection.state() === 'ready') await new Promise(resolve => setImmediate(resolve));
    expect(connection.channels()).toBe(0);
  }
});

test('a command that is given up while it waits for a lane is never sent', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  const held = await Promise.all(Array.from({ length: 5 }, () => connection.exec('cat', { attach: reader().attach })));
  const giveUp = new AbortController();
  const waiting = connection.exec('echo never', { signal: giveUp.signal });
  giveUp.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  for (const channel of held) channel.end();
  expect(await run(connections, 'echo next')).toMatchObject({ stdout: 'next\n' });
  await fresh.waitForLog(/Starting session/, 6);
  expect(fresh.log()).not.toContain('never');
  await expect.poll(() => fresh.counts().sessions).toBe(6);
});

test('a command that was given up before it was asked for reaches nobody', async () => {
  using connections = await connectionsTo(sshd);
  const exec = connections.get('web').exec('true', { signal: AbortSignal.abort() });
  await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('closing drops what runs and what waits, and the next use dials again', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  const held = Array.from({ length: 5 }, () => reader());
  await Promise.all(held.map(({ attach }) => connection.exec('cat', { attach })));
  const waiting = connection.exec('echo never');
  connection.close();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  expect((await Promise.all(held.map(({ ran }) => ran))).map(({ code }) => code)).toEqual(Array(5).fill(undefined));
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
});

test('closing while dialling tells those who wait, and whoever comes then gets a connection of his own', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  const dialling = run(connections, 'true').catch((error: Failure) => error.code);
  connection.close();
  const next = run(connections, 'echo again');
  expect(await dialling).toBe('CANCELLED');
  expect(await next).toMatchObject({ stdout: 'again\n' });
  await fresh.waitForLog(/Starting session/);
  await expect.poll(() => [connection.state(), fresh.counts().logins]).toEqual(['ready', 1]);
});

test('after closeAll nothing is dialled any more', async () => {
  const connections = await connectionsTo(sshd);
  await run(connections, 'true');
  connections.closeAll();
  await expect(run(connections, 'true')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(connections.dials.length).toBe(1);
});

test('a name that is not configured is no host', async () => {
  using connections = await connectionsTo(sshd);
  expect(() => connections.get('db')).toThrow('No host is called "db".');
  expect(() => connections.get('__proto__')).toThrow('No host is called "__proto__".');
});

test('a signal is sent to a command whose stdin has ended, and never to the channel of another connection', async () => {
  await using rude = await startRudeHost({ exec: () => manners.patient });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  const connection = connections.get('web');
  const first = reader();
  const channel = await connection.exec('first', { attach: first.attach });
  channel.end();
  await new Promise(resolve => channel.once('finish', resolve));
  expect(connection.signal(channel, 'TERM')).toBe(true);
  while (rude.seen.signals.length === 0) await new Promise(resolve => setImmediate(resolve));
  const unread = await connection.exec('unread');
  connection.close();
  await first.ran;
  const second = await connection.exec('second', { attach: reader().attach });
  expect([connection.signal(channel, 'KILL'), connection.signal(unread, 'KILL')]).toEqual([false, false]);
  expect(connection.signal(second, 'INT')).toBe(true);
  while (rude.seen.signals.length === 1) await new Promise(resolve => setImmediate(resolve));
  expect(rude.seen.signals).toEqual(['TERM', 'INT']);
});

/** A TCP server that does something strange to whoever connects. */
const strange = async (treat: (socket: Socket) => void): Promise<Server & { port: number }> => {
  const port = await freePort();
  const server = createServer(socket => treat(socket.on('error', () => {})));
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return Object.assign(server, { port });
};

/** Lines of a greeting (RFC 4253 section 4.2), each in a packet of its own. */
const greetFor = (socket: Socket, lines: number): void => {
  socket.setNoDelay(true);
  const greet = (left: number): void => {
    if (left > 0 && socket.writable) socket.write(`${'g'.repeat(1_000)}\r\n`, () => setImmediate(greet, left - 1));
  };
  greet(lines);
};

/** A pin, so that a host that is another one is dialled at all. */
const PINNED = { hostKeys: [`SHA256:${'A'.repeat(43)}`] };

const unreachable = async (port: number, parts = {}, address = '127.0.0.1'): Promise<Failure> => {
  const host = await sshd.host({ port, address, ...PINNED });
  using connections = testConnections([host], { knownHosts: [], ...parts });
  return await run(connections, 'true').catch(error => error);
};

test('a port where nothing listens is said in words', async () => {
  const port = await freePort();
  expect(await unreachable(port)).toMatchObject({
    code: 'UNREACHABLE',
    message: `web (127.0.0.1:${port}) refuses connections: nothing listens there.`,
    details: { host: 'web', phase: 'connecting', cause: 'ECONNREFUSED' },
  });
});

test('a name that does not exist is said in words', async () => {
  expect(await unreachable(22, {}, 'no-such-host.invalid')).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringMatching(/^web \(no-such-host\.invalid:22\) has an address that /),
  });
});

test.each([
  ['closes at once', (socket: Socket) => socket.destroy()],
  ['says goodbye before the handshake', (socket: Socket) => socket.end('Exceeded MaxStartups\r\n')],
  ['closes after its version', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
  ['speaks another protocol', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['sends nonsense', (socket: Socket) => socket.end(Buffer.alloc(100_000, 0x41))],
  ['greets without end', (socket: Socket) => greetFor(socket, 1_000)],
])('a host that %s is unreachable, and the reasons that it may have are named', async (_title, treat) => {
  const server = await strange(treat);
  const failure = await unreachable(server.port);
  server.close();
  expect(failure).toMatchObject({
    code: 'UNREACHABLE',
    message: `web (127.0.0.1:${server.port}) closed the connection before the SSH handshake was done.`,
    next: expect.stringContaining('MaxStartups'),
  });
});

test('a host that accepts and stays silent is given up when the time for connecting is over', async () => {
  const sockets: Socket[] = [];
  const server = await strange(socket => sockets.push(socket));
  const failure = await unreachable(server.port, { connectTimeoutMs: 100 });
  expect(failure.message).toBe(
    `web (127.0.0.1:${server.port}) answered and did not finish the SSH handshake within 100 ms.`,
  );
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('after a failed dial the host is left alone for a moment that grows, and is back as soon as it answers', async () => {
  const clock = manualClock();
  const port = await freePort();
  const hostKeys = sshd.hostKeys.map(key => key.fingerprint);
  const host = await sshd.host({ port, hostKeys });
  using connections = testConnections([host], { knownHosts: [], clock });
  const waits: unknown[] = [];
  for (let at = 0; at < 7; at++) {
    await run(connections, 'true').catch(error => error);
    const early: Failure = await run(connections, 'true').catch(error => error);
    expect(early.code).toBe('UNREACHABLE');
    waits.push(early.details.retry_after_ms);
    clock.advance(Number(early.details.retry_after_ms));
  }
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(connections.dials.length).toBe(7);
});

/** A relay to a server that can stop passing anything on, as a dead line does. */
const relayTo = async (target: number) => {
  const pairs: [Socket, Socket][] = [];
  const server = await strange(near => {
    const far = connect(target, '127.0.0.1').on('error', () => {});
    near.pipe(far);
    far.pipe(near);
    pairs.push([near, far]);
  });
  return {
    port: server.port,
    goSilent: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    close: () => {
      server.close();
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
    },
  };
};

/** A relay that lets so many bytes through in a millisecond, towards us. */
const slowRelayTo = async (target: number, bytesPerMs: number) => {
  const server = await strange(near => {
    const far = connect(target, '127.0.0.1').on('error', () => {});
    near.pipe(far);
    near.on('close', () => far.destroy());
    const pass = (chunk: Buffer): void => {
      near.write(chunk.subarray(0, bytesPerMs));
      const rest = chunk.subarray(bytesPerMs);
      if (rest.length > 0) setTimeout(pass, 1, rest);
      else far.resume();
    };
    far.on('data', chunk => {
      far.pause();
      pass(chunk);
    });
  });
  return server;
};

const QUICK = { pingMs: 20, lookMs: 20, silentLooks: 10 };

test('a line that went dead is noticed, what ran on it closes without a status, and what waits moves on', async () => {
  const relay = await relayTo(sshd.port);
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [], heartbeat: QUICK, clock: manualClock() });
  const { attach, ran } = reader();
  await connections.get('web').exec('cat', { attach });
  relay.goSilent();
  const opened = run(connections, 'echo moved');
  expect(await ran).toMatchObject({ code: undefined });
  expect(await opened).toMatchObject({ stdout: 'moved\n', code: 0 });
  expect(connections.dials.length).toBe(2);
  relay.close();
});

test('a slow line is not a dead one: the answers to pings wait behind the output', async () => {
  const relay = await slowRelayTo(sshd.port, 1_024);
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  using connections = testConnections([host], { knownHosts: [], heartbeat: QUICK });
  const { stdout, code } = await run(connections, 'head -c 600000 /dev/zero');
  expect([stdout.length, code, connections.dials.length]).toEqual([600_000, 0, 1]);
  relay.close();
});

test('an idle connection that is alive stays, however long nothing is asked of it', async () => {
  using connections = await connectionsTo(sshd, { heartbeat: { pingMs: 10, lookMs: 5, silentLooks: 60 } });
  await run(connections, 'true');
  await run(connections, 'sleep 1');
  expect(connections.dials.length).toBe(1);
});

test('a host that refuses sessions for a while gets the same command again, which runs once', async () => {
  const pauses: number[] = [];
  await using rude = await startRudeHost({ refuseSessions: 19 });
  using connections = testConnections([rude.host()], {
    knownHosts: [rude.knownHosts],
    clock: manualClock(),
    random: () => Buffer.of(49),
    pause: async ms => void pauses.push(ms),
  });
  expect(await run(connections, 'once')).toMatchObject({ stdout: 'ran: once', code: 0 });
  expect(rude.seen.commands).toEqual(['once']);
  expect(pauses).toEqual(Array(19).fill(50));
});

test('a host that refuses every session is busy after twenty tries, and the lane is free again', async () => {
  await using rude = await startRudeHost({ refuseSessions: Number.POSITIVE_INFINITY });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts], pause: async () => {} });
  const failures = await Promise.all(
    Array.from({ length: 12 }, (_, at) => run(connections, `${at}`).catch((error: Failure) => error.code)),
  );
  expect(failures).toEqual(Array(12).fill('BUSY'));
  expect(connections.get('web').channels()).toBe(0);
  expect(rude.seen.commands).toEqual([]);
});

test('a host that refuses to run commands is told apart, and its channel is closed again', async () => {
  await using rude = await startRudeHost({ exec: () => manners.refuse });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  for (let at = 0; at < 7; at++) {
    await expect(run(connections, 'true')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'web refuses to run commands for deploy.',
    });
  }
  expect([rude.seen.connections, connections.get('web').channels()]).toEqual([1, 0]);
});

test('a channel that is closed instead of an answer leaves open whether the command ran', async () => {
  await using rude = await startRudeHost({ exec: () => manners.closeUnanswered });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  await expect(run(connections, 'true')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(rude.seen.commands).toEqual(['true']);
});

test('a line that is cut after the request was sent leaves it open too, and nothing is repeated', async () => {
  await using rude = await startRudeHost({ exec: () => exec => exec.drop() });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  await expect(run(connections, 'true')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(rude.seen).toMatchObject({ connections: 1, commands: ['true'] });
});

test('a request that is never answered can be given up, and its fate is unknown', async () => {
  await using rude = await startRudeHost({ exec: () => manners.silent });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts], pause: async () => {} });
  const giveUp = new AbortController();
  const attached: unknown[] = [];
  const exec = connections
    .get('web')
    .exec('true', { signal: giveUp.signal, attach: channel => attached.push(channel) });
  while (rude.seen.commands.length === 0) await new Promise(resolve => setImmediate(resolve));
  giveUp.abort();
  await expect(exec).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect([attached, connections.get('web').channels()]).toEqual([[], 0]);
});

test('a session that is never opened can be given up, and nothing was sent', async () => {
  await using rude = await startRudeHost({ ignoreSessions: true });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  const giveUp = new AbortController();
  await connections.get('web').ready();
  const exec = connections.get('web').exec('true', { signal: giveUp.signal });
  setImmediate(() => giveUp.abort());
  await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
  expect([rude.seen.commands, connections.get('web').channels()]).toEqual([[], 0]);
});

test('a session that opens after it was given up is closed, and its command never sent', async () => {
  await using fresh = await startSshd({ config: ['LogLevel DEBUG1'] });
  using connections = await connectionsTo(fresh);
  const connection = connections.get('web');
  await connection.ready();
  const giveUp = new AbortController();
  const exec = connection.exec('echo never', { signal: giveUp.signal });
  queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => giveUp.abort())));
  await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await run(connections, 'echo next')).toMatchObject({ stdout: 'next\n' });
  expect(fresh.log()).not.toContain('never');
});

test('acceptance, status and close in one packet are all heard', async () => {
  await using rude = await startRudeHost({ exec: () => manners.instantly });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  for (let at = 0; at < 20; at++) expect(await run(connections, 'x')).toMatchObject({ stdout: '', code: 7 });
});

test.each([
  ['before an answer', manners.silent],
  ['before a refusal', manners.refuse],
])('a host that writes after its own end of file, %s, does no harm', async (_title, manner) => {
  const outrageous: Manner = exec => {
    exec.eof();
    exec.write('late');
    exec.writeError('late');
    manner(exec);
    exec.writeError('later');
  };
  await using rude = await startRudeHost({ exec: command => (command === 'next' ? manners.polite : outrageous) });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts], pause: async () => {} });
  const giveUp = new AbortController();
  const exec = connections
    .get('web')
    .exec('true', { signal: giveUp.signal })
    .catch((error: Failure) => error.code);
  while (rude.seen.commands.length === 0) await new Promise(resolve => setImmediate(resolve));
  expect(await run(connections, 'next')).toMatchObject({ stdout: 'ran: next' });
  giveUp.abort();
  expect(await exec).toMatch(/^(CONNECTION_LOST|UNSUPPORTED)$/);
});

test('what a host opens towards us is refused, each kind of it', async () => {
  const outcomes: string[] = [];
  const note = (what: string) => (error: unknown) => outcomes.push(`${what}: ${error ? 'refused' : 'accepted'}`);
  await using rude = await startRudeHost({
    onReady: connection => {
      connection.x11('127.0.0.1', 1, note('x11'));
      connection.forwardOut('127.0.0.1', 80, '127.0.0.1', 1, note('forwarded-tcpip'));
      connection.openssh_forwardOutStreamLocal('/tmp/x', note('forwarded-streamlocal'));
      connection.openssh_forwardOutStreamLocal('toString', note('forwarded-streamlocal by an inherited name'));
    },
  });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  await run(connections, 'true');
  while (outcomes.length < 4) await new Promise(resolve => setImmediate(resolve));
  expect(outcomes.toSorted()).toEqual([
    'forwarded-streamlocal by an inherited name: refused',
    'forwarded-streamlocal: refused',
    'forwarded-tcpip: refused',
    'x11: refused',
  ]);
});

test('a greeting, a banner and a version of control characters reach neither results nor logs', async () => {
  await using rude = await startRudeHost({
    greeting: 'g\u001b]52;c;x\u0007',
    banner: 'b\u001b[2J',
    ident: 'v\u001b[2Jevil',
  });
  using connections = testConnections([rude.host()], { knownHosts: [rude.knownHosts] });
  const { server } = await connections.get('web').ready();
  expect(server).toBe('v?[2Jevil');
  expect(JSON.stringify(connections.logged)).not.toMatch(/u001b|u009b/);
});
