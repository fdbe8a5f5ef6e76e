import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Channel } from '../../../src/ssh/command/channel.ts';
import type { Link } from '../../../src/ssh/connection/link.ts';
import { dialLimits, type Networks, networks } from '../../../src/ssh/dial/networks.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { type OpensshParts, reachByOpenssh } from '../../../src/ssh/openssh/reach.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { startAgent } from '../../support/agent.ts';
import { realClock } from '../../support/clock.ts';
import { reader, testConnections } from '../../support/connections.ts';
import { noneLeft } from '../../support/processes.ts';
import { relayTo } from '../../support/relay.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';

const execute = promisify(execFile);

let sshd: Sshd;
let temp: TempFolder;
beforeAll(async () => {
  sshd = await startSshd();
  temp = await tempFolder();
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const logged: string[] = [];
const partsOf = (parts: Partial<OpensshParts> = {}): OpensshParts => ({
  clock: realClock,
  log: (_level, message) => void logged.push(message),
  knownHosts: [sshd.knownHosts],
  connectTimeoutMs: 10_000,
  lookUp: async () => [{ address: '127.0.0.1', family: 4 }],
  ...parts,
});

type TestLink = Link & Disposable;

const reach = async (host: Host, parts: Partial<OpensshParts> = {}, signal?: AbortSignal): Promise<TestLink> => {
  const link = await reachByOpenssh(host, { signal: signal ?? new AbortController().signal }, partsOf(parts));
  return { ...link, [Symbol.dispose]: () => link.end() };
};

const failureOf = async (host: Host, parts: Partial<OpensshParts> = {}): Promise<unknown> =>
  await reach(host, parts).then(
    link => link.end(),
    (error: unknown) => error,
  );

/** Reads a channel, and gives it no stdin. */
const reading = () => {
  const { attach, ran } = reader();
  const begin = (channel: Channel): void => {
    attach(channel);
    channel.eof();
  };
  return { attach: begin, ran };
};

const runOn = async (link: Link, command: string) => {
  const { attach, ran } = reading();
  const opened = await link.open(command, { attach, pause: setTimeout });
  if (opened.how !== 'open') throw new Error(`it is ${opened.how}`);
  return await ran;
};

/** Whether a process has ended, waited for or not. */
const isGone = async (pid: number | undefined): Promise<boolean> =>
  await readFile(`/proc/${pid}/stat`, 'latin1').then(
    text => text.includes(') Z '),
    () => true,
  );

const folders = async (): Promise<readonly string[]> =>
  (await readdir(process.env.TMPDIR ?? '/tmp')).filter(name => /^sallyport-[A-Za-z0-9]{6}$/.test(name));

describe('an ssh of ours', () => {
  test('leaves no folder, no socket and no process behind', async () => {
    const before = await folders();
    const link = await reach(await sshd.host());
    expect((await folders()).filter(name => !before.includes(name))).toEqual([]);
    const closed = new Promise<void>(resolve => link.onClosed(resolve));
    link.end();
    await closed;
    expect(link.isOpen()).toBe(false);
    let told = false;
    link.onClosed(() => {
      told = true;
    });
    expect([told, await link.open('true', { pause: setTimeout })]).toEqual([true, { how: 'gone' }]);
  });

  test('is told no secret: a password or a passphrase is refused before anything is started', async () => {
    let revealed = 0;
    const secret = new Secret({ env: 'PASS' }, async () => {
      revealed++;
      return 'hunter22';
    });
    const auth: Host['auth'][] = [
      [{ kind: 'password', password: secret }],
      [{ kind: 'key', path: '/nowhere/key', passphrase: secret }],
      [{ kind: 'interactive', answers: [{ asks: 'code', answer: secret }] }],
    ];
    for (const one of auth)
      expect(await failureOf(await sshd.host({ auth: one }))).toMatchObject({
        code: 'UNSUPPORTED',
        next: expect.stringContaining('ssh-agent'),
      });
    expect(revealed).toBe(0);
  });

  test.each([
    ['address', { address: '-oProxyCommand=touch /tmp/x' }],
    ['address', { address: 'a b' }],
    ['user', { user: '-x' }],
    ['user', { user: 'a\n  ProxyCommand touch /tmp/x' }],
    ['user', { user: '%r' }],
    ['key alias', { keyAlias: 'x\ny' }],
    ['key algorithm', { keyAlgorithms: ['a b'] }],
    ['files', { knownHosts: ['/tmp/a"b'] }],
    ['files', { auth: [{ kind: 'key', path: '/tmp/a\nb' }] }],
    ['files', { auth: [{ kind: 'key', path: '/tmp/${HOME}' }] }],
  ] satisfies readonly (readonly [string, Partial<Host>])[])(
    'is never told an %s that it would read otherwise',
    async (what, host) => {
      expect(await failureOf(await sshd.host(host))).toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining(`its ${what} has`),
      });
    },
  );

  test.each(['-oProxyCommand=touch', 'a b', '', 'a;b', '$(id)', '%h'])('is never given %j for a name', async alias => {
    expect(await failureOf(await sshd.host({ alias }))).toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('that is not installed is said in words', async () => {
    const { PATH } = process.env;
    await mkdir(join(temp.path, 'bin'));
    for (const name of ['env', 'setpriv']) await symlink(`/usr/bin/${name}`, join(temp.path, 'bin', name));
    process.env.PATH = join(temp.path, 'bin');
    const failure = await failureOf(await sshd.host());
    process.env.PATH = PATH;
    expect(failure).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('no OpenSSH client') });
  });

  test('can be called off at any moment', async () => {
    for (const ms of [0, 5, 20, 60, 120]) {
      const giveUp = new AbortController();
      const reaching = reach(await sshd.host(), {}, giveUp.signal);
      globalThis.setTimeout(() => giveUp.abort(), ms);
      const outcome = await reaching.then(
        link => {
          link.end();
          return 'reached';
        },
        (error: { code: string }) => error.code,
      );
      expect(['reached', 'CANCELLED']).toContain(outcome);
    }
  });
});

describe('logging in', () => {
  test('by an agent, with every key of it or with those that are named', async () => {
    await using agent = await startAgent();
    const { path } = await sshd.userKey();
    const stranger = await makeKey(join(temp.path, 'stranger'));
    await agent.add(stranger.path);
    await agent.add(path);
    for (const auth of [
      { kind: 'agent', socket: agent.socket },
      { kind: 'agent', socket: agent.socket, only: [`${path}.pub`] },
    ] as const) {
      using link = await reach(await sshd.host({ auth: [auth] }));
      expect((await runOn(link, 'echo in')).stdout).toBe('in\n');
    }
    const only = [{ kind: 'agent', socket: agent.socket, only: [`${stranger.path}.pub`] }] as const;
    expect(await failureOf(await sshd.host({ auth: only }))).toMatchObject({ code: 'AUTH_FAILED' });
  });

  test('by a user certificate, to a host that proves itself by another', async () => {
    const authority = await makeKey(join(temp.path, 'authority'));
    const user = await makeKey(join(temp.path, 'certified'));
    const host = await makeKey(join(temp.path, 'host'));
    const sign = (...args: readonly string[]) => execute('ssh-keygen', ['-q', '-s', authority.path, ...args]);
    await sign('-I', 'user', '-n', sshd.user, `${user.path}.pub`);
    await sign('-I', 'host', '-h', '-n', '127.0.0.1', `${host.path}.pub`);
    await using certified = await startSshd({
      config: [
        `TrustedUserCAKeys ${authority.path}.pub`,
        `HostKey ${host.path}`,
        `HostCertificate ${host.path}-cert.pub`,
      ],
    });
    const knownHosts = await temp.write('authorities', `@cert-authority * ${authority.publicKey}\n`);
    const auth: Host['auth'] = [{ kind: 'key', path: user.path, certificate: `${user.path}-cert.pub` }];
    using link = await reach(await certified.host({ auth }), { knownHosts: [knownHosts] });
    expect(await runOn(link, 'echo in')).toMatchObject({ stdout: 'in\n', code: 0 });
  });

  test('by a key exchange that ssh2 does not have', async () => {
    await using modern = await startSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    using link = await reach(await modern.host(), { knownHosts: [modern.knownHosts] });
    expect((await runOn(link, 'echo in')).stdout).toBe('in\n');
  });
});

describe('hops', () => {
  test('of a chain are each checked and logged in to, and the host behind them is reached', async () => {
    await using first = await startSshd();
    await using second = await startSshd();
    const near = await first.host({ name: 'near', knownHosts: [first.knownHosts] });
    const far = await second.host({ name: 'far', knownHosts: [second.knownHosts], via: near });
    using link = await reach(await sshd.host({ via: far }));
    expect((await runOn(link, 'echo $SSH_CONNECTION')).stdout).toContain(` ${sshd.port}\n`);
    expect(link.peer.fingerprint).toBe(sshd.hostKeys[0]?.fingerprint);
    await first.caughtUp();
    await second.caughtUp();
    expect([first.counts().logins, second.counts().logins]).toEqual([1, 1]);
    link.end();
    await noneLeft(`[127.0.0.1]:${second.port}`);
  });

  test('that are dead, unknown or closed are named', async () => {
    await using hop = await startSshd();
    const named = async (via: Host) => await failureOf(await sshd.host({ via }));
    const known = { name: 'hop', knownHosts: [hop.knownHosts] };
    expect(await named(await hop.host({ ...known, port: 1 }))).toMatchObject({
      code: 'UNREACHABLE',
      details: { host: 'hop', cause: 'ECONNREFUSED' },
    });
    expect(await named(await hop.host({ ...known, knownHosts: [] }))).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { host: 'hop' },
    });
    const [{ path = '' } = {}] = hop.hostKeys;
    expect(await named(await hop.host({ ...known, auth: [{ kind: 'key', path }] }))).toMatchObject({
      code: 'AUTH_FAILED',
      details: { host: 'hop' },
    });
  });
});

describe('a host of ssh_config', () => {
  const config = async (text: string): Promise<string> => {
    const { path } = await sshd.userKey();
    return await temp.write(
      'ssh_config',
      `Host web\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.user}\n  IdentityFile ${path}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${sshd.knownHosts}\n${text}`,
    );
  };

  test('is reached as that file says, by a program on the way too', async () => {
    const aliasFile = await config(
      `  ProxyCommand ssh -F none -o UserKnownHostsFile=${sshd.knownHosts} -o IdentityFile=${(await sshd.userKey()).path} -W 127.0.0.1:${sshd.port} -p ${sshd.port} 127.0.0.1\nMatch exec "true"\n  SendEnv LANG\n`,
    );
    using link = await reach(await sshd.host({ alias: 'web', aliasFile }));
    expect(await runOn(link, 'echo in')).toMatchObject({ stdout: 'in\n', code: 0 });
    expect(link.peer.fingerprint).toBe(sshd.hostKeys[0]?.fingerprint);
  });

  test('runs nothing here once it is reached, forwards nothing, goes to no background and trusts no new key', async () => {
    const touched = join(temp.path, 'touched');
    const aliasFile = await config(
      `  LocalCommand touch ${touched}\n  PermitLocalCommand yes\n  RemoteCommand sleep 99\n  RequestTTY force\n  ForkAfterAuthentication yes\n  LocalForward 127.0.0.1:1 127.0.0.1:1\n  ForwardAgent yes\n  ControlMaster auto\n  ControlPath ${temp.path}/theirs\n  ControlPersist yes\n`,
    );
    using link = await reach(await sshd.host({ alias: 'web', aliasFile }));
    expect((await runOn(link, 'echo "in$SSH_AUTH_SOCK"')).stdout).toBe('in\n');
    expect((await readdir(temp.path)).filter(name => ['touched', 'theirs'].includes(name))).toEqual([]);
    const trusting = await temp.write(
      'trusting',
      `Host web\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.user}\n  UserKnownHostsFile ${temp.path}/new\n  StrictHostKeyChecking accept-new\n  NoHostAuthenticationForLocalhost yes\n`,
    );
    expect(await failureOf(await sshd.host({ alias: 'web', aliasFile: trusting }))).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
    });
    expect((await readdir(temp.path)).includes('new')).toBe(false);
  });

  test('that has become another one since it was judged is not used', async () => {
    const aliasFile = await config('');
    const host = await sshd.host({ alias: 'web', aliasFile, user: 'somebody' });
    expect(await failureOf(host)).toMatchObject({
      code: 'UNREACHABLE',
      message: 'ssh reached another host or account than web was when it was judged.',
    });
  });

  test('is refused where a pin or limited networks say what that file cannot', async () => {
    const pinned = await sshd.host({ alias: 'web', hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
    expect(await failureOf(pinned)).toMatchObject({ code: 'UNSUPPORTED' });
    expect(await failureOf(await sshd.host({ alias: 'web' }), { mayDial: () => true })).toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});

test.each(['10.1.2.3', '::ffff:10.1.2.3', '0x0a010203', '167838211', '10.66051', '0.0.0.0', '::', '224.0.0.1'])(
  'a hop is asked for no connection to %s where networks forbid it, and no ssh is started',
  async address => {
    const host = await sshd.host({ address, via: await sshd.host({ name: 'hop' }) });
    expect(await failureOf(host, { mayDial: networks({ deny: ['10.0.0.0/8'] }) })).toMatchObject({
      code: 'UNREACHABLE',
      details: { host: 'web', phase: 'connecting', cause: 'FORBIDDEN' },
    });
  },
);

test.each(['0.0.0.0', '::', '224.0.0.1', '255.255.255.255'])(
  '%s is no host, whatever may be dialled',
  async address => {
    expect(await failureOf(await sshd.host({ address }))).toMatchObject({ details: { cause: 'FORBIDDEN' } });
  },
);

describe('when the networks change', () => {
  test.each<{ what: string; of: () => Promise<Partial<Host>>; deny: string[]; ended: string[] }>([
    { what: 'an address', of: async () => ({}), deny: ['127.0.0.0/8'], ended: ['web'] },
    { what: 'a name', of: async () => ({ address: 'localhost' }), deny: ['127.0.0.0/8', '::1'], ended: ['web'] },
    {
      what: 'what lies behind a hop that another ssh looked up',
      of: async () => {
        const keyAlias = `[127.0.0.1]:${sshd.port}`;
        return { via: await sshd.host({ name: 'hop', address: 'localhost', keyAlias }) };
      },
      deny: ['127.0.0.2'],
      ended: ['web'],
    },
    { what: 'an address of another network', of: async () => ({}), deny: ['10.0.0.0/8'], ended: [] },
    { what: 'an address, and nothing is limited', of: async () => ({}), deny: [], ended: [] },
  ])('a link to $what is held against them', async ({ of, deny, ended }) => {
    const host = await sshd.host({ transport: 'openssh', keyAlias: `[127.0.0.1]:${sshd.port}`, ...(await of()) });
    let now: Networks = {};
    const limits = dialLimits(() => now);
    using connections = testConnections([host], { knownHosts: [sshd.knownHosts], ...limits });
    await connections.get('web').ready();
    now = { deny };
    expect(connections.rejudge()).toEqual(ended);
  });
});

test('where networks are limited, a name is looked up once, judged, and what was judged is dialled', async () => {
  const knownHosts = [await temp.write('by_name', `[web.invalid]:${sshd.port} ${sshd.hostKeys[0]?.publicKey}\n`)];
  const lookUp = async () => ['10.1.2.3', '127.0.0.1'].map(address => ({ address, family: 4 }));
  const host = await sshd.host({ address: 'web.invalid' });
  using link = await reach(host, { knownHosts, lookUp, mayDial: address => address === '127.0.0.1' });
  expect((await runOn(link, 'echo in')).stdout).toBe('in\n');
  expect(await failureOf(host, { knownHosts, lookUp, mayDial: () => false })).toMatchObject({ code: 'UNREACHABLE' });
});

describe('a stream that the host forwards', () => {
  test('carries bytes both ways, and ends with either side', async () => {
    using link = await reach(await sshd.host());
    const server = createServer(socket => socket.pipe(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const stream = await link.forward('127.0.0.1', port);
    const sent = Buffer.alloc(3_000_000, 'f');
    let got = 0;
    stream.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    stream.end(sent);
    await once(stream, 'close');
    expect(got).toBe(3_000_000);
    const dropped = await link.forward('127.0.0.1', port);
    dropped.destroy();
    await once(dropped, 'close');
    server.close();
    await expect(link.forward('127.0.0.1', 1)).rejects.toMatchObject({ reason: 2 });
    expect((await runOn(link, 'echo still')).stdout).toBe('still\n');
  });
});

test('a channel that was opened ahead runs its command later, once, and can be closed instead', async () => {
  using link = await reach(await sshd.host());
  const ahead = await link.prepare?.();
  const unused = await link.prepare?.();
  const { attach, ran } = reading();
  const opened = await ahead?.run('echo later', { attach, pause: setTimeout });
  expect([opened?.how, (await ran).stdout]).toEqual(['open', 'later\n']);
  unused?.close();
  expect([unused?.isOpen(), ahead?.isOpen()]).toEqual([false, false]);
  expect(await unused?.run('echo never', { pause: setTimeout })).toEqual({ how: 'gone' });
});

test('a peer that has gone silent is given up within ten seconds', async () => {
  using relay = await relayTo(sshd.port);
  const knownHosts = [await temp.write('relayed', `[127.0.0.1]:${relay.port} ${sshd.hostKeys[0]?.publicKey}\n`)];
  using link = await reach(await sshd.host({ port: relay.port, aliveMs: 60_000 }), { knownHosts });
  const began = performance.now();
  const closed = new Promise<void>(resolve => link.onClosed(resolve));
  relay.goSilent();
  await closed;
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('a banner that says what ssh would say is not believed', async () => {
  const lie = [
    'debug1: Server host key: ssh-ed25519 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    "debug1: Authenticating to 10.0.0.1:22 as 'root'",
    'debug1: Remote protocol version 2.0, remote software version liar',
    '',
  ].join('\r\n');
  await using rude = await startRudeHost({ banner: lie });
  using link = await reach(rude.host(), { knownHosts: [rude.knownHosts] });
  expect(link.peer).toMatchObject({ fingerprint: rude.fingerprint, server: expect.not.stringContaining('liar') });
  await using early = await startRudeHost({ banner: 'debug1: Entering interactive session.\r\n' });
  expect(await failureOf(early.host(), { knownHosts: [early.knownHosts] })).toMatchObject({ code: 'UNREACHABLE' });
});

test('a pinned key that a known_hosts file revokes is refused', async () => {
  const { publicKey = '', fingerprint = '' } = sshd.hostKeys[0] ?? {};
  const text = `other ${publicKey}\n@revoked [127.0.0.1]:${sshd.port} ${publicKey}\n`;
  const knownHosts = [await temp.write('revoked', text)];
  expect(await failureOf(await sshd.host({ hostKeys: [fingerprint] }), { knownHosts })).toMatchObject({
    code: 'HOST_KEY_REVOKED',
  });
});

test('a pin whose key is in no known_hosts file is refused before anything is started', async () => {
  const hostKeys = [sshd.hostKeys[0]?.fingerprint ?? ''];
  expect(await failureOf(await sshd.host({ hostKeys }), { knownHosts: ['/nowhere/known_hosts'] })).toMatchObject({
    code: 'UNSUPPORTED',
    next: expect.stringContaining('hosts trust web'),
  });
});

test('a host that is let in and then says that its key has changed is not believed', async () => {
  const banner = 'WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\r\nHost key verification failed.\r\n';
  await using rude = await startRudeHost({ banner, login: context => context.reject(['publickey']) });
  expect(await failureOf(rude.host(), { knownHosts: [rude.knownHosts] })).toMatchObject({ code: 'AUTH_FAILED' });
});

test('everything arrives whole while keys are exchanged anew, five ways at once in both directions', async () => {
  await using busy = await startSshd({ config: ['RekeyLimit 1M'] });
  using link = await reach(await busy.host(), { knownHosts: [busy.knownHosts] });
  const sizes = await Promise.all(
    [1, 2, 3, 4, 5].map(async n => {
      const { attach, ran } = reader();
      const opened = await link.open(`head -c ${n}000000 /dev/zero | tr '\\0' ${n}; wc -c`, {
        attach,
        pause: setTimeout,
      });
      if (opened.how === 'open') opened.channel.end(Buffer.alloc(n * 1_000_000));
      const { stdout, code } = await ran;
      return [code, stdout === `${String(n).repeat(n * 1_000_000)}${n}000000\n`];
    }),
  );
  expect(sizes).toEqual(Array.from({ length: 5 }, () => [0, true]));
});

describe('an ssh that', () => {
  /** The one that was started last by this process. */
  const latest = async (): Promise<number> => {
    const { stdout } = await execute('ps', ['-A', '-o', 'pid=,ppid=,comm=']);
    const mine = [...stdout.matchAll(new RegExp(`^ *(\\d+) +${process.pid} ssh$`, 'gm'))].map(([, pid]) => Number(pid));
    return Math.max(...mine);
  };

  test('is killed takes its link with it', async () => {
    using link = await reach(await sshd.host());
    const { attach, ran } = reading();
    await link.open('sleep 30', { attach, pause: setTimeout });
    process.kill(await latest(), 'SIGKILL');
    expect([await ran, link.isOpen()]).toMatchObject([{ code: undefined }, false]);
  });

  test('stands still lets go of a stream through it at once', async () => {
    using link = await reach(await sshd.host());
    const stream = await link.forward('127.0.0.1', sshd.port);
    const pid = await latest();
    process.kill(pid, 'SIGSTOP');
    stream.destroy();
    await once(stream, 'close', { signal: AbortSignal.timeout(2_000) });
    process.kill(pid, 'SIGCONT');
  });

  test('stands still is ended all the same', async () => {
    const link = await reach(await sshd.host());
    const pid = await latest();
    process.kill(pid, 'SIGSTOP');
    link.end();
    await untilTrue(() => isGone(pid));
  });
});

describe('when this process is killed', () => {
  let script: string;
  beforeAll(async () => {
    script = join(temp.path, 'holder.mjs');
    await build({
      stdin: {
        contents: `
          import { reachByOpenssh } from './src/ssh/openssh/reach.ts';
          const { host, knownHosts } = JSON.parse(process.argv[2]);
          const clock = { wallMs: Date.now, monoMs: () => performance.now(), bootId: 'x' };
          console.log('begun');
          const link = await reachByOpenssh(host, { signal: new AbortController().signal },
            { clock, log: () => {}, knownHosts, connectTimeoutMs: 60000, lookUp: async () => [] });
          const pause = ms => new Promise(done => setTimeout(done, ms));
          if (process.argv[3] !== undefined) await link.open(process.argv[3], { pause, attach: channel => { channel.resume(); channel.stderr.resume(); } });
          console.log('up');
          setInterval(() => {}, 1000);
        `,
        resolveDir: process.cwd(),
      },
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outfile: script,
      logLevel: 'silent',
    });
  });

  const holder = async (host: Host, env: Record<string, string>, command?: string) => {
    const tmp = await tempFolder('m-');
    const given = JSON.stringify({ host, knownHosts: [sshd.knownHosts] });
    const child = spawn(process.execPath, [script, given, ...(command === undefined ? [] : [command])], {
      env: { ...process.env, TMPDIR: tmp.path, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return { child, said: () => said, [Symbol.asyncDispose]: tmp.remove };
  };

  /** The ssh that it started, by its id: an ssh that was taken over has another title. */
  const sshOf = async (pid = 0): Promise<number | undefined> => {
    const { stdout } = await execute('ps', ['-A', '-o', 'pid=,ppid=,comm=']);
    const [, found] = new RegExp(`^ *(\\d+) +${pid} ssh$`, 'm').exec(stdout) ?? [];
    return found === undefined ? undefined : Number(found);
  };

  /** Kills it, and resolves when its ssh is gone as well. */
  const killed = async ({ child }: { readonly child: ChildProcess }): Promise<void> => {
    const pid = await sshOf(child.pid);
    expect(pid).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await untilTrue(() => isGone(pid));
  };

  test.each([
    ['while nothing runs', undefined],
    ['while a command runs', 'sleep 30.25'],
  ])('by SIGKILL, %s, its ssh ends too', async (_what, command) => {
    await using one = await holder(await sshd.host(), {}, command);
    await untilTrue(() => one.said().includes('up'));
    await killed(one);
  });

  test('while it dials, its ssh ends too', async () => {
    const server = createServer(socket => socket.on('error', () => {}));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await using one = await holder(await sshd.host({ port }), {});
    await untilTrue(async () => (await sshOf(one.child.pid)) !== undefined);
    await killed(one);
    server.close();
  });

  test('where the kernel sees to nothing, its ssh ends with its last channel', async () => {
    const bin = join(temp.path, 'few');
    await mkdir(bin);
    for (const name of ['env', 'ssh']) await symlink(`/usr/bin/${name}`, join(bin, name));
    await using one = await holder(await sshd.host(), { PATH: bin }, 'sleep 1.25');
    await untilTrue(() => one.said().includes('up'));
    await killed(one);
  });
});
