import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALLOW_ALL, homeFor, type Raw, raw, structured } from '../support/home.ts';
import { noneLeft, processesWith } from '../support/processes.ts';
import { folderOf, serving, socketsOf, terminal, type } from '../support/second-terminal.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { untilTrue } from '../support/until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`);
  return value;
};
const begin = async (server: Raw, command: string, more: Record<string, unknown> = {}): Promise<string> => {
  const result = await server.call('ssh_exec', { host: 'web-1', command, wait_ms: 1, ...more });
  expect(structured(result)).toMatchObject({ status: 'running' });
  return text(structured(result).command_id);
};

describe('sessions list', () => {
  test('shows every kind of what is open, and the connection, once each', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const sessions = [];
    for (const mode of ['managed', 'program', 'terminal'])
      sessions.push(
        structured(
          await server.call('ssh_session_start', {
            host: 'web-1',
            mode,
            ...(mode === 'program' ? { command: 'sleep 911.5' } : {}),
          }),
        ).session_id,
      );
    const running = await begin(server, 'echo one; echo two; sleep 911.25');
    const detached = await begin(server, 'sleep 911.75', { detach: true });
    await server.call('ssh_session_send', { session_id: sessions[0], input: 'sleep 911.125', wait_ms: 1 });
    await untilTrue(async () => (await type(place, 'list', '--json')).stdout.includes('"last_output":"two"'));
    const { code, stdout } = await type(place, 'list', '--json');
    expect(code).toBe(0);
    const { servers, open, silent } = JSON.parse(stdout);
    expect(silent).toEqual([]);
    expect(servers).toEqual([
      {
        pid: server.child.pid,
        version: expect.any(String),
        grant: 'local',
        connections: [{ host: 'web-1', state: 'ready', channels: expect.any(Number) }],
      },
    ]);
    const shared = { grant: 'local', host: 'web-1', duration_ms: expect.any(Number) };
    const used = { ...shared, idle_ms: expect.any(Number) };
    expect(open).toHaveLength(6);
    expect(open).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...used, id: sessions[0], kind: 'session', mode: 'managed', status: 'running' }),
        expect.objectContaining({ ...used, id: sessions[1], mode: 'program', what: 'sleep 911.5' }),
        expect.objectContaining({ ...used, id: sessions[2], mode: 'terminal', what: 'login shell' }),
        {
          ...used,
          id: running,
          kind: 'command',
          status: 'running',
          what: 'echo one; echo two; sleep 911.25',
          last_output: 'two',
        },
        { ...shared, id: detached, kind: 'command', detached: true, status: 'running', what: 'sleep 911.75' },
        expect.objectContaining({ ...used, kind: 'command', session_id: sessions[0], what: 'sleep 911.125' }),
      ]),
    );
    const table = await type(place);
    expect(table.stdout).toMatch(/^ID +KIND +HOST +GRANT +STATUS +FOR +IDLE +WHAT\n/);
    expect(table.stdout).toMatch(/^- +connection +web-1 +local +ready +\d+ channels, process \d+$/m);
    expect(await type(place, 'end', detached)).toMatchObject({ code: 0 });
  });

  test('sees two servers at once, each with its grant', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using one = await serving(place);
    await using two = await serving(place, ['serve', '--grant', 'ci']);
    const ids = [await begin(one, 'sleep 912.5'), await begin(two, 'sleep 912.25')];
    const { open } = JSON.parse((await type(place, 'list', '--json')).stdout);
    expect(open.map((thing: { id: string; grant: string }) => [thing.id, thing.grant]).sort()).toEqual(
      [
        [ids[0], 'local'],
        [ids[1], 'ci'],
      ].sort(),
    );
  });

  test('says that nothing runs where no server is', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    expect(await type(place)).toEqual({ code: 0, stdout: '', stderr: 'No server is running here.\n' });
  });

  test('passes over the socket of a killed server, and removes it', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    const server = await serving(place);
    server.child.kill('SIGKILL');
    await server.exited;
    expect(await socketsOf(place)).toHaveLength(1);
    expect(await type(place, 'list', '--json')).toMatchObject({
      code: 0,
      stdout: '{"servers":[],"open":[],"silent":[]}\n',
    });
    expect(await socketsOf(place)).toEqual([]);
  });

  test('refuses a folder that others can write to', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await mkdir(folderOf(place), { recursive: true, mode: 0o700 });
    await chmod(folderOf(place), 0o770);
    const { code, stderr } = await type(place);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('is open to other users (mode 0770)'),
    });
  });
});

describe('sessions end', () => {
  test('stops the whole tree, proves it, and the record says that an operator did', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const mark = randomBytes(8).toString('hex');
    const id = await begin(server, `export TRACE=${mark}; setsid sleep 913 & trap '' INT; sleep 913; sleep 913`);
    await untilTrue(async () => (await processesWith(mark)).length >= 3);
    const { code, stdout } = await type(place, 'end', id, '--json');
    expect(await processesWith(mark)).toEqual([]);
    expect({ code, answer: JSON.parse(stdout) }).toEqual({
      code: 0,
      answer: { id, outcome: 'confirmed', signals: expect.arrayContaining(['INT']), remaining: [] },
    });
    const told = await server.call('ssh_read_output', { command_id: id, wait_ms: 0 });
    expect(structured(told)).toMatchObject({ status: 'cancelled' });
    await untilTrue(async () => (await place.audit()).some(line => line.event === 'operator'));
    const lines = await place.audit();
    expect(lines.find(line => line.event === 'operator')?.detail).toMatchObject({
      ended: id,
      grant: 'local',
      host: 'web-1',
    });
    expect(lines.find(line => line.event === 'ended' && line.tool === 'ssh_exec')?.end).toMatchObject({
      how: 'cancelled',
      by: 'operator',
    });
  });

  test.each(['managed', 'program', 'terminal'])('ends a %s session', async mode => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const mark = randomBytes(8).toString('hex');
    const program = mode === 'program' ? { command: `sh -c 'TRACE=${mark} sleep 914'` } : {};
    const started = await server.call('ssh_session_start', { host: 'web-1', mode, ...program });
    const id = text(structured(started).session_id);
    if (mode !== 'program')
      await server.call('ssh_session_send', {
        session_id: id,
        input: `TRACE=${mark} sleep 914${mode === 'terminal' ? '\n' : ''}`,
        wait_ms: 1,
      });
    await untilTrue(async () => (await processesWith(mark)).length > 0);
    expect(await type(place, 'end', id)).toMatchObject({ code: 0 });
    await noneLeft(mark);
    expect(JSON.parse((await type(place, 'list', '--json')).stdout).open).toEqual([]);
    await untilTrue(async () =>
      (await place.audit()).some(line => JSON.stringify(line.end ?? {}).includes('"by":"operator"')),
    );
  });

  test('names the nearest for an id that nothing has, and ends nothing', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const id = await begin(server, 'sleep 915');
    const wrong = `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`;
    for (const word of ['end', 'watch'])
      expect(await type(place, word, wrong)).toEqual({
        code: 1,
        stdout: '',
        stderr: `Nothing that is open is called "${wrong}"; did you mean "${id}"?\n`,
      });
    expect(structured(await server.call('ssh_read_output', { command_id: id, wait_ms: 0 }))).toMatchObject({
      status: 'running',
    });
  });
});

describe('sessions watch', () => {
  test('shows safe output as it comes, and ends with the command', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const go = join(place.path, 'go');
    const id = await begin(
      server,
      `printf 'first \\033[31mred\\033[0m \\007\\n'; until [ -e ${go} ]; do sleep 0.05; done; echo last`,
    );
    const watching = terminal(place, 'watch', id);
    await untilTrue(() => watching.stdout().includes('first'));
    expect(watching.stdout()).toBe('first red \\u{7}\n');
    await server.call('ssh_exec', { host: 'web-1', argv: ['touch', go] });
    expect(await watching.ended).toEqual({
      code: 0,
      stdout: 'first red \\u{7}\nlast\n',
      stderr: `ended ${id}: exited\n`,
    });
  });

  test('without an id tells what begins and ends, until it is interrupted', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    await using server = await serving(place);
    const watching = terminal(place, 'watch', '--json');
    const before = await begin(server, 'sleep 916');
    await untilTrue(() => watching.stdout().includes(before));
    const done = text(structured(await server.call('ssh_exec', { host: 'web-1', command: 'true' })).command_id);
    await untilTrue(() => watching.stdout().includes(`"ended","id":"${done}"`));
    watching.child.kill('SIGINT');
    expect((await watching.ended).code).toBe(130);
    expect(structured(await server.call('ssh_read_output', { command_id: before, wait_ms: 0 }))).toMatchObject({
      status: 'running',
    });
  });

  test('says so when the server goes meanwhile', async () => {
    await using place = await homeFor(sshd, ALLOW_ALL);
    const server = await serving(place);
    const id = await begin(server, 'echo up; sleep 917');
    const watching = terminal(place, 'watch', id);
    await untilTrue(() => watching.stdout().includes('up'));
    server.child.kill('SIGKILL');
    expect(await watching.ended).toMatchObject({
      code: 4,
      stderr: `The server with process ${server.child.pid} has gone.\n`,
    });
  });
});

test('the socket is private, and gone when its server is', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const server = await serving(place);
  const [name = ''] = await socketsOf(place);
  expect(name).toMatch(new RegExp(`^${server.child.pid}-[0-9a-f]{16}\\.sock$`));
  const modes = await Promise.all([folderOf(place), join(folderOf(place), name)].map(path => stat(path)));
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '600']);
  server.child.stdin.end();
  await server.exited;
  expect(await readdir(folderOf(place))).toEqual([]);
});

test('a server that cannot open its socket says so, and goes on', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  await mkdir(join(folderOf(place), '..'), { recursive: true, mode: 0o700 });
  await writeFile(folderOf(place), '');
  await using server = raw(place);
  await server.request('tools/list');
  await untilTrue(() => server.stderr().includes('there is no control socket'));
  expect(structured(await server.call('ssh_exec', { host: 'web-1', command: 'true' }))).toMatchObject({
    status: 'exited',
  });
  expect(server.noise).toEqual([]);
});

test('status tells the agent what the caps of the configuration leave', async () => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const config = JSON.parse(await readFile(join(place.path, '.config', 'sallyport', 'config.json'), 'utf8'));
  await place.config({ ...config, limits: { commandsPerHost: 1, sessionLifeMs: 60_000, keepTotalBytes: 65_536 } });
  await using server = raw(place);
  await server.call('ssh_session_start', { host: 'web-1' });
  await begin(server, 'sleep 918');
  const refused = await server.call('ssh_exec', { host: 'web-1', command: 'true' });
  expect(structured(refused).error).toMatchObject({
    code: 'BUSY',
    message: '1 commands of this grant run or wait on web-1 already.',
  });
  const status = structured(await server.call('ssh_status'));
  expect(status.kept).toMatchObject({ max_bytes: 65_536 });
  const [session] = [status.sessions].flat();
  expect(session).toMatchObject({ idle_ms: expect.any(Number), ends_in_ms: expect.any(Number) });
  expect(JSON.stringify(session)).toMatch(/"ends_in_ms":[1-5]\d{4}\b/);
});
