import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRACE_MS } from '../../src/ssh/command/reap.ts';
import type { Connection } from '../../src/ssh/connection/connection.ts';
import type { Host, Transport } from '../../src/ssh/host.ts';
import { reader, run, type TestConnections, testConnections } from '../support/connections.ts';
import { type TestFleet, testFleet } from '../support/fleet.ts';
import { noneLeft, processesWith } from '../support/processes.ts';
import { relayTo } from '../support/relay.ts';
import { type Manner, manners, sendPacket, startRudeHost } from '../support/rude-host.ts';
import { makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { tempFolder } from '../support/temp.ts';
import { openTerminal } from '../support/terminals.ts';
import { untilTrue } from '../support/until.ts';

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const exited = (code: number) => ({ how: 'exited', code });
/** A number of seconds that nobody else sleeps for. */
const unique = (): string => `8${Math.floor(Math.random() * 1e9)}.${Math.floor(Math.random() * 1e9)}`;

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

describe.each<Transport>(['ssh2', 'openssh'])('by way of %s', transport => {
  let web: TestFleet;
  beforeAll(async () => {
    web = testFleet(await sshd.host({ transport }), sshd);
  });
  afterAll(() => web[Symbol.dispose]());

  const connectionsTo = async (server: Sshd, host: Partial<Host> = {}, parts = {}): Promise<TestConnections> =>
    testConnections([await server.host({ transport, ...host })], { knownHosts: [server.knownHosts], ...parts });
  const failureOf = async (host: Partial<Host>, knownHosts = sshd.knownHosts) => {
    using connections = testConnections([await sshd.host({ transport, ...host })], { knownHosts: [knownHosts] });
    return await connections
      .get('web')
      .ready()
      .catch((error: unknown) => error);
  };

  test.each([
    ['true', exited(0)],
    ['exit 3', exited(3)],
    ['exit 255', exited(255)],
    ['no-such-program-here', exited(127)],
    ['kill -s TERM $$', { how: 'signalled', signal: 'SIGTERM' }],
    ['kill -s KILL $$', { how: 'signalled', signal: 'SIGKILL' }],
    ['exec >&- 2>&-; sleep 0.05; exit 6', exited(6)],
    ['sleep 0.1 & echo up', exited(0)],
  ])('the end of %s is told as it was', async (text, end) => {
    expect((await web.run(text)).end).toEqual(end);
  });

  test('a ready connection describes its host', async () => {
    using connections = await connectionsTo(sshd);
    const peer = await connections.get('web').ready();
    expect(peer).toMatchObject({
      server: expect.stringMatching(/^OpenSSH_/),
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      roundTripMs: expect.any(Number),
    });
    expect(peer.roundTripMs).toBeLessThan(1_000);
  });

  test('stdin arrives whole, larger than any window, and its end is heard', async () => {
    const stdin = 'я'.repeat(4_000_000);
    expect(await web.run('sha256sum', { stdin })).toEqual({
      end: exited(0),
      stdout: `${sha256(stdin)}  -\n`,
      stderr: '',
    });
  });

  test('a program that stops reading its stdin does no harm', async () => {
    expect(await web.run('head -c 3', { stdin: 'abc'.repeat(2_000_000) })).toMatchObject({
      end: exited(0),
      stdout: 'abc',
    });
    expect((await web.run('exit 5', { stdin: 'x'.repeat(4_000_000) })).end).toEqual(exited(5));
  });

  test('both streams come whole and apart, five megabytes of each', async () => {
    const { command } = await web.start(
      `i=0; while [ $i -lt 5 ]; do head -c 1000000 /dev/zero | tr '\\0' o; head -c 1000000 /dev/zero | tr '\\0' e >&2; i=$((i+1)); done`,
    );
    expect(await command.ended).toEqual(exited(0));
    expect(command.stdout.received()).toEqual({ bytes: 5_000_000, sha256: sha256('o'.repeat(5_000_000)) });
    expect(command.stderr.received()).toEqual({ bytes: 5_000_000, sha256: sha256('e'.repeat(5_000_000)) });
  });

  test('a hundred megabytes arrive exactly', async () => {
    using connections = await connectionsTo(sshd);
    const hash = createHash('sha256');
    const channel = await connections.get('web').exec('head -c 100000000 /dev/zero');
    channel.eof();
    channel.stderr.resume();
    channel.on('data', (chunk: Buffer) => hash.update(chunk));
    expect(await once(channel, 'close')).toEqual([0]);
    expect(hash.digest('hex')).toBe(sha256(Buffer.alloc(100_000_000)));
  });

  test('a reader that pauses holds up the writer, in bounded memory, and then gets every byte', async () => {
    using connections = await connectionsTo(sshd);
    const channel = await connections.get('web').exec('head -c 60000000 /dev/zero; echo done >&2');
    channel.eof();
    let written = '';
    channel.stderr.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
    await once(channel, 'readable');
    await run(connections, 'sleep 0.3');
    expect([written, channel.readableLength < 8_000_000]).toEqual(['', true]);
    let bytes = 0;
    channel.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(channel, 'close');
    expect([bytes, written]).toEqual([60_000_000, 'done\n']);
  });

  test('a host that takes no stdin holds up who writes', async () => {
    using connections = await connectionsTo(sshd);
    const { attach, ran } = reader();
    const channel = await connections.get('web').exec('sleep 0.3; sha256sum', { attach });
    const block = Buffer.alloc(1_000_000, 'z');
    const wanted = channel.write(block);
    let blocks = 1;
    while (blocks < 40 && channel.writableLength < 8_000_000) {
      channel.write(block);
      blocks++;
    }
    expect([wanted, blocks < 40]).toEqual([transport === 'ssh2', true]);
    channel.end();
    expect((await ran).stdout).toBe(`${sha256(Buffer.alloc(blocks * 1_000_000, 'z'))}  -\n`);
  });

  test.each([
    ['one program', (n: string) => `echo up; exec sleep ${n}`, ['INT']],
    ['one that ignores INT', (n: string) => `trap '' INT; echo up; sleep ${n}; sleep ${n}`, ['INT', 'TERM']],
    [
      'a session of its own',
      (n: string) => `setsid sleep ${n} >/dev/null 2>&1 & echo up; wait; sleep ${n}`,
      ['INT', 'TERM'],
    ],
  ])('%s is stopped with proof', async (_what, tree, signals) => {
    const seconds = unique();
    const { command } = await web.start(tree(seconds), { env: { TRACE: seconds } });
    await command.stdout.grown(0);
    const report = await web.cancel(command);
    expect(report).toEqual({ outcome: 'confirmed', signals, remaining: [] });
    expect(await processesWith(seconds)).toEqual([]);
    expect(await command.ended).toEqual({ how: 'cancelled', stop: report });
  });

  test('a signal reaches a command whose stdin has ended, and not the channel of another connection', async () => {
    await using rude = await startRudeHost({ exec: () => manners.patient });
    const host = rude.host({ transport });
    using connections = testConnections([host], { knownHosts: [rude.knownHosts] });
    using others = testConnections([host], { knownHosts: [rude.knownHosts] });
    const channel = await connections.get('web').exec('first', { attach: reader().attach });
    channel.end();
    await others.get('web').ready();
    expect([others.get('web').signal(channel, 'KILL'), connections.get('web').signal(channel, 'TERM')]).toEqual([
      false,
      true,
    ]);
    await untilTrue(() => rude.seen.signals.length > 0);
    expect(rude.seen.signals).toEqual(['TERM']);
  });

  test('what runs under a lease ends when its connection is cut without a word', async () => {
    const seconds = unique();
    using relay = await relayTo(sshd.port);
    const [key] = sshd.hostKeys;
    await using temp = await tempFolder();
    const knownHosts = await temp.write('known_hosts', `[127.0.0.1]:${relay.port} ${key?.publicKey}\n`);
    const host = await sshd.host({ port: relay.port, transport });
    const lease = { leaseMs: 5_000, graceMs: GRACE_MS };
    using connections = testConnections([host], { knownHosts: [knownHosts], lease });
    using fleet = testFleet(host, { knownHosts, connections });
    const { command } = await fleet.start(`echo up; sleep ${seconds}`, { env: { TRACE: seconds } });
    await command.stdout.grown(0);
    relay.goSilent();
    expect(await command.ended).toMatchObject({ how: 'lost' });
    await noneLeft(seconds);
  }, 40_000);

  test('a managed session keeps its directory and its environment', async () => {
    const shell = await web.open();
    await shell.send('cd /usr');
    await shell.send('export KEPT=yes');
    expect((await shell.send('/bin/pwd; echo $KEPT')).stdout).toBe('/usr\nyes\n');
    expect(await shell.end()).toEqual({ outcome: 'already_ended', signals: [], remaining: [] });
  });

  test('a terminal has its size, takes another, and obeys ctrl-c', async () => {
    const shell = await openTerminal(web);
    await shell.until('prompt');
    expect((await shell.line('stty size; echo $TERM')).text).toMatch(/24 80\n+xterm-256color/);
    await shell.send({ size: { cols: 132, rows: 43 } });
    expect((await shell.line('stty size')).text).toContain('43 132');
    await shell.send({ text: 'sleep 71', keys: ['enter'] });
    await shell.until('running', 'sleep');
    await shell.send({ keys: ['ctrl-c'] });
    await shell.until('prompt');
    await shell.line('exit 7');
    expect(await shell.terminal.command.ended).toEqual(exited(7));
  });

  test.each([1, 2, 3])('forty commands run on a host that holds %i sessions, and none fails', async maxSessions => {
    await using small = await startSshd({ maxSessions });
    using connections = await connectionsTo(small);
    const runs = Array.from({ length: 40 }, (_, at) => run(connections, `echo ${at}`));
    expect((await Promise.all(runs)).map(({ stdout, code }) => `${code} ${stdout}`)).toEqual(
      Array.from({ length: 40 }, (_, at) => `0 ${at}\n`),
    );
    await expect.poll(() => small.counts()).toMatchObject({ logins: 1, sessions: 40 });
  });

  test('an unknown key is refused before any login, with its fingerprint', async () => {
    await using fresh = await startSshd();
    using connections = testConnections([await fresh.host({ transport })], {
      knownHosts: ['/dev/null'],
      meetsStrangers: true,
    });
    await expect(connections.get('web').ready()).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      message: expect.stringContaining(fresh.hostKeys[0]?.fingerprint ?? '-'),
    });
    expect(fresh.counts().logins).toBe(0);
  });

  test('a changed key is refused, with both fingerprints', async () => {
    await using temp = await tempFolder();
    const other = await makeKey(`${temp.path}/other`);
    const knownHosts = await temp.write('known_hosts', `[127.0.0.1]:${sshd.port} ${other.publicKey}\n`);
    expect(await failureOf({}, knownHosts)).toMatchObject({
      code: 'HOST_KEY_CHANGED',
      details: { presented: { fingerprint: sshd.hostKeys[0]?.fingerprint }, expected: [other.fingerprint] },
    });
  });

  test('a revoked key is refused, known or not', async () => {
    await using temp = await tempFolder();
    const key = sshd.hostKeys[0]?.publicKey ?? '';
    const name = `[127.0.0.1]:${sshd.port}`;
    const knownHosts = await temp.write('known_hosts', `${name} ${key}\n@revoked ${name} ${key}\n`);
    expect(await failureOf({}, knownHosts)).toMatchObject({ code: 'HOST_KEY_REVOKED' });
  });

  test('a pin stands in for the name under which a key is known', async () => {
    await using temp = await tempFolder();
    const { publicKey = '', fingerprint = '' } = sshd.hostKeys[0] ?? {};
    const elsewhere = await temp.write('known_hosts', `some.other.name ${publicKey}\n`);
    using connections = testConnections([await sshd.host({ transport, hostKeys: [fingerprint] })], {
      knownHosts: [elsewhere],
    });
    expect((await run(connections, 'echo pinned')).stdout).toBe('pinned\n');
    const other = await makeKey(`${temp.path}/other`);
    const both = await temp.write('both', `a ${other.publicKey}\n[127.0.0.1]:${sshd.port} ${publicKey}\n`);
    expect(await failureOf({ hostKeys: [other.fingerprint] }, both)).toMatchObject({ code: 'HOST_KEY_CHANGED' });
  });

  test('a login that the host refuses is told, with what it accepts', async () => {
    const [stranger] = sshd.hostKeys;
    const auth: Host['auth'] = [{ kind: 'key', path: stranger?.path ?? '' }];
    expect(await failureOf({ auth })).toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringContaining('The host accepts: publickey.'),
      details: { host: 'web', tried: [expect.any(String)], accepts: ['publickey'] },
    });
  });

  test('a port where nothing listens, and a name that nobody knows, are said in words', async () => {
    const keyAlias = `[127.0.0.1]:${sshd.port}`;
    expect(await failureOf({ port: 1, keyAlias })).toMatchObject({
      code: 'UNREACHABLE',
      message: 'web (127.0.0.1:1) refuses connections: nothing listens there.',
    });
    expect(await failureOf({ address: 'no-such-host.invalid', keyAlias })).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^web \(no-such-host\.invalid:\d+\) has an address that /),
    });
  });

  test('a host that accepts and stays silent is given up when the time is over', async () => {
    const server = createServer(socket => socket.on('error', () => {}));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    using connections = testConnections([await sshd.host({ transport, port, keyAlias: `[127.0.0.1]:${sshd.port}` })], {
      knownHosts: [sshd.knownHosts],
      connectTimeoutMs: 500,
    });
    await expect(connections.get('web').ready()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/within 500 ms\.$/),
    });
    server.close();
  });

  test('when the session process is killed, what runs closes without a status, and the next use dials again', async () => {
    await using fresh = await startSshd();
    using connections = await connectionsTo(fresh);
    const { attach, ran } = reader();
    await connections.get('web').exec('cat', { attach });
    await fresh.waitForLog(/Starting session/);
    await fresh.killConnections();
    expect(await ran).toMatchObject({ code: undefined, signal: undefined });
    expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
  });

  test('closing drops what runs, and the next use dials again', async () => {
    using connections = await connectionsTo(sshd);
    const connection = connections.get('web');
    const { attach, ran } = reader();
    await connection.exec('cat', { attach });
    connection.close();
    expect(await ran).toMatchObject({ code: undefined });
    expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
  });

  test('a host that gives no terminal is never sent the command', async () => {
    await using strict = await startSshd({ config: ['PermitTTY no', 'LogLevel DEBUG1'] });
    using connections = await connectionsTo(strict);
    const pty = { cols: 80, rows: 24, term: 'xterm' };
    await expect(connections.get('web').exec('echo never', { pty })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await run(connections, 'echo next')).stdout).toBe('next\n');
    expect(strict.log()).not.toContain('never');
  });

  test('variables that the host accepts are set, and others dropped', async () => {
    await using open = await startSshd({ config: ['AcceptEnv GIVEN'] });
    using fleet = testFleet(await open.host({ transport, env: { GIVEN: 'one two', OTHER: 'x' } }), open);
    expect((await fleet.run('echo "[$GIVEN][$OTHER]"')).stdout).toBe('[one two][]\n');
  });

  describe('a rude host that', () => {
    const rude = async (manner: Manner, command = 'x') => {
      const host = await startRudeHost({ exec: text => (text === command ? manner : manners.polite) });
      const connections = testConnections([host.host({ transport })], {
        knownHosts: [host.knownHosts],
        pause: async () => {},
      });
      return { host, connections, [Symbol.asyncDispose]: () => host.close().finally(connections.closeAll) };
    };

    test('refuses to run commands is told apart, and its channel is closed again', async () => {
      await using one = await rude(manners.refuse);
      for (let at = 0; at < 7; at++)
        await expect(run(one.connections, 'x')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      expect([one.host.seen.connections, one.connections.get('web').channels()]).toEqual([1, 0]);
    });

    test('closes the channel instead of an answer leaves open whether it ran', async () => {
      await using one = await rude(manners.closeUnanswered);
      await expect(run(one.connections, 'x')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      expect(one.host.seen.commands).toEqual(['x']);
    });

    test('cuts the line instead of an answer leaves it open too', async () => {
      await using one = await rude(exec => exec.drop());
      await expect(run(one.connections, 'x')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      expect(one.host.seen.commands).toEqual(['x']);
    });

    test('never answers can be given up, and its fate is unknown', async () => {
      await using one = await rude(manners.silent);
      const giveUp = new AbortController();
      const exec = one.connections.get('web').exec('x', { signal: giveUp.signal });
      await untilTrue(() => one.host.seen.commands.length > 0);
      giveUp.abort();
      await expect(exec).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      expect((await run(one.connections, 'next')).stdout).toBe('ran: next');
    });

    test('says acceptance, status and close in one write is heard whole', async () => {
      for (let at = 0; at < 3; at++) {
        await using one = await rude(manners.instantly);
        expect(await run(one.connections, 'x')).toMatchObject({ stdout: '', code: 7 });
      }
    });

    test('says the status long after the end of the output is waited for', async () => {
      await using one = await rude(manners.eofBeforeStatus);
      const { attach, ran } = reader();
      (await one.connections.get('web').exec('x', { attach })).eof();
      expect(await ran).toMatchObject({ stdout: 'early', code: 5 });
    });

    test('says nothing of how it ended closes without a status', async () => {
      await using one = await rude(manners.noStatus);
      expect(await run(one.connections, 'x')).toMatchObject({ stdout: 'what became of it?', code: undefined });
    });

    test('writes after its own end does no harm', async () => {
      await using one = await rude(exec => {
        exec.accept().write('before');
        exec.eof();
        exec.write('after');
        exec.writeError('after');
        exec.status(0);
        exec.close();
      });
      const { attach, ran } = reader();
      (await one.connections.get('web').exec('x', { attach })).eof();
      expect(await ran).toMatchObject({ stdout: 'before', code: 0 });
    });

    test('never opens a session can be given up, and nothing was sent', async () => {
      await using host = await startRudeHost({ ignoreSessions: true });
      using connections = testConnections([host.host({ transport })], { knownHosts: [host.knownHosts] });
      const giveUp = new AbortController();
      await connections.get('web').ready();
      const exec = connections.get('web').exec('true', { signal: giveUp.signal });
      setImmediate(() => giveUp.abort());
      await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(host.seen.commands).toEqual([]);
    });

    test('opens channels towards us is refused each', async () => {
      const outcomes: string[] = [];
      const note = (what: string) => (error: unknown) => outcomes.push(`${what}: ${error ? 'refused' : 'accepted'}`);
      await using host = await startRudeHost({
        onReady: connection => {
          connection.x11('127.0.0.1', 1, note('x11'));
          connection.forwardOut('127.0.0.1', 80, '127.0.0.1', 1, note('forwarded-tcpip'));
          connection.openssh_forwardOutStreamLocal('/tmp/x', note('forwarded-streamlocal'));
        },
      });
      using connections = testConnections([host.host({ transport })], { knownHosts: [host.knownHosts] });
      await run(connections, 'true');
      await untilTrue(() => outcomes.length === 3);
      expect(outcomes.toSorted()).toEqual([
        'forwarded-streamlocal: refused',
        'forwarded-tcpip: refused',
        'x11: refused',
      ]);
    });

    test('sends messages in a senseless order ends its connection at worst', async () => {
      const message = (type: number, ...numbers: readonly number[]): Buffer => {
        const bytes = Buffer.alloc(1 + 4 * numbers.length, type);
        for (const [at, value] of numbers.entries()) bytes.writeUInt32BE(value, 1 + 4 * at);
        return bytes;
      };
      for (const spoil of [
        message(93, 0, 0xffff_ffff),
        message(94, 0, 9_000_000),
        message(94, 77, 0),
        message(91, 0, 0, 0, 0),
        message(99, 0),
        message(100, 3),
        message(92, 0),
        message(96, 2 ** 31),
        message(97, 0),
      ]) {
        await using one = await rude(exec => {
          exec.accept().write('up');
          sendPacket(exec.connection, spoil);
          setTimeout(() => {
            exec.status(0);
            exec.close();
          }, 20);
        });
        const ran = await run(one.connections, 'x').catch((error: { code: string }) => error);
        expect([0, undefined, 'CONNECTION_LOST']).toContain(ran.code);
      }
    });
  });
});

test('two links to one host by way of OpenSSH know nothing of each other', async () => {
  const one = testConnections([await sshd.host({ transport: 'openssh' })], { knownHosts: [sshd.knownHosts] });
  using two = testConnections([await sshd.host({ transport: 'openssh' })], { knownHosts: [sshd.knownHosts] });
  const both: Connection[] = [one.get('web'), two.get('web')];
  await Promise.all(both.map(connection => connection.ready()));
  one.closeAll();
  expect((await run(two, 'echo still')).stdout).toBe('still\n');
});

test('a hop by way of OpenSSH carries a connection by way of ssh2', async () => {
  await using hop = await startSshd();
  const via = await hop.host({ name: 'hop', transport: 'openssh', knownHosts: [hop.knownHosts] });
  using connections = testConnections([await sshd.host({ via })], { knownHosts: [sshd.knownHosts] });
  expect(await run(connections, 'head -c 3000000 /dev/zero; exit 3')).toMatchObject({ code: 3 });
  expect((await run(connections, 'cat', { stdin: 'x'.repeat(3_000_000) })).stdout.length).toBe(3_000_000);
  await hop.waitForLog(/Accepted publickey/);
});
