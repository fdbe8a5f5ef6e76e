import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../../src/call.ts';
import type { Caps } from '../../../src/ssh/caps.ts';
import type { Command } from '../../../src/ssh/fleet.ts';
import type { Handles } from '../../../src/state/handles.ts';
import { memoryStore } from '../../../src/state/memory.ts';
import { realClock } from '../../support/clock.ts';
import { look, ranOf, runOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { noneLeft, processesWith } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

let sshd: Sshd;
let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
  sshd = await startSshd({ config: [`SetEnv XDG_STATE_HOME=${temp.path}`] });
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

/** A process of ours, one of several that share a state store. */
const processWith = async (handles: Handles, caps: Partial<Caps> = {}): Promise<TestFleet> =>
  testFleet(await sshd.host(), { knownHosts: sshd.knownHosts, handles, caps });

const begin = async (fleet: TestFleet, text: string, more: Partial<Run> = {}, obligations = {}): Promise<Command> => {
  const action = runOf(fleet.target, text, { detach: true, ...more });
  return await fleet.fleet.run(fleet.permit(action, 'local', obligations));
};

/** Waits for the end of one as a later call does. */
const read = async (fleet: TestFleet, { id }: Pick<Command, 'id'>) => {
  const command = await fleet.fleet.command(fleet.permit(look(id)), 20_000);
  return await ranOf(command);
};

const folderOf = ({ id }: Command): string => join(temp.path, 'sallyport', 'detached', id);

describe('a detached command', () => {
  test('goes on when its process is gone, and is read by the next one', async () => {
    const store = memoryStore(realClock);
    const first = await processWith(store);
    const mark = randomBytes(8).toString('hex');
    const go = join(temp.path, mark);
    const command = await begin(
      first,
      `export TRACE=${mark}; echo first; echo wrong >&2; until [ -e ${go} ]; do sleep 0.1; done; echo last; exit 3`,
    );
    expect(command.state()).toMatchObject({ end: undefined });
    await first.fleet.shutdown(1_000);
    first[Symbol.dispose]();
    expect((await processesWith(mark)).length).toBeGreaterThan(0);
    using second = await processWith(store);
    expect((await second.fleet.status(second.permit({ kind: 'observe', what: 'status' }))).commands).toMatchObject([
      { command_id: command.id, status: 'running', detached: true },
    ]);
    const reading = read(second, command);
    await writeFile(go, '');
    expect(await reading).toEqual({ end: { how: 'exited', code: 3 }, stdout: 'first\nlast\n', stderr: 'wrong\n' });
    using third = await processWith(store);
    expect((await third.fleet.status(third.permit({ kind: 'observe', what: 'status' }))).commands).toEqual([]);
    expect(await read(third, command)).toMatchObject({ end: { how: 'exited', code: 3 }, stdout: 'first\nlast\n' });
  });

  test.each<[string, string]>([['words', "printf '%s\\n' 'a b' '$HOME' '`x`'"]])(
    'runs %s exactly as they were judged',
    async (_what, canonical) => {
      using fleet = await processWith(memoryStore(realClock));
      const action = runOf(fleet.target, { canonical }, { detach: true, env: { TZ: 'UTC' }, cwd: '/' });
      const command = await fleet.fleet.run(fleet.permit(action));
      expect(await read(fleet, command)).toEqual({
        end: { how: 'exited', code: 0 },
        stdout: 'a b\n$HOME\n`x`\n',
        stderr: '',
      });
    },
  );

  test('is stopped by a later process with its whole tree, and every other is told', async () => {
    const store = memoryStore(realClock);
    const mark = randomBytes(8).toString('hex');
    const first = await processWith(store);
    const command = await begin(
      first,
      `export TRACE=${mark}; setsid sleep 8123 & trap '' INT; echo up; sleep 8124; sleep 8125`,
    );
    first[Symbol.dispose]();
    using second = await processWith(store);
    await expect.poll(async () => (await processesWith(mark)).length).toBeGreaterThan(1);
    const report = await second.cancel({ ...command, id: command.id });
    expect(report).toMatchObject({ outcome: 'confirmed', remaining: [] });
    expect(await processesWith(mark)).toEqual([]);
    await noneLeft(command.id);
    using third = await processWith(store);
    expect(await read(third, command)).toMatchObject({ end: { how: 'cancelled' }, stdout: 'up\n' });
  });

  test('is stopped by its host when its time is up, with nobody there', async () => {
    const store = memoryStore(realClock);
    const mark = randomBytes(8).toString('hex');
    const first = await processWith(store);
    const command = await begin(
      first,
      `export TRACE=${mark}; trap '' INT TERM; echo up; while :; do sleep 8126; done`,
      {},
      { timeoutMs: 1_000 },
    );
    first[Symbol.dispose]();
    await noneLeft(mark);
    using second = await processWith(store);
    expect(await read(second, command)).toMatchObject({ end: { how: 'timed_out' }, stdout: 'up\n' });
    await noneLeft(command.id);
  });

  test('that was killed without a word is lost, never a success', async () => {
    using fleet = await processWith(memoryStore(realClock));
    const mark = randomBytes(8).toString('hex');
    const command = await begin(fleet, `export TRACE=${mark}; sleep 8127`);
    await expect.poll(async () => (await processesWith(mark)).length).toBeGreaterThan(0);
    for (const line of await processesWith(command.id)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    for (const line of await processesWith(mark)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    expect(await read(fleet, command)).toMatchObject({ end: { how: 'lost', why: { code: 'CONNECTION_LOST' } } });
  });

  test('keeps what it writes to itself, and nothing but that', async () => {
    using fleet = await processWith(memoryStore(realClock));
    const command = await begin(fleet, 'umask; echo out');
    expect(await read(fleet, command)).toMatchObject({ end: { how: 'exited', code: 0 } });
    const folder = folderOf(command);
    expect((await readdir(folder)).sort()).toEqual(['end', 'stderr', 'stdout']);
    expect(await readFile(join(folder, 'end'), 'utf8')).toBe('exited 0\n');
    await noneLeft(command.id);
  });

  test('leaves the account the umask that it had', async () => {
    using fleet = await processWith(memoryStore(realClock));
    const [plain, command] = [await fleet.run('umask'), await begin(fleet, 'umask')];
    expect((await read(fleet, command)).stdout).toBe(plain.stdout);
  });

  test('is refused where the policy caps its output, and where too many are open', async () => {
    using fleet = await processWith(memoryStore(realClock), { detachedPerGrant: 0 });
    await expect(begin(fleet, 'true')).rejects.toMatchObject({ code: 'BUSY' });
    await expect(begin(fleet, 'true', {}, { maxOutputBytes: 10 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect((await fleet.fleet.status(fleet.permit({ kind: 'observe', what: 'status' }))).commands).toEqual([]);
  });

  test('of another grant does not exist', async () => {
    using fleet = await processWith(memoryStore(realClock));
    const command = await begin(fleet, 'true');
    await expect(fleet.fleet.command(fleet.permit(look(command.id), 'other'))).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
    });
    expect((await read(fleet, command)).end).toEqual({ how: 'exited', code: 0 });
  });
});
