import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, makeKey, type Sshd, startSshd } from '../support/sshd.ts';
import { type Person, person } from './person.ts';

let sshd: Sshd;
let fingerprint = '';
beforeAll(async () => {
  sshd = await startSshd();
  fingerprint = sshd.hostKeys[0]?.fingerprint ?? '';
});
afterAll(() => sshd.close());

const OTHER = `SHA256:${'A'.repeat(43)}`;

/** A person whose `web` is the real sshd, and whose known_hosts file is empty. */
const newcomer = async (
  tty: boolean,
  more: object = {},
  knownHosts: readonly string[] = ['known'],
): Promise<Person> => {
  const somebody = await person({ tty });
  const web = {
    address: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    auth: { key: (await sshd.userKey()).path },
    tags: ['prod'],
    ...more,
  };
  await somebody.home.write('.config/sallyport/config.json', JSON.stringify({ hosts: { web }, knownHosts }));
  return somebody;
};

const knownFile = (somebody: Person): string => join(somebody.home.path, '.config/sallyport/known');
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test('the list shows hosts and what is known of their keys, and dials none', async () => {
  await using somebody = await newcomer(false);
  const before = sshd.counts().connections;
  expect(await somebody.type('hosts')).toEqual({
    code: 0,
    stdout: `NAME  ACCOUNT${' '.repeat(`${sshd.user}@127.0.0.1:${sshd.port}`.length - 7)}  LOGIN  KEY      TAGS\nweb   ${sshd.user}@127.0.0.1:${sshd.port}  key    unknown  prod\n`,
    stderr: '',
  });
  expect(sshd.counts().connections).toBe(before);
});

test('without hosts it says where they go', async () => {
  await using somebody = await person();
  const file = `${somebody.home.path}/.config/sallyport/config.json`;
  expect((await somebody.type('hosts')).stderr).toBe(
    `No hosts are configured. Run sallyport init --host NAME=USER@ADDRESS to write ${file}.\n`,
  );
  await somebody.home.write('.config/sallyport/config.json', '{}');
  expect((await somebody.type('hosts')).stderr).toBe(`No hosts are configured. Put them under "hosts" in ${file}.\n`);
});

test.each(['test', 'trust'])('%s of a host that is not configured names the nearest', async verb => {
  await using somebody = await newcomer(true);
  expect(await somebody.type('hosts', verb, 'wbe')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'sallyport: no host is called "wbe"; did you mean "web"?\nTry sallyport --help.\n',
  });
});

test.each(['yes', 'the fingerprint'])(
  'a key is shown and enrolled when a person types %s, and then login works',
  async answer => {
    await using somebody = await newcomer(true);
    const { code, stdout, stderr } = await somebody.answering(
      `${answer === 'yes' ? answer : fingerprint}\n`,
      'hosts',
      'trust',
      'web',
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `web: ssh-ed25519 ${fingerprint}: enrolled in ${knownFile(somebody)}\n`,
    });
    expect(stderr).toContain(`web (127.0.0.1:${sshd.port}) presents the key\n  ssh-ed25519 ${fingerprint}\n`);
    expect(await readFile(knownFile(somebody), 'utf8')).toBe(await readFile(sshd.knownHosts, 'utf8'));
    expect((await somebody.type('hosts', '--json')).stdout).toContain('"key": "known"');
    const tested = await somebody.type('hosts', 'test', 'web', '--json');
    expect({ code: tested.code, stderr: tested.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(tested.stdout)).toEqual({
      host: 'web',
      ok: true,
      server: expect.stringMatching(/^OpenSSH_/),
      fingerprint,
      login: ['key'],
      shell: expect.stringMatching(/^\/.*sh$/),
      round_trip_ms: expect.any(Number),
      command_ms: expect.any(Number),
    });
  },
);

test.each(['no', 'y', 'YES', '', OTHER])('%j is no yes: nothing is enrolled', async answer => {
  await using somebody = await newcomer(true);
  const { code, stdout } = await somebody.answering(`${answer}\n`, 'hosts', 'trust', 'web');
  expect({ code, stdout }).toEqual({ code: 1, stdout: `web: ssh-ed25519 ${fingerprint}: declined\n` });
  expect(await isThere(knownFile(somebody))).toBe(false);
});

test('a person who leaves the prompt enrols nothing', async () => {
  await using somebody = await newcomer(true);
  expect((await somebody.answering('', 'hosts', 'trust', 'web')).code).toBe(1);
  expect(await isThere(knownFile(somebody))).toBe(false);
});

test('without a terminal nobody is asked, nothing is dialled, and no key is told', async () => {
  await using somebody = await newcomer(false);
  const before = sshd.counts().connections;
  expect(await somebody.answering('yes\n', 'hosts', 'trust', 'web')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'sallyport: only a person may trust a key: run this on a terminal, or give the --fingerprint that you expect\nTry sallyport --help.\n',
  });
  expect(sshd.counts().connections).toBe(before);
  expect(await isThere(knownFile(somebody))).toBe(false);
});

test('a script may enrol exactly the key that a person looked up', async () => {
  await using somebody = await newcomer(false);
  const wrong = await somebody.type('hosts', 'trust', 'web', '--fingerprint', OTHER);
  expect(wrong).toEqual({
    code: 1,
    stdout: '',
    stderr: `web: HOST_KEY_UNKNOWN: It presents another key than ${OTHER}; nothing was enrolled. A person compares it on a terminal: sallyport hosts trust web\n`,
  });
  expect(await isThere(knownFile(somebody))).toBe(false);
  const right = await somebody.type('hosts', 'trust', 'web', '--fingerprint', fingerprint, '--json');
  expect(JSON.parse(right.stdout)).toEqual({
    host: 'web',
    type: 'ssh-ed25519',
    fingerprint,
    outcome: 'enrolled',
    file: knownFile(somebody),
  });
  const again = await somebody.type('hosts', 'trust', 'web', '--fingerprint', fingerprint);
  expect(again).toEqual({ code: 0, stdout: `web: ssh-ed25519 ${fingerprint}: already trusted\n`, stderr: '' });
  expect(await somebody.type('hosts', 'trust', 'web', '--fingerprint', 'MD5:aa')).toMatchObject({ code: 2 });
});

test('a changed key is refused with both fingerprints, and cannot be enrolled over the old one', async () => {
  await using somebody = await newcomer(true);
  const old = await makeKey(join(somebody.home.path, 'old'));
  await somebody.home.write('.config/sallyport/known', `[127.0.0.1]:${sshd.port} ${old.publicKey}\n`);
  for (const verb of ['trust', 'test']) {
    const { code, stdout, stderr } = await somebody.answering('yes\n', 'hosts', verb, 'web');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('web: HOST_KEY_CHANGED: ');
    expect(stderr).toContain(fingerprint);
    expect(stderr).toContain(old.fingerprint);
  }
  expect(await readFile(knownFile(somebody), 'utf8')).toBe(`[127.0.0.1]:${sshd.port} ${old.publicKey}\n`);
});

test('an unknown key is a no, with the command that mends it', async () => {
  await using somebody = await newcomer(false);
  const { code, stdout } = await somebody.type('hosts', 'test', 'web', '--json');
  expect({ code, data: JSON.parse(stdout) }).toMatchObject({
    code: 1,
    data: {
      host: 'web',
      ok: false,
      error: { code: 'HOST_KEY_UNKNOWN', next: expect.stringContaining('sallyport hosts trust web') },
    },
  });
});

test('a host that does not answer, and an account that is refused, are the surroundings’ failures', async () => {
  await using gone = await newcomer(false, { port: await freePort() });
  expect(await gone.type('hosts', 'test', 'web')).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('web: UNREACHABLE: '),
  });
  await using stranger = await newcomer(false, { user: 'nobody-here' }, [sshd.knownHosts]);
  expect(await stranger.type('hosts', 'test', 'web')).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('web: AUTH_FAILED: '),
  });
});
