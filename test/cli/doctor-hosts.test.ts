import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock } from '../support/clock.ts';
import { hostEntry } from '../support/home.ts';
import { makeKey, type Sshd, type SshdOptions, startSshd } from '../support/sshd.ts';
import { examine, foundOf, settle, statuses } from './examined.ts';
import { person } from './person.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const settled = async (hosts: object, more: object = {}) => {
  const somebody = await person();
  await settle(somebody, hosts, { knownHosts: [sshd.knownHosts], ...more });
  return somebody;
};

test('a host that can be reached is logged in to once, and described', async () => {
  await using somebody = await settled({ web: await hostEntry(sshd) });
  await sshd.caughtUp();
  const before = sshd.counts();
  const report = await examine(somebody);
  expect(foundOf(report, 'host web')).toEqual([
    {
      check: 'host web',
      status: 'ok',
      says: expect.stringMatching(
        /^logged in as \S+ by key; key known, OpenSSH_\S+.*, shell \/\S+ \(posix\), round trip [\d.]+ ms, a command [\d.]+ ms$/,
      ),
    },
  ]);
  expect(report.code).toBe(0);
  await sshd.caughtUp();
  expect(sshd.counts().logins - before.logins).toBe(1);
});

test('which of several ways let us in is said', async () => {
  await using somebody = await settled({});
  const stranger = await makeKey(join(somebody.home.path, 'stranger'));
  const host = await hostEntry(sshd);
  await settle(
    somebody,
    { web: { ...host, auth: [{ key: stranger.path }, host.auth] } },
    { knownHosts: [sshd.knownHosts] },
  );
  const [found] = foundOf(await examine(somebody), 'host web');
  expect(found?.says).toMatch(/^logged in as \S+ by key 2 of 2; /);
});

test('every host is reported in its place, whatever the others do, and each failure has its mend', async () => {
  const host = await hostEntry(sshd);
  await using somebody = await settled({
    gone: { ...host, port: 1 },
    stranger: { ...host, hostKey: `SHA256:${'A'.repeat(43)}` },
    agentless: { ...host, auth: { agent: true } },
    web: host,
  });
  const report = await examine(somebody);
  expect(statuses(report).filter(one => one.includes(' host '))).toEqual([
    'unavailable host gone',
    'wrong host stranger',
    'unavailable host agentless',
    'ok host web',
  ]);
  expect(report.code).toBe(4);
  expect(report.findings.filter(({ status, mend }) => status !== 'ok' && !mend)).toEqual([]);
});

describe('a key that is not trusted', () => {
  const KEYS = [
    { title: 'unknown', code: 'HOST_KEY_UNKNOWN', line: () => '', mend: 'sallyport hosts trust web' },
    {
      title: 'changed',
      code: 'HOST_KEY_CHANGED',
      line: (other: string) => `[127.0.0.1]:${sshd.port} ${other}\n`,
      mend: 'A person must find out why',
    },
    {
      title: 'revoked',
      code: 'HOST_KEY_REVOKED',
      line: () => `@revoked [127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]?.publicKey}\n`,
      mend: 'Replace the key',
    },
  ];
  test.each(KEYS)('because it is $title is wrong, and no login is tried', async ({ code, line, mend }) => {
    await using somebody = await settled({ web: await hostEntry(sshd) }, { knownHosts: ['known'] });
    const other = await makeKey(join(somebody.home.path, 'other'));
    await somebody.home.write('.config/sallyport/known', line(other.publicKey));
    await sshd.caughtUp();
    const before = sshd.counts();
    const report = await examine(somebody);
    const [found] = foundOf(report, 'host web');
    expect(found).toMatchObject({ status: 'wrong', mend: expect.stringContaining(mend) });
    expect(found?.says).toContain(code);
    expect(found?.says).toContain(sshd.hostKeys[0]?.fingerprint);
    expect(report.code).toBe(1);
    await sshd.caughtUp();
    expect(sshd.counts().logins).toBe(before.logins);
  });
});

describe('a login that is refused', () => {
  test('is not repeated, and its mend names the account', async () => {
    await using own = await startSshd();
    const host = { ...(await hostEntry(own)), user: 'nobody-here' };
    await using somebody = await settled({ web: host }, { knownHosts: [own.knownHosts] });
    const report = await examine(somebody, 'web');
    expect(foundOf(report, 'host web')).toEqual([
      {
        check: 'host web',
        status: 'unavailable',
        says: expect.stringContaining('AUTH_FAILED: Logging in as nobody-here on web'),
        mend: expect.stringContaining(`ssh -v -p ${own.port} nobody-here@127.0.0.1`),
      },
    ]);
    await own.caughtUp();
    expect(own.counts().connections).toBe(1);
  });

  test('keeps everybody away from that sshd for half a minute, which is said with the time left', async () => {
    await using own = await startSshd();
    const host = await hostEntry(own);
    const others = Object.fromEntries(
      Array.from({ length: 10 }, (_, at) => [`locked-${at}`, { ...host, user: 'nobody-here' }]),
    );
    await using somebody = await settled({ ...others, web: host }, { knownHosts: [own.knownHosts] });
    const report = await examine(somebody);
    expect(foundOf(report, 'host web')).toMatchObject([
      { status: 'unavailable', mend: 'wait 30 seconds, then: sallyport doctor web' },
    ]);
  });

  test('behind a hop is looked into by way of the hop', async () => {
    const host = await hostEntry(sshd);
    await using hop = await startSshd();
    const hosts = { hop: await hostEntry(hop), web: { ...host, via: 'hop', user: "o'hara" } };
    await using somebody = await settled(hosts, { knownHosts: [hop.knownHosts, sshd.knownHosts] });
    const [found] = foundOf(await examine(somebody, 'web'), 'host web');
    expect(found?.mend).toContain(`ssh -v -J ${hop.user}@127.0.0.1:${hop.port} -p ${sshd.port} 'o'\\''hara@127.0.0.1'`);
  });

  test('at a hop is not repeated for each host behind it', async () => {
    await using hop = await startSshd();
    const host = await hostEntry(sshd);
    const hosts = {
      hop: { ...(await hostEntry(hop)), user: 'nobody-here' },
      a: { ...host, via: 'hop' },
      b: { ...host, via: 'hop' },
    };
    await using somebody = await settled(hosts, { knownHosts: [hop.knownHosts, sshd.knownHosts] });
    const report = await examine(somebody);
    for (const name of ['hop', 'a', 'b'])
      expect(foundOf(report, `host ${name}`)).toMatchObject([
        { status: 'unavailable', says: expect.stringContaining('hop') },
      ]);
    expect(foundOf(report, 'host a')[0]?.mend).toContain(`ssh -v -p ${hop.port} nobody-here@127.0.0.1`);
    await hop.caughtUp();
    expect(hop.counts().connections).toBe(1);
  });
});

test('a host behind another is reached through it, and says so', async () => {
  await using hop = await startSshd();
  const hosts = { hop: await hostEntry(hop), web: { ...(await hostEntry(sshd)), via: 'hop' } };
  await using somebody = await settled(hosts, { knownHosts: [hop.knownHosts, sshd.knownHosts] });
  const [found] = foundOf(await examine(somebody, 'web'), 'host web');
  expect(found).toMatchObject({ status: 'ok', says: expect.stringMatching(/, by way of hop$/) });
});

test('a host that OpenSSH reaches says so, and keeps to itself how many sessions there are', async () => {
  const host = { ...(await hostEntry(sshd)), transport: 'openssh' };
  await using somebody = await settled({ web: host });
  const found = foundOf(await examine(somebody, 'web'), 'host web');
  expect(found).toMatchObject([
    { status: 'ok', says: expect.stringMatching(/^logged in as \S+; key known, .*, by OpenSSH$/) },
  ]);
});

const FEW = [
  { maxSessions: 1, says: '1 session at once', lost: 'cannot be stopped' },
  { maxSessions: 2, says: '2 sessions at once', lost: 'not for both' },
];

test.each(FEW)('a host with MaxSessions $maxSessions says what is lost', async ({ maxSessions, says, lost }) => {
  await using few = await startSshd({ maxSessions });
  await using somebody = await settled({ web: await hostEntry(few) }, { knownHosts: [few.knownHosts] });
  expect(foundOf(await examine(somebody, 'web'), 'host web')).toMatchObject([
    { status: 'ok', says: expect.stringContaining(`, ${says}`) },
    { status: 'advice', says: expect.stringContaining(lost), mend: expect.stringContaining('MaxSessions') },
  ]);
});

test.each([
  { maxSessions: 10, says: ', 10 sessions at once' },
  { maxSessions: 50, says: ', at least 12 sessions at once' },
])(
  'a host with MaxSessions $maxSessions is well, and all hosts together are not counted',
  async ({ maxSessions, says }) => {
    await using many = await startSshd({ maxSessions });
    await using somebody = await settled({ web: await hostEntry(many) }, { knownHosts: [many.knownHosts] });
    const alone = foundOf(await examine(somebody, 'web'), 'host web');
    expect(alone).toMatchObject([{ status: 'ok', says: expect.stringContaining(says) }]);
    expect(foundOf(await examine(somebody), 'host web')[0]?.says).not.toContain('session');
  },
);

const SHELLS: readonly {
  readonly title: string;
  readonly options: SshdOptions;
  readonly finds: object;
  readonly more?: readonly object[];
}[] = [
  {
    title: 'limited to file transfers',
    options: { config: ['ForceCommand internal-sftp'] },
    finds: { status: 'wrong', says: expect.stringContaining('runs no command for it') },
  },
  {
    title: 'with a shell that says goodbye, escape sequences and all,',
    options: { config: [String.raw`ForceCommand printf 'go \033[31maway'; exit 1`] },
    finds: { status: 'wrong', says: expect.stringMatching(/it said "go [^\p{Cc}]*away"/u) },
  },
  {
    title: 'with a shell that answers nothing',
    options: { config: ['ForceCommand true'] },
    finds: { status: 'wrong', says: expect.stringMatching(/runs no command for it\.$/) },
  },
  {
    title: 'with startup files that greet',
    options: { config: ['ForceCommand echo Welcome; eval "$SSH_ORIGINAL_COMMAND"'] },
    finds: { status: 'ok', says: expect.stringMatching(/shell \/\S+ \(posix\)/) },
    more: [{ status: 'advice', says: 'its login shell prints "Welcome" before the output of every command' }],
  },
  {
    title: 'with a shell of another family',
    options: { config: ['SetEnv SHLVL=1 SHELL=/usr/bin/fish'] },
    finds: { status: 'ok', says: expect.stringContaining('shell /usr/bin/fish (other)') },
  },
];

test.each(SHELLS)('an account $title is told as what it is', async ({ options, finds, more = [] }) => {
  await using other = await startSshd(options);
  await using somebody = await settled({ web: await hostEntry(other) }, { knownHosts: [other.knownHosts] });
  expect(foundOf(await examine(somebody), 'host web')).toMatchObject([finds, ...more]);
});

test('a login shell that is slow to start is worth mending, and a quick one is not', async () => {
  const slowly = 'sleep 0.15; eval "$SSH_ORIGINAL_COMMAND"';
  await using slow = await startSshd({ config: [`ForceCommand ${slowly}`] });
  await using somebody = await person({ clock: realClock });
  await settle(somebody, { slow: await hostEntry(slow) }, { knownHosts: [slow.knownHosts] });
  expect(foundOf(await examine(somebody), 'host slow')).toMatchObject([
    { status: 'ok', says: expect.stringMatching(/a command \d+\.\d ms, of which \d{3} ms for its shell to start$/) },
    {
      status: 'advice',
      says: expect.stringMatching(/^its login shell takes \d{3} ms to start, before every command$/),
      mend: expect.stringContaining('startup files'),
    },
  ]);
});

test('a host that says nothing is given up in time', async () => {
  const silent = createServer();
  const port = await new Promise<number>(resolve => {
    silent.listen(0, '127.0.0.1', () => {
      const address = silent.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await using somebody = await settled({ web: { ...(await hostEntry(sshd)), port } }, { timeouts: { connectMs: 300 } });
  const report = await examine(somebody);
  silent.close();
  expect(foundOf(report, 'host web')).toMatchObject([
    { status: 'unavailable', mend: 'check that it is up, and its address and port; then: sallyport doctor web' },
  ]);
  expect(foundOf(report, 'host web')[0]?.says).toMatch(/^UNREACHABLE: .* Its key is unknown\.$/);
});

describe('secrets', () => {
  test('are fetched when a login failed, and never shown; one that is missing is named by its place', async () => {
    const canary = 'canary-3b1f';
    await using somebody = await person({ env: { HERE: canary } });
    const host = await hostEntry(sshd);
    await settle(
      somebody,
      {
        // By another name: after a refused login an address is left alone.
        here: {
          ...{ ...host, address: 'localhost', hostKey: sshd.hostKeys[0]?.fingerprint },
          auth: { password: { env: 'HERE' } },
        },
        missing: { ...host, auth: { password: { env: 'NOT_HERE' } } },
        failing: {
          ...host,
          auth: { password: { command: ['sh', '-c', `echo ${canary}; echo ${canary} >&2; exit 1`] } },
        },
        nokey: { ...host, auth: { key: 'nowhere', passphrase: { file: 'nowhere-either' } } },
      },
      { knownHosts: [sshd.knownHosts] },
    );
    const report = await examine(somebody);
    const logins = report.findings.filter(({ check }) => check.startsWith('login'));
    expect(logins.map(({ check, status }) => `${status} ${check}`).toSorted()).toEqual([
      'unavailable login failing',
      'unavailable login missing',
      'unavailable login nokey',
      'wrong login',
    ]);
    expect(JSON.stringify(logins)).toContain('environment variable NOT_HERE');
    const human = await somebody.type('doctor', '--log-level', 'debug');
    expect(`${JSON.stringify(report)}${human.stdout}${human.stderr}`).not.toContain(canary);
  });

  test('of a host that cannot be reached are not asked for', async () => {
    const host = await hostEntry(sshd);
    await using somebody = await settled({});
    const trace = join(somebody.home.path, 'asked');
    const auth = { password: { command: ['sh', '-c', `touch ${trace}; echo x`] } };
    await settle(somebody, { web: { ...host, port: 1, auth } }, { knownHosts: [sshd.knownHosts] });
    expect(foundOf(await examine(somebody), 'host web')).toMatchObject([{ status: 'unavailable' }]);
    await expect(stat(trace)).rejects.toThrow('ENOENT');
  });
});

test('thirty hosts are all reported, each once and in order', async () => {
  const host = await hostEntry(sshd);
  const names = Array.from({ length: 30 }, (_, at) => `web-${at}`);
  await using somebody = await settled(Object.fromEntries(names.map(name => [name, host])));
  const report = await examine(somebody);
  expect(statuses(report).filter(one => one.includes(' host '))).toEqual(names.map(name => `ok host ${name}`));
});
