import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ALLOW_ALL, BIN, errorOf, type Home, home, raw, structured } from '../support/home.ts';

/** How long an end may take: the contract's 100 ms, doubled for a machine that does other things too. */
const EXIT_MS = 200;

type Ran = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};
type Way = {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly bin?: string;
};

/** One run of the bundle to its end. */
const runs = (place: Home, { argv = [], env = {}, stdin, cwd = place.path, bin = BIN }: Way): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...argv], { env: { ...place.env, ...env }, cwd });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });

const request = (id: number, method: string, params: object = {}): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const INITIALIZE = request(1, 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
});

test('a bare command whose stdin is empty serves nobody, says nothing, and ends well', async () => {
  await using place = await home({}, ALLOW_ALL);
  const ran = await runs(place, { env: { SALLYPORT_LOG_LEVEL: 'error' } });
  expect(ran).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});

test('without any file it serves all the same, and says where the files go', async () => {
  await using place = await home();
  const env = { XDG_CONFIG_HOME: join(place.path, 'nothing') };
  const { code, stdout, stderr } = await runs(place, { env, stdin: INITIALIZE });
  const folder = join(place.path, 'nothing', 'sallyport');
  expect({ code, answers: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, answers: 1 });
  expect(stderr.replaceAll(/^\S+ /gm, '')).toBe(
    `warn  sallyport: No hosts are configured. Run sallyport init --host NAME=USER@ADDRESS to write ${folder}/config.json.\n` +
      `warn  sallyport: There is no ${folder}/policy.json: every call is denied. Run sallyport init.\n`,
  );
});

test('what was asked before the end of stdin is answered', async () => {
  await using place = await home({}, ALLOW_ALL);
  const initialized = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`;
  const { code, stdout } = await runs(place, { stdin: `${INITIALIZE}${initialized}${request(2, 'tools/list')}` });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(code).toBe(0);
  expect(answers.map(({ id, result }) => ({ id, answered: result !== undefined }))).toEqual([
    { id: 1, answered: true },
    { id: 2, answered: true },
  ]);
});

test('a line of help, a slip and a version have their exits', async () => {
  await using place = await home();
  const [help, slip, version] = await Promise.all([
    runs(place, { argv: ['--help'] }),
    runs(place, { argv: ['--tranport=http'] }),
    runs(place, { argv: ['--version'] }),
  ]);
  expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Examples:\n') });
  expect(slip).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('unknown flag "--tranport"') });
  expect(version).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test('it can be started through a link, as package managers install it', async () => {
  await using place = await home();
  const bin = join(place.path, 'sallyport');
  await symlink(BIN, bin);
  const { stdout } = await runs(place, { bin, argv: ['init', '--print', '--client', 'codex'] });
  expect(stdout).toContain(`codex mcp add sallyport -- ${process.execPath} ${BIN} serve\n`);
});

test('an invalid policy ends the server with every problem on stderr, and nothing but the first answer on stdout', async () => {
  await using place = await home({}, { version: '1', tools: { ssh_exce: {}, ssh_status: { limts: [] } } });
  const ran = await runs(place, { stdin: INITIALIZE });
  expect(ran).toMatchObject({ code: 3, signal: null });
  expect(
    ran.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).id),
  ).toEqual([1]);
  const problems = ran.stderr
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/^.*policy\.json:\d+:\d+ (\S+) .*$/, '$1'));
  expect(problems.toSorted()).toEqual(['/default', '/tools/ssh_exce', '/tools/ssh_status/limts']);
});

test('a client hears of an invalid policy without a path of this machine', async () => {
  await using place = await home({}, { version: '1', tools: { ssh_exce: {} } });
  const { stdout } = await runs(place, { stdin: `${INITIALIZE}${request(2, 'tools/list')}` });
  expect(stdout).not.toContain(place.path);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(answers.find(({ id }) => id === 2)).toEqual({
    jsonrpc: '2.0',
    id: 2,
    error: { code: -32603, message: expect.stringContaining('sallyport doctor') },
  });
});

test('files in the working directory are nobody’s configuration', async () => {
  await using place = await home();
  const cwd = join(place.path, 'clone');
  await mkdir(join(cwd, 'sallyport'), { recursive: true });
  for (const name of ['policy.json', '.sallyport.json', 'sallyport/policy.json'])
    await writeFile(join(cwd, name), JSON.stringify(ALLOW_ALL));
  await using server = raw(place, ['serve'], { XDG_CONFIG_HOME: '.', PWD: cwd });
  expect(errorOf(await server.call('ssh_status'))).toMatchObject({ code: 'POLICY_DENIED', rule: '(no policy)' });
});

test.each([
  { title: 'SIGTERM', signal: 'SIGTERM', code: 0 },
  { title: 'SIGINT', signal: 'SIGINT', code: 130 },
  { title: 'a terminal that is closed', signal: 'SIGHUP', code: 0 },
] as const)('$title ends a server at once, in order', async ({ signal, code }) => {
  await using place = await home({}, ALLOW_ALL);
  await using server = raw(place);
  await server.call('ssh_status');
  const begun = performance.now();
  server.child.kill(signal);
  const ended = await server.exited;
  expect({ code: ended.code, signal: ended.signal }).toEqual({ code, signal: null });
  expect(ended.atMs - begun).toBeLessThan(EXIT_MS);
  expect((await place.audit()).map(({ event }) => event)).toEqual(['started', 'admitted', 'ended', 'stopped']);
});

test('a command that waits for a host that never answers is left at SIGINT, with 130', async () => {
  const mute = createServer(socket => socket.on('error', () => undefined));
  const dialled = once(mute, 'connection');
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve));
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using place = await home({ mute: { address: '127.0.0.1', port, user: 'u' } });
  await using command = raw(place, ['hosts', 'test', 'mute']);
  await dialled;
  command.child.kill('SIGINT');
  expect(await command.exited).toMatchObject({ code: 130, signal: null });
  mute.close();
});

const preload = (code: string): Record<string, string> => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}`,
});

test('whatever a library prints goes to stderr: stdout carries the protocol alone', async () => {
  await using place = await home({}, ALLOW_ALL);
  const noise =
    'setInterval(() => { console.log("noise"); process.stdout.write("more noise\\n"); console.table([1]); }, 1)';
  await using server = raw(place, ['serve'], preload(noise));
  for (let call = 0; call < 5; call += 1) await server.call('ssh_status');
  expect(server.noise.filter(line => line !== 'noise' && line !== 'more noise' && !/^[┌│├└]/.test(line))).toEqual([]);
  const before = server.noise.length;
  for (let call = 0; call < 5; call += 1) await server.call('ssh_status');
  expect(server.noise.length).toBe(before);
  expect(server.stderr()).toContain('more noise');
});

test('a defect ends the process with its cause on stderr, and the record is closed', async () => {
  await using place = await home({}, ALLOW_ALL);
  const trap = 'process.on("SIGUSR2", () => { throw new Error("boom"); })';
  await using server = raw(place, ['serve'], preload(trap));
  await server.call('ssh_status');
  server.child.kill('SIGUSR2');
  expect(await server.exited).toMatchObject({ code: 70, signal: null });
  expect(server.stderr()).toContain('sallyport: a defect: Error: boom');
  expect(server.noise).toEqual([]);
  expect((await place.audit()).at(-1)?.event).toBe('stopped');
});

test('a reader that goes away ends a command without noise', async () => {
  await using place = await home({ web: { address: '127.0.0.1', user: 'u' } });
  await using command = raw(place, ['policy', 'explain', '--json', '--', 'ssh_status']);
  command.child.stdout.destroy();
  expect(await command.exited).toMatchObject({ signal: null });
  expect(command.stderr()).toBe('');
});

test('data that a full disk does not take is an error of the surroundings', async () => {
  await using place = await home();
  const full = await open('/dev/full', 'w');
  const child = spawn(process.execPath, [BIN, '--version'], { env: place.env, stdio: ['ignore', full.fd, 'pipe'] });
  const said = text(child.stderr ?? Readable.from([]));
  const [code] = await once(child, 'close');
  await full.close();
  expect({ code, said: await said }).toEqual({
    code: 4,
    said: 'sallyport: stdout cannot be written to: ENOSPC: no space left on device, write.\n',
  });
});

test('when nothing can be recorded nothing runs, and it is said why', async () => {
  await using place = await home({}, ALLOW_ALL);
  const state = join(place.path, 'state');
  await writeFile(state, 'a file where a folder should be');
  await using server = raw(place, ['serve', '--state', state]);
  const refused = await server.call('ssh_status');
  expect(errorOf(refused)).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  server.child.stdin.end();
  expect(await server.exited).toMatchObject({ code: 0 });
});

test('the record recovers when the folder does, without a restart', async () => {
  await using place = await home({}, ALLOW_ALL);
  const state = join(place.path, 'state');
  await symlink('/nowhere/at/all', state);
  await using server = raw(place, ['serve', '--state', state]);
  expect(errorOf(await server.call('ssh_status'))).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  await unlink(state);
  expect(structured(await server.call('ssh_status'))).toMatchObject({ grant: 'local' });
});
