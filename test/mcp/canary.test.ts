import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, type Home, home, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

let sshd: Sshd;
let outside: TempFolder;
beforeAll(async () => {
  sshd = await startSshd();
  outside = await tempFolder();
});
afterAll(async () => {
  await outside.remove();
  await sshd.close();
});

const FORMS = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
];

/** Command lines of every process there is now. */
const commandLines = (): string =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1');
      } catch {
        return ''; // It has ended meanwhile.
      }
    })
    .join('\n');

const hostsWith = async (secrets: { file: string; env: string }): Promise<Home> => {
  const locked = await sshd.userKey('ed25519-locked');
  const file = await outside.write('passphrase', `${locked.passphrase ?? ''}\n`);
  const wrong = await outside.write('wrong', `${secrets.file}\n`);
  const base = { address: '127.0.0.1', port: sshd.port, user: sshd.user };
  const hosts = {
    right: { ...base, auth: { key: locked.path, passphrase: { file } } },
    wrong: { ...base, auth: { key: locked.path, passphrase: { file: wrong } } },
    password: { ...base, auth: { password: { env: 'CANARY_PASSWORD' } } },
    // By another name: after a refused login the first address is left alone for a while.
    command: {
      ...base,
      address: 'localhost',
      hostKey: sshd.hostKeys[0]?.fingerprint,
      auth: { password: { command: ['printf', '%s', secrets.file] } },
    },
  };
  return home(hosts, ALLOW_ALL, { knownHosts: [sshd.knownHosts] });
};

test('a secret that opens a key, or fails to, is in no answer, log, error, record, state or command line [G12]', async () => {
  const canary = { file: 'kanarie-7d1f-file', env: 'kanarie-93ab-env' };
  const locked = await sshd.userKey('ed25519-locked');
  await using place = await hostsWith(canary);
  const server = raw(place, ['serve', '--log-level', 'debug'], { CANARY_PASSWORD: canary.env });
  const answers: unknown[] = [];
  const right = await server.call('ssh_exec', { host: 'right', command: 'echo in' });
  answers.push(right);
  for (const host of ['wrong', 'password', 'command'])
    answers.push(await server.call('ssh_exec', { host, command: 'true' }));
  const seen = commandLines();
  answers.push(await server.call('ssh_list_hosts'), await server.call('ssh_status'));
  server.child.stdin.end();
  await server.exited;
  expect(structured(right).stdout).toBe('in\n');
  expect(answers.slice(1, 4).map(answer => JSON.stringify(answer))).toEqual([
    expect.stringContaining('AUTH_FAILED'),
    expect.stringContaining('AUTH_FAILED'),
    expect.stringContaining('AUTH_FAILED'),
  ]);
  const config = readFileSync(`${place.path}/.config/sallyport/config.json`, 'utf8');
  const everything = [
    JSON.stringify(answers),
    server.stdout(),
    server.stderr(),
    sshd.log(),
    (await place.everything()).replace(config, ''),
    seen,
  ];
  // The operator wrote the second canary into a command of the configuration, which is where it is allowed to be.
  for (const secret of [locked.passphrase ?? '', canary.file, canary.env])
    for (const form of FORMS(secret)) expect(everything.filter(text => text.includes(form))).toEqual([]);
});

test('what is fed to a command and the values of its environment are on record only by size and hash', async () => {
  await using place = await hostsWith({ file: 'x', env: 'y' });
  const server = raw(place);
  const args = { host: 'right', command: 'cat >/dev/null', stdin: 'kanarie-stdin', env: { TOKEN: 'kanarie-value' } };
  const result = await server.call('ssh_exec', args);
  server.child.stdin.end();
  await server.exited;
  expect(structured(result)).toMatchObject({ status: 'exited', exit_code: 0 });
  const lines = await place.audit();
  expect(JSON.stringify(lines)).not.toContain('kanarie');
  expect(lines.find(line => line.event === 'admitted')).toMatchObject({
    action: {
      env: ['TOKEN'],
      stdin: { bytes: 13, sha256: '6612bde776ddf4f4da249efdff1c9bd7e5d701240848c325368c81e5ce91090b' },
    },
  });
});
