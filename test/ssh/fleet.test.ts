import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Run, Stop } from '../../src/call.ts';
import { manualClock } from '../support/clock.ts';
import { lifeOf, look, runOf, type TestFleet, testFleet } from '../support/fleet.ts';
import { noneLeft, processesWith } from '../support/processes.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
let web: TestFleet;
beforeAll(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host({ tags: ['prod'] }), sshd);
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
});

const unique = (): string => `9${randomBytes(4).readUInt32BE()}.${randomBytes(4).readUInt32BE()}`;
const unknown = (what: 'command' | 'session', id: string) => ({
  code: 'UNKNOWN_ID',
  message: `There is no ${what} "${id}". ${FORGOTTEN[what]}`,
});
const FORGOTTEN = {
  command: 'A command that has ended is forgotten after a while, or when many have ended since.',
  session: 'A session is over once it was ended or nothing was sent to it for long.',
};
const stop = (what: 'command' | 'session', id: string): Stop => ({ kind: 'stop', what, id });

describe('a handle of another grant', () => {
  test('of a command answers as an unknown one', async () => {
    const { command } = await web.start('sleep 871', {}, 'one');
    const { fleet, permit } = web;
    expect(await fleet.command(permit(look(command.id), 'one'))).toBe(command);
    await expect(fleet.command(permit(look(command.id), 'two'))).rejects.toThrow(
      expect.objectContaining(unknown('command', command.id)),
    );
    await expect(fleet.command(permit(look('cmd_nobody'), 'two'))).rejects.toThrow(
      expect.objectContaining(unknown('command', 'cmd_nobody')),
    );
    await expect(fleet.cancel(permit(stop('command', command.id), 'two'))).rejects.toMatchObject(
      unknown('command', command.id),
    );
    expect(fleet.directory.hostOf('one', look(command.id))).toBe('web');
    expect(fleet.directory.hostOf('two', look(command.id))).toBeUndefined();
    expect((await fleet.status(permit({ kind: 'observe', what: 'status' }, 'two'))).commands).toEqual([]);
    expect(command.state().end).toBeUndefined();
    expect((await web.cancel(command, 'one')).outcome).toBe('confirmed');
  });

  test('of a session answers as an unknown one', async () => {
    const { session } = await web.open('one');
    const { fleet, permit, target } = web;
    const refused = unknown('session', session.id);
    const observe = { kind: 'observe', what: 'session', id: session.id } as const;
    expect(() => fleet.session(permit(observe, 'two'))).toThrow(expect.objectContaining(refused));
    expect(() => fleet.directory.session('two', session.id)).toThrow(expect.objectContaining(refused));
    await expect(fleet.send(permit(runOf(target, 'id', { session: session.id }), 'two'))).rejects.toMatchObject(
      refused,
    );
    await expect(fleet.end(permit(stop('session', session.id), 'two'))).rejects.toMatchObject(refused);
    expect(fleet.directory.hostOf('two', observe)).toBeUndefined();
    expect(fleet.session(permit(observe, 'one'))).toBe(session);
    await fleet.end(permit(stop('session', session.id), 'one'));
  });

  test('is shown as safe text, whatever somebody calls one', async () => {
    await expect(web.fleet.command(web.permit(look('cmd_\u001b[31m\u202e')))).rejects.toThrow(
      'There is no command "cmd_\\\\u{202e}".',
    );
  });
});

describe('the directory', () => {
  test('knows hosts by name, and guesses what a slip meant', () => {
    expect(web.fleet.directory.target('web')).toEqual(web.target);
    expect(() => web.fleet.directory.target('wbe')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_HOST', message: 'No host is called "wbe"; did you mean "web"?' }),
    );
    expect(() => web.fleet.directory.target('zzz')).toThrow('No host is called "zzz".');
  });
});

describe('hosts and connections', () => {
  test('are described before and after connecting, and after closing', async () => {
    using fresh = testFleet(await sshd.host({ tags: ['prod'] }), sshd);
    const { fleet, permit, target } = fresh;
    const about = { name: 'web', user: sshd.user, address: '127.0.0.1', port: sshd.port, tags: ['prod'], key: 'known' };
    expect(await fleet.hosts(permit({ kind: 'observe', what: 'hosts' }))).toEqual([{ ...about, state: 'idle' }]);
    expect(await fleet.status(permit({ kind: 'observe', what: 'status' }))).toEqual({
      connections: [],
      commands: [],
      sessions: [],
      transfers: [],
      tunnels: [],
      kept: { commands: 0, bytes: 0, max_bytes: 67_108_864 },
    });
    const view = await fleet.connect(permit({ kind: 'connect', target }));
    expect(view).toEqual({
      host: 'web',
      state: 'ready',
      server: expect.stringContaining('OpenSSH'),
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      roundTripMs: expect.any(Number),
    });
    const { command } = await fresh.start('sleep 870');
    expect(await fleet.status(permit({ kind: 'observe', what: 'status' }))).toEqual({
      connections: [{ host: 'web', state: 'ready', channels: 1, leased: false }],
      commands: [{ command_id: command.id, host: 'web', status: 'running', duration_ms: expect.any(Number) }],
      sessions: [],
      transfers: [],
      tunnels: [],
      kept: { commands: 0, bytes: 0, max_bytes: 67_108_864 },
    });
    const closed = await fleet.disconnect(permit({ kind: 'stop', what: 'connection', target }));
    const report = { outcome: 'confirmed', signals: ['INT'], remaining: [] };
    expect(closed).toEqual({ host: 'web', stopped: [{ command_id: command.id, ...report }] });
    expect(await command.ended).toMatchObject({ how: 'cancelled' });
    expect(await fleet.hosts(permit({ kind: 'observe', what: 'hosts' }))).toEqual([{ ...about, state: 'closed' }]);
  });

  test('closing stops what this grant runs and ends its sessions, and leaves alone what others run', async () => {
    using fresh = testFleet(await sshd.host(), sshd);
    const { fleet, permit, target } = fresh;
    const seconds = unique();
    const mine = await Promise.all([
      fresh.start(`sleep ${seconds}`),
      fresh.start(`trap "" INT; sleep ${seconds}; sleep ${seconds}`),
    ]);
    const { command: theirs } = await fresh.start(`sleep ${unique()}`, {}, 'other');
    const shell = await fresh.open();
    const { stopped } = await fleet.disconnect(permit({ kind: 'stop', what: 'connection', target }));
    expect(stopped.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed']);
    expect(await processesWith(seconds)).toEqual([]);
    for (const { command } of mine) expect((await command.ended).how).toBe('cancelled');
    await expect(shell.send('true')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
    expect(theirs.state().end).toBeUndefined();
    expect((await fresh.cancel(theirs, 'other')).outcome).toBe('confirmed');
  });

  test('a host that is configured anew since it was judged is not dialled', async () => {
    const moved = { ...web.target, port: 1 };
    await expect(web.fleet.run(web.permit(runOf(moved, 'true')))).rejects.toMatchObject({ code: 'UNKNOWN_HOST' });
    await expect(web.fleet.connect(web.permit({ kind: 'connect', target: moved }))).rejects.toMatchObject({
      code: 'UNKNOWN_HOST',
    });
  });
});

describe('what a grant may have open', () => {
  test('ended commands make room for new ones, running ones do not', async () => {
    using small = testFleet(await sshd.host(), { ...sshd, caps: { commandsPerGrant: 2 } });
    const { command: first } = await small.start('true');
    await first.ended;
    const { command: second } = await small.start('sleep 869');
    const { command: third } = await small.start('sleep 869');
    await expect(small.fleet.command(small.permit(look(first.id)))).rejects.toThrow(
      expect.objectContaining({ code: 'UNKNOWN_ID' }),
    );
    await expect(small.start('true')).rejects.toMatchObject({ code: 'BUSY' });
    expect((await small.start('true', {}, 'other')).command.host).toBe('web');
    for (const command of [second, third]) expect((await small.cancel(command)).outcome).toBe('confirmed');
    expect((await small.run('true')).end).toEqual({ how: 'exited', code: 0 });
  });

  test('an ended command can be read for ten minutes', async () => {
    const clock = manualClock();
    using fleet = testFleet(await sshd.host(), { ...sshd, clock });
    const { command } = await fleet.start('echo kept');
    await command.ended;
    clock.advance(599_999);
    expect((await fleet.fleet.command(fleet.permit(look(command.id)))).stdout.read(0, 10).text).toBe('kept\n');
    clock.advance(1);
    await expect(fleet.fleet.command(fleet.permit(look(command.id)))).rejects.toThrow(
      expect.objectContaining({ code: 'UNKNOWN_ID' }),
    );
  });

  test('sessions are counted, and one that is idle for long ends by itself', async () => {
    const timers: { ms: number; run: () => void }[] = [];
    const after = (ms: number, run: () => void) => {
      const timer = { ms, run };
      if (ms === 5_000_000) timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    };
    using small = testFleet(await sshd.host(), {
      ...sshd,
      after,
      caps: { sessionsPerGrant: 1, sessionIdleMs: 5_000_000 },
    });
    const shell = await small.open();
    await expect(small.open()).rejects.toMatchObject({ code: 'BUSY' });
    await shell.send('true');
    expect(timers.length).toBe(1);
    for (const timer of [...timers]) timer.run();
    await expect(shell.send('true')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
    expect((await small.open()).session.host).toBe('web');
  });

  test('of each stream, so much is kept as is configured', async () => {
    using small = testFleet(await sshd.host(), { ...sshd, caps: { keepBytes: 8192 } });
    const { command } = await small.start('yes | head -n 100000');
    await command.ended;
    expect(command.stdout.length).toBe(200_000);
    expect(command.stdout.read(0, 1e6).next + command.stdout.read(100_000, 1e6).text.length).toBe(8192);
  });
});

test("a permit is good once, and its life is the session's", async () => {
  const { fleet, permit, target } = web;
  const used = permit(runOf(target, 'true'));
  await fleet.run(used);
  await expect(fleet.run(used)).rejects.toThrow('a permit is good for one action');
  const opening = permit({ kind: 'open', mode: 'managed', target });
  const { id } = await fleet.open(opening);
  await fleet.end(permit(stop('session', id)));
  expect(await lifeOf(opening)).toEqual({ how: 'ended', duration_ms: expect.any(Number) });
});

describe('going down', () => {
  test('leaves nothing alive on the far side, within its time, and every command has its end', async () => {
    await using other = await startSshd();
    using fresh = testFleet(await other.host(), other);
    const seconds = unique();
    const more: Partial<Run> = { env: { TRACE: seconds } };
    const started = await Promise.all([
      fresh.start(`sleep ${seconds}`, more),
      fresh.start(`trap "" INT TERM; while :; do sleep ${seconds}; done`, more),
      fresh.start(
        `setsid sleep ${seconds} >/dev/null 2>&1 & nohup sleep ${seconds} >/dev/null 2>&1 & wait; sleep 1`,
        more,
      ),
    ]);
    const finished = await fresh.start(`setsid sleep 1${seconds} >/dev/null 2>&1 & echo left`);
    await finished.command.ended;
    const waiting = [1, 2, 3].map(() => fresh.run(`sleep ${seconds}`, more).catch((error: unknown) => error));
    const began = performance.now();
    await fresh.fleet.shutdown(80);
    expect(performance.now() - began).toBeLessThan(500);
    for (const { command, permit } of started) {
      expect((await command.ended).how).toBe('cancelled');
      expect(await lifeOf(permit)).toMatchObject({ how: 'cancelled' });
    }
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject(expect.toSatisfy(isOver));
    await noneLeft(`sleep ${seconds}`);
    await noneLeft(`TRACE=${seconds}`);
    await expect(fresh.start('true')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(fresh.open()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    // What a command that is over left behind on purpose is nobody's to end.
    const left = await processesWith(`sleep 1${seconds}`);
    expect(left).toHaveLength(1);
    process.kill(Number(left[0]?.split(' ')[0]), 'SIGKILL');
  });

  test('with nothing open is over at once', async () => {
    using fresh = testFleet(await sshd.host(), sshd);
    await fresh.fleet.shutdown(80);
    await expect(fresh.fleet.connect(fresh.permit({ kind: 'connect', target: fresh.target }))).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
  });
});

/** Refused because we go down, or taken in time to be stopped. */
const isOver = (outcome: unknown): boolean => {
  if (typeof outcome !== 'object' || outcome === null) return false;
  if ('code' in outcome) return outcome.code === 'SHUTTING_DOWN';
  return 'end' in outcome && JSON.stringify(outcome.end).includes('cancelled');
};
