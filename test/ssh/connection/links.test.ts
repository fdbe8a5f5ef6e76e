import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Channel } from '../../../src/ssh/command/channel.ts';
import { createMarks } from '../../../src/ssh/command/mark.ts';
import type { ExecOptions } from '../../../src/ssh/connection/connection.ts';
import type { Command } from '../../../src/ssh/fleet.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { reader, run, type TestConnections, testConnections } from '../../support/connections.ts';
import { testFleet } from '../../support/fleet.ts';
import { freePort, type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

type Parts = Partial<Parameters<typeof testConnections>[1]>;

const connectionsTo = async (server: Sshd, linksPerHost: number, parts: Parts = {}): Promise<TestConnections> =>
  testConnections([await server.host()], {
    knownHosts: [server.knownHosts],
    ...parts,
    caps: { linksPerHost, ...parts.caps },
  });

/** Takes so many lanes, one after the other; each is given back by ending it. */
const hold = async (connections: TestConnections, count: number, options: ExecOptions = {}): Promise<Channel[]> => {
  const held: Channel[] = [];
  while (held.length < count)
    held.push(await connections.get('web').exec('cat', { ...options, attach: reader().attach }));
  return held;
};

test('a command that would have to wait gets a second link, and commands that need not wait share the first', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh, 3);
  const held = await hold(connections, 5);
  expect(connections.dials.length).toBe(1);
  expect(await run(connections, 'echo six')).toMatchObject({ stdout: 'six\n' });
  await fresh.caughtUp();
  expect([connections.dials.length, fresh.counts().logins, connections.get('web').channels()]).toEqual([2, 2, 5]);
  held[0]?.end();
  await untilTrue(() => connections.get('web').channels() === 4);
  expect(await run(connections, 'echo $SSH_CLIENT')).toEqual(await run(connections, 'echo $SSH_CLIENT'));
  for (const channel of held) channel.end();
});

test('a lane that is free before the second link is there is taken at once', async () => {
  const timers: (() => void)[] = [];
  const after = (_ms: number, act: () => void) => {
    timers.push(act);
    return () => undefined;
  };
  using connections = await connectionsTo(sshd, 3, { after });
  const held = await hold(connections, 5);
  const sixth = run(connections, 'echo six');
  held[0]?.end();
  expect(await sixth).toMatchObject({ stdout: 'six\n' });
  for (const act of [...timers]) act();
  expect(connections.dials.length).toBe(1);
});

test('there are never more links than the cap, and the rest waits', async () => {
  await using fresh = await startSshd();
  using connections = await connectionsTo(fresh, 2);
  const held = await hold(connections, 9, { by: { grant: 'one' } });
  held.push(...(await hold(connections, 1, { by: { grant: 'two' } })));
  let queued = false;
  const waiting = connections.get('web').exec('cat', {
    attach: reader().attach,
    queued: () => {
      queued = true;
    },
  });
  await untilTrue(() => queued);
  expect(connections.get('web').channels()).toBe(10);
  held.shift()?.end();
  held.push(await waiting);
  for (const channel of held) channel.end();
  await fresh.caughtUp();
  expect(fresh.counts().logins).toBe(2);
});

test('of two links the last lane is kept for others than the grant that holds all the rest', async () => {
  using connections = await connectionsTo(sshd, 2);
  const connection = connections.get('web');
  const greedy = { by: { grant: 'greedy' } };
  const held = await hold(connections, 9, greedy);
  const tenth = connection.exec('cat', { ...greedy, attach: reader().attach });
  const other = reader();
  (await connection.exec('echo other', { by: { grant: 'other' }, attach: other.attach })).end();
  expect(await other.ran).toMatchObject({ stdout: 'other\n' });
  expect(connection.channels()).toBe(9);
  held.shift()?.end();
  held.push(await tenth);
  for (const channel of held) channel.end();
});

test('lanes that are freed go round between grants, and between the sessions of one', async () => {
  using connections = await connectionsTo(sshd, 1);
  const connection = connections.get('web');
  const held = await hold(connections, 5, { by: { grant: 'greedy' } });
  const order: string[] = [];
  const begin = async (name: string, by: NonNullable<ExecOptions['by']>): Promise<void> => {
    const { attach, ran } = reader();
    const opened = (channel: Channel): void => {
      order.push(name);
      attach(channel);
    };
    (await connection.exec('true', { by, attach: opened })).end();
    await ran;
  };
  const begun = [
    ...['g1', 'g2', 'g3'].map(name => begin(name, { grant: 'greedy' })),
    ...['s1', 's2'].map(name => begin(name, { grant: 'modest', session: 's' })),
    ...['t1', 't2'].map(name => begin(name, { grant: 'modest', session: 't' })),
  ];
  await new Promise(resolve => setImmediate(resolve));
  held.shift()?.end();
  await Promise.all(begun);
  expect(order.slice(0, 4).toSorted()).toEqual(['s1', 's2', 't1', 't2']);
  expect(order.slice(4)).toEqual(['g1', 'g2', 'g3']);
  for (const channel of held) channel.end();
});

test('a second link that cannot be had fails nothing: what waits gets the next lane', async () => {
  const dead = await freePort();
  let dials = 0;
  using connections = await connectionsTo(sshd, 3, {
    connect: options => connect(dials++ === 0 || !('port' in options) ? options : { ...options, port: dead }),
  });
  const held = await hold(connections, 5);
  const sixth = run(connections, 'echo six');
  await untilTrue(() => dials === 2);
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(connections.get('web').state()).toBe('ready');
  held.shift()?.end();
  expect(await sixth).toMatchObject({ stdout: 'six\n' });
  expect(dials).toBe(2);
  for (const channel of held) channel.end();
});

test('a link that is cut takes with it what it carried, and nothing else', async () => {
  const sockets: Socket[] = [];
  const dial: NonNullable<Parts['connect']> = options => {
    const socket = connect(options);
    sockets.push(socket);
    return socket;
  };
  using connections = await connectionsTo(sshd, 2, { connect: dial });
  const connection = connections.get('web');
  const readers = Array.from({ length: 7 }, () => reader());
  const channels: Channel[] = [];
  for (const { attach } of readers) channels.push(await connection.exec('cat', { attach }));
  sockets[0]?.resetAndDestroy();
  const lost = await Promise.all(readers.slice(0, 5).map(({ ran }) => ran));
  expect(lost.map(({ code }) => code)).toEqual(Array(5).fill(undefined));
  expect([connection.state(), connection.channels()]).toEqual(['ready', 2]);
  for (const channel of channels.slice(5)) {
    expect(connection.signal(channel, 'INT')).toBe(true);
    channel.end('still here');
  }
  const kept = await Promise.all(readers.slice(5).map(({ ran }) => ran));
  expect(kept.every(({ stdout, signal }) => stdout === 'still here' || signal === 'SIGINT')).toBe(true);
});

test('an idle link beside another is closed, then the last one, and the next use dials again', async () => {
  using connections = await connectionsTo(sshd, 3, { caps: { idleLinkMs: 40, idleConnectionMs: 200 } });
  const connection = connections.get('web');
  const held = await hold(connections, 6);
  expect(connections.dials.length).toBe(2);
  held.pop()?.end();
  await untilTrue(() => connection.channels() === 5);
  const release = connection.hold();
  for (const channel of held) channel.end();
  await untilTrue(() => connection.channels() === 0);
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(connection.state()).toBe('ready');
  release();
  await untilTrue(() => connection.state() === 'closed');
  expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n' });
});

test('a link with something open is never idle', async () => {
  using connections = await connectionsTo(sshd, 1, { caps: { idleLinkMs: 20, idleConnectionMs: 20 } });
  const { attach, ran } = reader();
  const channel = await connections.get('web').exec('cat', { attach });
  await new Promise(resolve => setTimeout(resolve, 150));
  channel.end('still here');
  expect(await ran).toMatchObject({ stdout: 'still here', code: 0 });
});

test.each([1, 2, 3])(
  'over up to three links to a host of %i sessions, with a warden, forty commands fail nowhere',
  async maxSessions => {
    await using small = await startSshd({ maxSessions });
    const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
    using connections = await connectionsTo(small, 3, { lease });
    const runs = Array.from({ length: 40 }, (_, at) => run(connections, `echo ${at}`));
    expect((await Promise.all(runs)).map(({ stdout, code }) => `${code} ${stdout}`)).toEqual(
      Array.from({ length: 40 }, (_, at) => `0 ${at}\n`),
    );
  },
);

test('the variables of a host are asked for with each command, and those that it does not take are dropped', async () => {
  await using taking = await startSshd({ config: ['AcceptEnv GREETING'] });
  const host = await taking.host({ env: { GREETING: 'good day', REFUSED: 'x' } });
  using connections = testConnections([host], { knownHosts: [taking.knownHosts] });
  expect(await run(connections, 'echo "$GREETING/$REFUSED"')).toMatchObject({ stdout: 'good day/\n', code: 0 });
});

test('what the login shell takes to start is measured by a question that is asked anyway, and by the warden', async () => {
  const slow = `ForceCommand sleep 0.2; exec sh -c "$SSH_ORIGINAL_COMMAND"`;
  await using sleepy = await startSshd({ config: [slow] });
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  for (const parts of [{}, { lease }]) {
    using connections = await connectionsTo(sleepy, 1, parts);
    const connection = connections.get('web');
    await connection.ready();
    if (parts === undefined || !('lease' in parts)) {
      expect(await connection.startup()).toBeUndefined();
      const { attach, ran } = reader();
      (await connection.exec('echo', { timed: true, attach })).end();
      await ran;
    }
    const startupMs = await connection.startup();
    expect(startupMs).toBeGreaterThan(190);
    expect(startupMs).toBeLessThan(2_000);
  }
});

test('whoever connects hears what the login shell takes, once the warden stands', async () => {
  await using sleepy = await startSshd({ config: ['ForceCommand sleep 0.2; exec sh -c "$SSH_ORIGINAL_COMMAND"'] });
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  using connections = await connectionsTo(sleepy, 1, { lease });
  using fleet = testFleet(await sleepy.host(), { knownHosts: sleepy.knownHosts, connections });
  const view = await fleet.fleet.connect(fleet.permit({ kind: 'connect', target: fleet.target }));
  expect(view).toMatchObject({ host: 'web', state: 'ready', shellStartupMs: expect.any(Number) });
  expect(view.shellStartupMs).toBeGreaterThan(190);
  expect(connections.get('web').leased()).toBe(true);
});

test('a command that runs over the second link is stopped, and the stop is proved', async () => {
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  using connections = await connectionsTo(sshd, 2, { lease });
  using fleet = testFleet(await sshd.host(), { knownHosts: sshd.knownHosts, connections });
  const started = await Promise.all(Array.from({ length: 7 }, () => fleet.start('echo up; sleep 8.123 & wait')));
  await Promise.all(started.map(({ command }) => command.stdout.grown(0)));
  expect(connections.dials.length).toBe(2);
  for (const { command } of started)
    expect(await fleet.cancel(command)).toEqual({ outcome: 'confirmed', signals: ['INT', 'TERM'], remaining: [] });
});

test('a second link takes commands only when its warden stands: until then the next free lane is theirs', async () => {
  await using slow = await startSshd({ config: ['ForceCommand sleep 0.4; exec sh -c "$SSH_ORIGINAL_COMMAND"'] });
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  using connections = await connectionsTo(slow, 2, { lease });
  const connection = connections.get('web');
  const held = await hold(connections, 5);
  const sixth = reader();
  const leased = createMarks(randomBytes)();
  const begun = connection.exec('echo six', { leased, attach: sixth.attach });
  await slow.waitForLog(/Accepted publickey/, 2);
  held[0]?.close();
  (await begun).end();
  expect(connection.leased()).toBe(false);
  expect(await sixth.ran).toMatchObject({ stdout: 'six\n' });
  for (const channel of held) channel.close();
});

test('when the first link is gone, what runs over the second is still stopped and proved', async () => {
  const lease = { leaseMs: 60_000, graceMs: [150, 400, 300] } as const;
  const sockets: Socket[] = [];
  const dial: NonNullable<Parts['connect']> = options => {
    const socket = connect(options);
    sockets.push(socket);
    return socket;
  };
  using connections = await connectionsTo(sshd, 2, { lease, connect: dial });
  using fleet = testFleet(await sshd.host(), { knownHosts: sshd.knownHosts, connections });
  const started = await Promise.all(Array.from({ length: 7 }, () => fleet.start('echo up; exec sleep 8.124')));
  await Promise.all(started.map(({ command }) => command.stdout.grown(0)));
  sockets[0]?.resetAndDestroy();
  const running = await untilFewer(started.map(({ command }) => command));
  expect(running.length).toBe(2);
  for (const command of running)
    expect(await fleet.cancel(command)).toMatchObject({ outcome: 'confirmed', signals: ['INT'] });
});

test('a second link that ends at a machine which passes commands on changed is not sent what rules have judged', async () => {
  await using temp = await tempFolder();
  const forced = `ForceCommand printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >> ${temp.path}/asked; exec sh -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | tr -d '*')"`;
  await using other = await startSshd({ config: [forced] });
  const hosts = await Promise.all([sshd.host(), other.host()]);
  const [first = hosts[1]] = hosts;
  const host: Host = {
    ...first,
    auth: [first.auth[0], hosts[1].auth[0]],
    hostKeys: [...sshd.hostKeys, ...other.hostKeys].map(({ fingerprint }) => fingerprint),
  };
  let dials = 0;
  const dial: NonNullable<Parts['connect']> = options =>
    connect(dials++ > 0 && 'port' in options ? { ...options, port: other.port } : options);
  using connections = testConnections([host], { knownHosts: [], caps: { linksPerHost: 2 }, connect: dial });
  using fleet = testFleet(host, { knownHosts: '/dev/null', connections });
  const held = await Promise.all(
    Array.from({ length: 5 }, () => fleet.start({ canonical: "'echo' 'up'; 'sleep' '8.125'" })),
  );
  await Promise.all(held.map(({ command }) => command.stdout.grown(0)));
  const { command } = await fleet.start({ canonical: "'echo' 'judged'" });
  expect(await command.ended).toMatchObject({ how: 'lost', unsent: true, why: { code: 'UNSUPPORTED' } });
  expect(dials).toBe(2);
  expect(await readFile(`${temp.path}/asked`, 'utf8')).not.toContain('judged');
  for (const { command: holder } of held) await fleet.cancel(holder);
});

/** Waits until five have been lost with their link, and gives back those that go on. */
const untilFewer = async (commands: readonly Command[]): Promise<readonly Command[]> => {
  const isLost = (command: Command): boolean => command.state().end?.how === 'lost';
  await untilTrue(() => commands.filter(isLost).length === 5);
  return commands.filter(command => !isLost(command));
};
