import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, errorOf, type Home, home, homeFor, raw, structured } from '../support/home.ts';
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
  return home(hosts, ALLOW_ALL, { knownHosts: [sshd.knownHosts], files: { root: outside.path } });
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

test('what is copied is on record only by size and hash, and in no log', async () => {
  await using place = await hostsWith({ file: 'x', env: 'y' });
  await using far = await tempFolder();
  await outside.write('near', 'kanarie-file');
  const server = raw(place, ['serve', '--log-level', 'debug']);
  const to = (name: string) => ({ host: 'right', remote_path: join(far.path, name) });
  const sent = [
    await server.call('ssh_upload', { ...to('text'), content: 'kanarie-text' }),
    await server.call('ssh_upload', { ...to('file'), local_path: 'near' }),
  ];
  const back = structured(await server.call('ssh_download', to('file')));
  const kept = structured(await server.call('ssh_download', { ...to('text'), local_path: 'back' }));
  server.child.stdin.end();
  await server.exited;
  expect([back.content, kept.sha256]).toEqual(['kanarie-file', sumOf('kanarie-text')]);
  const silent = [...sent.map(answer => JSON.stringify(answer)), server.stderr(), sshd.log(), await place.everything()];
  for (const form of FORMS('kanarie')) expect(silent.filter(text => text.includes(form))).toEqual([]);
  const ended = (await place.audit()).filter(line => line.event === 'ended');
  expect(ended.map(({ end }) => end)).toEqual([
    expect.objectContaining({ bytes: 12, sha256: sumOf('kanarie-text') }),
    expect.objectContaining({ bytes: 12, sha256: sumOf('kanarie-file') }),
    expect.objectContaining({ bytes: 12 }),
    expect.objectContaining({ bytes: 12, sha256: sumOf('kanarie-text') }),
  ]);
});

test('a secret that lies in a file of a host is not in what is read of it', async () => {
  await using place = await hostsWith({ file: 'x', env: 'y' });
  await using far = await tempFolder();
  const { passphrase = '' } = await sshd.userKey('ed25519-locked');
  const remote_path = await far.write('notes', `a note: ${passphrase}\n`);
  await using server = raw(place);
  const asked = { host: 'right', remote_path };
  const text = structured(await server.call('ssh_download', asked));
  const bytes = structured(await server.call('ssh_download', { ...asked, encoding: 'base64' }));
  expect([text.content, text.exact, text.sha256]).toEqual(['a note: [redacted]\n', false, undefined]);
  expect([bytes.content, bytes.exact, bytes.sha256]).toEqual(['', false, undefined]);
  for (const form of FORMS(passphrase)) expect(server.stdout().includes(form)).toBe(false);
});

test('no client hears where things are on this machine outside of the folder for files [G20]', async () => {
  await using place = await hostsWith({ file: 'x', env: 'y' });
  await using elsewhere = await tempFolder('kanarie-elsewhere-');
  await using far = await tempFolder();
  await Promise.all([elsewhere.write('there', 'text'), far.write('back/file', 'text')]);
  await mkdir(join(outside.path, 'app'), { recursive: true });
  await symlink(elsewhere.path, join(outside.path, 'out'));
  await symlink(elsewhere.path, join(outside.path, 'app/out'));
  await using server = raw(place);
  const tree = { local_path: 'app', recursive: true };
  const tries = [
    ['LOCAL_DENIED', { local_path: 'out/there' }],
    ['LOCAL_DENIED', { local_path: 'out/missing' }],
    ['LOCAL_DENIED', { local_path: 'out' }],
    ['NO_SUCH_FILE', { local_path: 'missing/file' }],
    ['FILE_FAILED', { local_path: 'app' }],
    [undefined, tree],
    [undefined, { ...tree, symlinks: 'follow' }],
    [undefined, { ...tree, symlinks: 'copy' }],
  ] as const;
  for (const [code, args] of tries) {
    const asked = { host: 'right', ...args };
    const up = await server.call('ssh_upload', { ...asked, remote_path: join(far.path, 'up') });
    const down = await server.call('ssh_download', {
      ...asked,
      remote_path: join(far.path, 'recursive' in args ? 'back' : 'back/file'),
    });
    expect([args, codeOf(up), codeOf(down)]).toEqual([args, code, code]);
  }
  expect(server.stdout()).not.toContain('kanarie');
  expect(server.stdout()).not.toContain(outside.path);
});

test('no transfer reads or replaces what it is judged by, whatever folder is configured for files [G20]', async () => {
  await using far = await tempFolder();
  await using place = await homeFor(sshd, ALLOW_ALL, { files: { root: '~' } });
  await far.write('policy.json', JSON.stringify({ version: '1', default: 'deny' }));
  await using server = raw(place);
  const asked = {
    host: 'web-1',
    remote_path: join(far.path, 'policy.json'),
    local_path: '.config/sallyport/policy.json',
  };
  const codes = [await server.call('ssh_upload', asked), await server.call('ssh_download', asked)].map(codeOf);
  expect(codes).toEqual(['LOCAL_DENIED', 'LOCAL_DENIED']);
  expect(JSON.parse(readFileSync(join(place.path, asked.local_path), 'utf8'))).toEqual(ALLOW_ALL);
});

const codeOf = (answer: Record<string, unknown>): unknown =>
  answer.isError === true ? errorOf(answer).code : undefined;

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

test('no transfer reads or replaces the file that says which hosts are trusted [G20]', async () => {
  await using files = await tempFolder();
  const trusted = readFileSync(sshd.knownHosts, 'utf8');
  const known = await files.write('known_hosts', trusted);
  await using place = await homeFor(sshd, ALLOW_ALL, { files: { root: files.path }, knownHosts: [known] });
  await using server = raw(place);
  const asked = { host: 'web-1', remote_path: sshd.knownHosts, local_path: 'known_hosts' };
  const codes = [await server.call('ssh_upload', asked), await server.call('ssh_download', asked)].map(codeOf);
  expect([codes, readFileSync(known, 'utf8')]).toEqual([['LOCAL_DENIED', 'LOCAL_DENIED'], trusted]);
});
