import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { judgeSpace } from '../../src/cli/doctor-state.ts';
import { startAgent } from '../support/agent.ts';
import { makeKey } from '../support/sshd.ts';
import { examine, foundOf, settle } from './examined.ts';
import { type Person, person } from './person.ts';

const run = promisify(execFile);
const GONE = { address: '127.0.0.1', port: 1, user: 'u' };

describe('the ssh program', () => {
  test('is named with its version', async () => {
    await using somebody = await person();
    expect(foundOf(await examine(somebody), 'ssh')).toEqual([
      { check: 'ssh', status: 'ok', says: expect.stringMatching(/^OpenSSH_/) },
    ]);
  });

  const WITHOUT = [
    { title: 'is no loss where nothing needs it', hosts: {}, finds: { status: 'ok', says: expect.any(String) } },
    {
      title: 'is missed by the hosts that are reached by it',
      hosts: { web: { ...GONE, transport: 'openssh' } },
      finds: {
        status: 'unavailable',
        says: 'no OpenSSH client answers: web cannot be reached ("transport": "openssh")',
        mend: expect.stringContaining('apt-get install openssh-client'),
      },
    },
  ];
  test.each(WITHOUT)('that is absent $title', async ({ hosts, finds }) => {
    await using somebody = await person({ env: { PATH: '/nowhere' } });
    await settle(somebody, hosts);
    expect(foundOf(await examine(somebody), 'ssh')).toEqual([{ check: 'ssh', ...finds }]);
  });
});

describe('an agent', () => {
  const agentOf = async (somebody: Person) => foundOf(await examine(somebody), 'agent');

  test('that nobody needs is not missed', async () => {
    await using somebody = await person();
    expect(await agentOf(somebody)).toEqual([
      { check: 'agent', status: 'ok', says: 'SSH_AUTH_SOCK is not set, and no host asks an agent' },
    ]);
  });

  test('that hosts ask for and nobody started is missed once for all of them', async () => {
    await using somebody = await person();
    await settle(somebody, Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map(name => [name, GONE])));
    expect(await agentOf(somebody)).toEqual([
      {
        check: 'agent',
        status: 'advice',
        says: 'SSH_AUTH_SOCK is not set, so no agent is asked for a, b, c, d and 2 more',
        mend: expect.stringContaining('ssh-add'),
      },
    ]);
  });

  test('shows its keys by type, fingerprint and comment, with what a terminal would obey made visible', async () => {
    await using agent = await startAgent();
    await using somebody = await person({ env: { SSH_AUTH_SOCK: agent.socket } });
    expect(await agentOf(somebody)).toMatchObject([
      {
        status: 'advice',
        says: `${agent.socket} answers, and holds no key that can be used`,
        mend: expect.stringContaining('ssh-add'),
      },
    ]);
    const { path, fingerprint } = await makeKey(join(somebody.home.path, 'red\x1b[31m'));
    await agent.add(path);
    const found = await agentOf(somebody);
    expect(found).toMatchObject([{ status: 'ok' }]);
    expect(found[0]?.says).toContain(`${agent.socket} holds 1 key: ssh-ed25519 ${fingerprint} (`);
    expect((await somebody.type('doctor')).stdout).not.toContain('\x1b');
  });

  test('with a certificate that is over says so', async () => {
    await using agent = await startAgent();
    await using somebody = await person({ env: { SSH_AUTH_SOCK: agent.socket } });
    const [key, authority] = await Promise.all(['key', 'ca'].map(name => makeKey(join(somebody.home.path, name))));
    if (key === undefined || authority === undefined) throw new Error('no keys');
    await run('ssh-keygen', [
      '-q',
      '-s',
      authority.path,
      '-I',
      'id',
      '-n',
      'u',
      '-V',
      '20240101:20240201',
      `${key.path}.pub`,
    ]);
    await agent.add(key.path);
    expect(await agentOf(somebody)).toMatchObject([
      { status: 'ok', says: expect.stringContaining('holds 1 key: ssh-ed25519 ') },
      {
        status: 'advice',
        says: expect.stringMatching(/^ssh-ed25519-cert-v01@openssh\.com SHA256:\S+ \(.*\): /),
        mend: expect.stringContaining('ssh-add'),
      },
    ]);
  });

  test('with more keys than a host looks at is told which hosts are in danger, and not those that name their key', async () => {
    await using agent = await startAgent();
    await using somebody = await person({ env: { SSH_AUTH_SOCK: agent.socket } });
    for (let count = 0; count < 7; count++)
      await agent.add((await makeKey(join(somebody.home.path, `k${count}`))).path);
    const only = join(somebody.home.path, 'k0.pub');
    await settle(somebody, {
      some: { ...GONE, auth: { agent: true } },
      careful: { ...GONE, auth: { agent: true, only } },
    });
    const [held, danger] = await agentOf(somebody);
    expect(held?.says).toMatch(/holds 7 keys: .* and 1 more$/);
    expect(danger).toMatchObject({
      status: 'advice',
      says: 'of 7 keys only 6 can be tried before a host breaks off (MaxAuthTries): some',
      mend: expect.stringContaining('"only"'),
    });
  });

  test('that is not there, or is no agent, is said to be so', async () => {
    await using somebody = await person();
    const junk = join(somebody.home.path, 'junk.sock');
    const server = createServer(socket => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>(resolve => void server.listen(junk, resolve));
    const socket = join(somebody.home.path, 'nowhere.sock');
    await settle(somebody, {
      a: { ...GONE, auth: [{ agent: true, socket }] },
      b: { ...GONE, auth: [{ agent: true, socket: junk }] },
    });
    const found = await agentOf(somebody);
    server.close();
    expect(found).toMatchObject([
      { status: 'advice', says: `${socket}: there is no such socket; it is asked for a` },
      { status: 'advice', says: expect.stringMatching(/junk\.sock: it.*; it is asked for b$/) },
    ]);
  });
});

describe('permissions', () => {
  const arranged = async (): Promise<Person> => {
    const somebody = await person();
    await mkdir(join(somebody.home.path, '.ssh'), { mode: 0o700 });
    await somebody.home.write('.ssh/known_hosts', '');
    return somebody;
  };
  const CASES = [
    { path: '.ssh', mode: 0o755, finds: [] },
    { path: '.ssh', mode: 0o777, finds: ['wrong anybody may change {}: chmod go-w {}'] },
    { path: '.ssh', mode: 0o770, finds: ['advice its group may change {}: chmod g-w {}'] },
    { path: '.ssh', mode: 0o1777, finds: [] },
    { path: '.ssh/known_hosts', mode: 0o644, finds: [] },
    { path: '.ssh/known_hosts', mode: 0o666, finds: ['wrong anybody may change {}: chmod go-w {}'] },
    { path: '.ssh/known_hosts', mode: 0o664, finds: ['advice its group may change {}: chmod g-w {}'] },
  ];
  test.each(CASES)('of $path, $mode: $finds', async ({ path, mode, finds }) => {
    await using somebody = await arranged();
    const whole = join(somebody.home.path, path);
    await chmod(whole, mode);
    const found = foundOf(await examine(somebody), 'permissions').filter(({ status }) => status !== 'ok');
    expect(found.map(({ status, says, mend }) => `${status} ${says}: ${mend}`.replaceAll(whole, '{}'))).toEqual(finds);
  });

  test('of a private key are judged once for all of its hosts, and the mend can be typed as it stands', async () => {
    await using somebody = await person();
    const path = await somebody.home.write("my key's/id", 'not a key', 0o640);
    const host = { ...GONE, auth: { key: path } };
    await settle(somebody, { a: host, b: host });
    const found = foundOf(await examine(somebody), 'login');
    expect(found).toEqual([
      {
        check: 'login',
        status: 'wrong',
        says: `${path} is open to other users, so it is not used (a, b)`,
        mend: expect.stringMatching(/^chmod 600 '/),
      },
    ]);
    await run('sh', ['-c', found[0]?.mend ?? 'false']);
    expect(foundOf(await examine(somebody), 'login')).toEqual([]);
  });

  test('of a file with a secret are judged wherever it is used, once, and nobody opens it', async () => {
    await using somebody = await person();
    const path = await somebody.home.write('secret', 'open sesame', 0o604);
    const kept = await somebody.home.write('kept', 'open sesame', 0o600);
    const key = await somebody.home.write('id', 'not a key', 0o600);
    await settle(somebody, {
      a: { ...GONE, auth: [{ key, passphrase: { file: path } }, { password: { file: kept } }] },
      b: { ...GONE, via: 'a', auth: { interactive: [{ asks: 'code', answer: { file: path } }] } },
      c: { ...GONE, auth: { key }, sudoPassword: { file: path } },
    });
    expect(foundOf(await examine(somebody), 'login')).toEqual([
      {
        check: 'login',
        status: 'wrong',
        says: `${path} holds a secret and is open to other users (a, b, c)`,
        mend: `chmod 600 ${path}`,
      },
    ]);
  });

  test('of a key that is not there, and a folder in its place, are wrong too', async () => {
    await using somebody = await person();
    const auth = [{ key: somebody.home.path }, { key: 'gone' }];
    await settle(somebody, { a: { ...GONE, auth } });
    expect(foundOf(await examine(somebody), 'login').map(({ status, says }) => `${status} ${says}`)).toEqual([
      `wrong ${somebody.home.path} is no file (a)`,
      `wrong ${somebody.home.path}/.config/sallyport/gone does not exist (a)`,
    ]);
  });
});

test('a name cannot pass for another finding', async () => {
  await using somebody = await person();
  await settle(somebody, { a: { ...GONE, auth: { key: 'gone\nok      host bank: logged in' } } });
  const { stdout } = await somebody.type('doctor');
  expect(stdout).toMatch(/^WRONG {3}login: .*gone ok {6}host bank: logged in does not exist \(a\)$/m);
  expect(stdout).not.toMatch(/^ok +host/m);
});

describe('known_hosts', () => {
  const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS';
  const knownOf = async (somebody: Person) => foundOf(await examine(somebody), 'known_hosts');

  test('lines that cannot be read are named by their places, and many are counted', async () => {
    await using somebody = await person();
    const path = await somebody.home.write('.ssh/known_hosts', `web ${KEY}\n${'nonsense\n'.repeat(8)}`);
    expect(await knownOf(somebody)).toEqual([
      { check: 'known_hosts', status: 'ok', says: `${path}, 1 key` },
      {
        check: 'known_hosts',
        status: 'advice',
        says: expect.stringMatching(new RegExp(`^lines that are not used: ${path}:2 .*${path}:6 [^;]* and 3 more$`)),
        mend: `correct them in ${path}, or leave them`,
      },
    ]);
  });

  test('a host that has no file of its own is no fault, and nobody is told to change /dev/null', async () => {
    await using somebody = await person();
    await settle(somebody, { web: { ...GONE, knownHosts: '/dev/null' } }, { knownHosts: '/dev/null' });
    const findings = await examine(somebody);
    expect(foundOf(findings, 'known_hosts')).toMatchObject([{ status: 'ok' }]);
    expect(JSON.stringify(foundOf(findings, 'permissions'))).not.toContain('/dev/null');
  });

  test('a file that is no file, or a pipe, is wrong, and waited for by nobody', async () => {
    await using somebody = await person();
    await mkdir(join(somebody.home.path, '.ssh/known_hosts'), { recursive: true });
    const pipe = join(somebody.home.path, 'pipe');
    await run('mkfifo', ['-m', '600', pipe]);
    await settle(somebody, {}, { knownHosts: ['~/.ssh/known_hosts', pipe] });
    expect(await knownOf(somebody)).toMatchObject([
      { status: 'wrong', says: expect.stringContaining('it is no file, so that no key can be trusted') },
      { status: 'wrong', says: `${pipe} cannot be read: it is no file, so that no key can be trusted` },
    ]);
  });

  test('one that is not there yet is made by the first trust; a host can have its own', async () => {
    await using somebody = await person();
    const own = await somebody.home.write('own', `web ${KEY}\n`);
    await settle(somebody, { web: { ...GONE, knownHosts: [own] } });
    expect(await knownOf(somebody)).toEqual([
      {
        check: 'known_hosts',
        status: 'ok',
        says: `${somebody.home.path}/.ssh/known_hosts is not there yet; sallyport hosts trust makes it`,
      },
      { check: 'known_hosts', status: 'ok', says: `${own}, 1 key` },
    ]);
  });
});

test.each([
  { mib: 300, finds: [] },
  { mib: 256, finds: [] },
  { mib: 255, finds: ['advice'] },
  { mib: 16, finds: ['advice'] },
  { mib: 15, finds: ['unavailable'] },
  { mib: 0, finds: ['unavailable'] },
])('$mib MiB free for counters and audit: $finds', ({ mib, finds }) => {
  const found = judgeSpace('/var/state', mib * 1_048_576);
  expect(found.map(({ status }) => status)).toEqual(finds);
  for (const { says } of found) expect(says).toContain(`${mib} MiB are free where /var/state lies`);
});
