import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { networks } from '../../../src/ssh/dial/networks.ts';
import { reach, scan } from '../../../src/ssh/dial/reach.ts';
import { lookUp, tcp } from '../../../src/ssh/dial/tcp.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { realClock } from '../../support/clock.ts';
import { reader, run, type TestConnections, testConnections } from '../../support/connections.ts';
import { relayTo } from '../../support/relay.ts';
import { freePort, makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

/** Three servers with a key each: `web` is reached by way of `inner`, and that by way of `outer`. */
let [outer, inner, web]: Sshd[] = [];
beforeAll(async () => {
  [outer, inner, web] = await Promise.all([startSshd(), startSshd(), startSshd()]);
});
afterAll(() => Promise.all([outer, inner, web].map(sshd => sshd?.close())));

const present = (sshd: Sshd | undefined): Sshd => sshd ?? expect.unreachable();

const pinned = async (sshd: Sshd | undefined, name: string, more: Partial<Host> = {}): Promise<Host> =>
  await present(sshd).host({ name, hostKeys: present(sshd).hostKeys.map(key => key.fingerprint), ...more });

type Changes = { readonly outer?: Partial<Host>; readonly inner?: Partial<Host>; readonly web?: Partial<Host> };

const chain = async (changes: Changes = {}): Promise<Host> => {
  const first = await pinned(outer, 'outer', changes.outer);
  const second = await pinned(inner, 'inner', { via: first, ...changes.inner });
  return await pinned(web, 'web', { via: second, ...changes.web });
};

const to = (host: Host, parts = {}): TestConnections => testConnections([host], { knownHosts: [], ...parts });

const failureOf = (connections: TestConnections): Promise<Failure> =>
  run(connections, 'true').then(
    () => expect.unreachable(),
    (error: Failure) => error,
  );

/** Connections and logins that each server has seen since the test began. */
let before: readonly { connections: number; logins: number }[] = [];
const seen = async () => {
  const all = [outer, inner, web].map(present);
  await Promise.all(all.map(sshd => sshd.caughtUp()));
  return all.map(sshd => sshd.counts());
};
const since = async (): Promise<readonly string[]> =>
  (await seen()).map(
    ({ connections, logins }, at) =>
      `${connections - (before[at]?.connections ?? 0)} connections, ${logins - (before[at]?.logins ?? 0)} logins`,
  );
beforeEach(async () => {
  before = await seen();
});

const ONE = '1 connections, 1 logins';
const STOPPED = '1 connections, 0 logins';
/** A pin does not say of which type its key is: the others are asked for too. */
const STOPPED_AGAIN = '2 connections, 0 logins';
const NONE = '0 connections, 0 logins';

describe('a chain of three', () => {
  test('carries a command, each server with its own key and its own login', async () => {
    using connections = to(await chain());
    expect(await run(connections, 'cat; exit 3', { stdin: 'through' })).toMatchObject({ stdout: 'through', code: 3 });
    const { fingerprint, roundTripMs } = await connections.get('web').ready();
    expect([fingerprint, connections.dials.map(options => 'port' in options && options.port)]).toEqual([
      web?.hostKeys[0]?.fingerprint,
      [outer?.port],
    ]);
    expect(roundTripMs).toBeGreaterThan(0);
    expect(await since()).toEqual([ONE, ONE, ONE]);
  });

  test('carries much in both directions, whole', async () => {
    using connections = to(await chain());
    const stdin = Buffer.alloc(8_000_000, 'every byte of it ');
    const hash = createHash('sha256').update(stdin).digest('hex');
    const [there, back] = await Promise.all([
      run(connections, 'sha256sum', { stdin }),
      run(connections, 'head -c 30000000 /dev/zero; echo end'),
    ]);
    expect([there.stdout, back.stdout.length, back.stdout.slice(-4)]).toEqual([`${hash}  -\n`, 30_000_004, 'end\n']);
  });

  test('is measured from end to end', async () => {
    using relay = await relayTo(present(outer).port, { delayMs: 20 });
    using connections = to(await chain({ outer: { port: relay.port } }));
    const { roundTripMs } = await connections.get('web').ready();
    expect(roundTripMs).toBeGreaterThanOrEqual(39);
    expect(roundTripMs).toBeLessThan(200);
  });

  test.each([
    ['outer', [STOPPED_AGAIN, NONE, NONE], 'web is reached by way of inner: inner is reached by way of outer: outer ('],
    ['inner', [ONE, STOPPED_AGAIN, NONE], 'web is reached by way of inner: inner ('],
    ['web', [ONE, ONE, STOPPED_AGAIN], 'web ('],
  ])('is refused when the key of %s is another, and nobody logs in there or beyond', async (name, counts, message) => {
    const changed = { hostKeys: [`SHA256:${'x'.repeat(43)}`] };
    using connections = to(await chain({ [name]: changed }));
    const failure = await failureOf(connections);
    expect([failure.code, failure.details.host, failure.message.startsWith(message)]).toEqual([
      'HOST_KEY_CHANGED',
      name,
      true,
    ]);
    expect(await since()).toEqual(counts);
  });

  test('is not even dialled when the key of a hop is not known, and says whose a person has to compare', async () => {
    using connections = to(await chain({ inner: { hostKeys: [] } }));
    const failure = await failureOf(connections);
    expect(failure).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { host: 'inner', beyond: 'web' },
      next: expect.stringContaining('sallyport hosts trust inner'),
    });
    expect(await since()).toEqual([NONE, NONE, NONE]);
  });

  test('names the hop that refuses the login', async () => {
    await using temp = await tempFolder();
    const { path } = await makeKey(`${temp.path}/stranger`);
    using connections = to(await chain({ inner: { auth: [{ kind: 'key', path }] } }));
    expect(await failureOf(connections)).toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringMatching(/^web is reached by way of inner: .* on inner \(.*the host refused key/),
      operator: expect.stringMatching(/^web is reached by way of inner: .*stranger/),
      details: { host: 'inner', beyond: 'web' },
      next: expect.stringContaining('hosts test inner'),
    });
    expect(await since()).toEqual([ONE, STOPPED, NONE]);
  });

  test('names the hop that is dead', async () => {
    const port = await freePort();
    using connections = to(await chain({ outer: { port } }));
    expect(await failureOf(connections)).toMatchObject({
      code: 'UNREACHABLE',
      message: `web is reached by way of inner: inner is reached by way of outer: outer (127.0.0.1:${port}) refuses connections: nothing listens there.`,
      details: { host: 'outer', beyond: 'web', cause: 'ECONNREFUSED' },
    });
  });

  test('says which hop cannot connect to the next', async () => {
    const port = await freePort();
    using connections = to(await chain({ inner: { port } }));
    expect(await failureOf(connections)).toMatchObject({
      code: 'UNREACHABLE',
      message: `web is reached by way of inner: inner is reached by way of outer, which cannot connect to 127.0.0.1:${port}.`,
      details: { host: 'inner', hop: 'outer', beyond: 'web', reason: 2 },
    });
  });

  test('says which hop does not forward', async () => {
    await using closed = await startSshd({ config: ['AllowTcpForwarding no'] });
    using connections = to(await chain({ web: { via: await pinned(closed, 'closed') } }));
    expect(await failureOf(connections)).toMatchObject({
      code: 'UNREACHABLE',
      message: `web is reached by way of closed, which does not forward connections to 127.0.0.1:${present(web).port}.`,
      next: 'Ask the operator: the sshd of closed has to allow it (AllowTcpForwarding, PermitOpen).',
    });
  });
});

describe('a hop', () => {
  test('is logged in to once for all that lies behind it', async () => {
    const via = await pinned(outer, 'outer');
    const hosts = [await pinned(inner, 'inner', { via }), await pinned(web, 'web', { via }), via];
    using connections = testConnections(hosts, { knownHosts: [] });
    const runs = hosts.map(({ name }) => run(connections, `echo ${name}`, { host: name }));
    expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(['inner\n', 'web\n', 'outer\n']);
    expect(await since()).toEqual([ONE, ONE, ONE]);
  });

  test('that is killed takes what runs beyond it with it, and the next use goes there anew', async () => {
    await using hop = await startSshd();
    using connections = to(
      await chain({
        outer: { port: hop.port, hostKeys: [hop.hostKeys[0]?.fingerprint ?? ''], auth: (await hop.host()).auth },
      }),
    );
    const { attach, ran } = reader();
    await connections.get('web').exec('cat', { attach });
    const begun = performance.now();
    await hop.killConnections();
    expect(await ran).toMatchObject({ code: undefined, signal: undefined });
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(connections.get('web').state()).toBe('closed');
    expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
  });

  test.each([
    ['answers no more', 'SIGSTOP'],
    ['is gone', 'SIGKILL'],
  ] as const)(
    'that %s is found out, and another connection to it carries what is asked next',
    async (_what, signal) => {
      await using hop = await startSshd();
      const via = await pinned(hop, 'hop');
      const heartbeat = { pingMs: 20, lookMs: 20, silentLooks: 10 };
      using connections = to(await pinned(web, 'web', { via }), { heartbeat });
      const { attach, ran } = reader();
      await connections.get('web').exec('cat', { attach });
      await hop.killConnections(signal);
      expect(await ran).toMatchObject({ code: undefined });
      expect(await run(connections, 'echo again')).toMatchObject({ stdout: 'again\n', code: 0 });
    },
  );

  test('that is closed while it takes nothing any more loses what runs beyond it at once', async () => {
    using relay = await relayTo(present(outer).port);
    const via = await pinned(outer, 'hop', { port: relay.port });
    using connections = testConnections([await pinned(web, 'web', { via }), via], { knownHosts: [] });
    const { attach, ran } = reader();
    const channel = await connections.get('web').exec('cat >/dev/null', { attach });
    relay.goSilent();
    channel.write(Buffer.alloc(30_000_000));
    const begun = performance.now();
    connections.get('hop').close();
    expect(await ran).toMatchObject({ code: undefined });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  test('whose key is refused says nothing about the key of what lies behind it', async () => {
    using connections = to(await chain({ inner: { hostKeys: [`SHA256:${'x'.repeat(43)}`] } }));
    await failureOf(connections);
    expect(await connections.get('web').key()).toBe('pinned');
  });

  test('of a way without end is not dialled', async () => {
    let host = await pinned(web, 'web');
    for (let at = 0; at < 17; at++) host = { ...host, via: host };
    using connections = to(host);
    expect((await failureOf(connections)).message).toBe('web is reached by way of more than 16 hosts.');
    expect(connections.dials).toEqual([]);
  });

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '0x0a010203', '167838211', '10.66051', '0.0.0.0', '::'])(
    'is asked for no connection to %s where networks forbid it, and not even dialled',
    async address => {
      using connections = to(await chain({ web: { address } }), { mayDial: networks({ deny: ['10.0.0.0/8'] }) });
      expect((await failureOf(connections)).details).toEqual({ host: 'web', phase: 'connecting', cause: 'FORBIDDEN' });
      expect(connections.dials).toEqual([]);
    },
  );

  test('looks up the name of what lies behind it, and nobody does here', async () => {
    const asked: string[] = [];
    const noted = (name: string) => {
      asked.push(name);
      return lookUp(name);
    };
    using connections = to(await chain({ web: { address: 'localhost' } }), { lookUp: noted });
    expect(await run(connections, 'echo there')).toMatchObject({ stdout: 'there\n' });
    expect(asked).toEqual([]);
  });
});

describe('without connections that are shared', () => {
  const parts = () => ({
    clock: realClock,
    log: () => {},
    connect: tcp,
    lookUp,
    connectTimeoutMs: 10_000,
    knownHosts: [],
  });
  const { signal } = new AbortController();

  test('a link through hops ends them with itself', async () => {
    await using hop = await startSshd();
    const link = await reach(await pinned(web, 'web', { via: await pinned(hop, 'hop') }), { signal }, parts());
    link.end();
    await hop.waitForLog(/Disconnected from user|Received disconnect/);
  });

  test('a key is fetched through hops whose own keys are trusted, and they end then', async () => {
    await using hop = await startSshd();
    const via = await pinned(hop, 'hop');
    const target = await pinned(web, 'web', { hostKeys: [], via });
    expect(await scan(target, signal, parts())).toMatchObject({ fingerprint: web?.hostKeys[0]?.fingerprint });
    await hop.waitForLog(/Disconnected from user|Received disconnect/);
    const untrusted = { ...target, via: { ...via, hostKeys: [] } };
    await expect(scan(untrusted, signal, parts())).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { host: 'hop' },
    });
  });

  test('a target that cannot be reached ends its hop too', async () => {
    await using hop = await startSshd();
    const target = await pinned(web, 'web', { via: await pinned(hop, 'hop'), port: await freePort() });
    await expect(reach(target, { signal }, parts())).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await hop.waitForLog(/Disconnected from user|Received disconnect/);
  });
});
