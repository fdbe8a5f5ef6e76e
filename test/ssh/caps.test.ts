import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Open } from '../../src/call.ts';
import type { Status } from '../../src/ssh/views.ts';
import { manualClock } from '../support/clock.ts';
import { lifeOf, look, type TestFleet, testFleet } from '../support/fleet.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const status = (fleet: TestFleet): Promise<Status> =>
  fleet.fleet.status(fleet.permit({ kind: 'observe', what: 'status' }));
const next = {
  command: 'Wait for one to end, or stop one with ssh_cancel_command (ssh_status lists them), then call again.',
  session: 'End one with ssh_session_end (ssh_status lists them), then call again.',
};

describe('one grant cannot take all of a host', () => {
  test('with commands: so many run or wait there, and others may still run', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: { commandsPerHost: 2 } });
    const held = [await fleet.start('sleep 921'), await fleet.start('sleep 921')];
    await expect(fleet.start('true')).rejects.toMatchObject({
      code: 'BUSY',
      message: '2 commands of this grant run or wait on web already.',
      next: next.command,
    });
    const { command } = await fleet.start('true', {}, 'other');
    expect(await command.ended).toEqual({ how: 'exited', code: 0 });
    for (const { command } of held) await fleet.cancel(command);
    expect((await fleet.run('true')).end).toEqual({ how: 'exited', code: 0 });
  });

  test('with sessions of any kind, and one that has ended makes room', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: { sessionsPerHost: 1 } });
    const { fleet: door, permit, target } = fleet;
    const terminal: Open = { kind: 'open', mode: 'terminal', target, size: { cols: 80, rows: 24 } };
    const shell = await fleet.open();
    const full = { code: 'BUSY', message: '1 sessions of this grant are open on web.', next: next.session };
    await expect(fleet.open()).rejects.toMatchObject(full);
    await expect(door.open(permit(terminal))).rejects.toMatchObject(full);
    expect((await fleet.open('other')).session.host).toBe('web');
    await shell.end();
    const { id } = await door.open(permit(terminal));
    await door.end(permit({ kind: 'stop', what: 'session', id }));
  });
});

describe('the output that is kept', () => {
  const CAPS = { keepBytes: 32_768, keepTotalBytes: 65_536 };
  const flood = (letter: string): string => `head -c 40000 /dev/zero | tr '\\0' ${letter}`;

  test('is bounded for all commands of a grant: what ended first lets go of its own, and reads say so', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: CAPS });
    const commands = [];
    for (const letter of ['a', 'b', 'c']) {
      const { command } = await fleet.start(flood(letter));
      await command.ended;
      commands.push(command);
    }
    const reads = commands.map(({ stdout }) => stdout.read(8_192, 10));
    expect(reads).toEqual([
      { text: '', from: 40_000, next: 40_000, dropped: 31_808, more: false },
      expect.objectContaining({ text: 'bbbbbbbbbb' }),
      expect.objectContaining({ text: 'cccccccccc' }),
    ]);
    const [first] = commands;
    expect(await fleet.fleet.command(fleet.permit(look(first?.id ?? '')))).toBe(first);
    expect(first?.state()).toMatchObject({ end: { how: 'exited', code: 0 } });
    expect(first?.stdout.received()).toMatchObject({ bytes: 40_000 });
    expect((await status(fleet)).kept).toEqual({ commands: 3, bytes: 65_536, max_bytes: 65_536 });
  });

  test('of what still runs is never let go: no more begins instead', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: CAPS });
    const held = [];
    for (const letter of ['a', 'b']) {
      const { command } = await fleet.start(`${flood(letter)}; exec sleep 922`);
      while (command.stdout.length < 40_000) await command.stdout.grown(command.stdout.length);
      held.push(command);
    }
    await expect(fleet.start('true')).rejects.toMatchObject({
      code: 'BUSY',
      message: 'The output of what runs takes the 65536 bytes that are kept for this grant.',
      next: next.command,
    });
    expect(held.map(({ stdout }) => stdout.read(0, 4).text)).toEqual(['aaaa', 'bbbb']);
    for (const command of held) await fleet.cancel(command);
    expect((await fleet.run('true')).end).toEqual({ how: 'exited', code: 0 });
  });
});

describe('the life of a session', () => {
  test('is told: how long it was not used, and how long it may live', async () => {
    const clock = manualClock();
    using fleet = testFleet(await sshd.host(), { ...sshd, clock });
    const shell = await fleet.open();
    clock.advance(5_000);
    expect((await status(fleet)).sessions).toEqual([
      {
        ...{ session_id: shell.session.id, host: 'web', mode: 'managed', cwd: shell.session.cwd },
        ...{ idle_ms: 5_000, ends_in_ms: 86_395_000 },
      },
    ]);
    await shell.send('true');
    expect((await status(fleet)).sessions).toMatchObject([{ idle_ms: 0, ends_in_ms: 86_395_000 }]);
  });

  test('has an end, however much it is used, and the line that runs then is stopped', async () => {
    const timers: (() => void)[] = [];
    const after = (ms: number, run: () => void): (() => void) => {
      if (ms === 7_654_321) timers.push(run);
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    };
    using fleet = testFleet(await sshd.host(), { ...sshd, after, caps: { sessionLifeMs: 7_654_321 } });
    const { fleet: door, permit, target } = fleet;
    const opening = permit({ kind: 'open', mode: 'managed', target });
    const session = await door.open(opening);
    const { id, cwd, env } = door.directory.session('local', session.id);
    const sent = await door.send(
      permit({ kind: 'exec', target, program: { text: 'sleep 923' }, cwd, env, session: id, timeoutMs: 60_000 }),
    );
    if (sent.kind !== 'line' || sent.line.kind !== 'command') throw new Error('a command was sent');
    for (const run of timers) run();
    expect(await sent.line.command.ended).toMatchObject({ how: 'cancelled', stop: { outcome: 'confirmed' } });
    expect(await lifeOf(opening)).toEqual({ how: 'expired', duration_ms: expect.any(Number) });
    expect(() => door.directory.session('local', id)).toThrow(expect.objectContaining({ code: 'UNKNOWN_ID' }));
  });

  test('leaves no timer behind when it ends before', async () => {
    const waiting = new Set<() => void>();
    const after = (ms: number, run: () => void): (() => void) => {
      if (ms === 7_654_321) waiting.add(run);
      const timer = setTimeout(run, ms);
      return () => {
        waiting.delete(run);
        clearTimeout(timer);
      };
    };
    using fleet = testFleet(await sshd.host(), { ...sshd, after, caps: { sessionLifeMs: 7_654_321 } });
    const shell = await fleet.open();
    expect(waiting.size).toBe(1);
    await shell.end();
    expect(waiting.size).toBe(0);
  });

  test('on a terminal has one too', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: { sessionLifeMs: 1_000 } });
    const { fleet: door, permit, target } = fleet;
    const opening = permit({ kind: 'open', mode: 'terminal', target, size: { cols: 80, rows: 24 } });
    await door.open(opening);
    expect(await lifeOf(opening)).toMatchObject({ how: 'timed_out', stop: { outcome: 'confirmed' } });
  });
});
