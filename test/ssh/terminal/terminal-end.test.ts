import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Action, Observe, Open } from '../../../src/call.ts';
import { mint } from '../../../src/gate/permit.ts';
import type { After } from '../../../src/ssh/timer.ts';
import { lifeOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { noneLeft, processesWith } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { openTerminal } from '../../support/terminals.ts';

let sshd: Sshd;
let web: TestFleet;
beforeAll(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
});

/** A number of seconds that nobody else sleeps for. */
const unique = (): string => `8${randomBytes(4).readUInt32BE()}.${randomBytes(4).readUInt32BE()}`;
const SHELL = { argv: ['/usr/bin/env', 'PS1=# ', '/bin/bash', '--norc', '--noprofile', '-i'] } as const;

describe('the end of a session', () => {
  test.each([
    ['a program in front', (n: string) => `sleep ${n}`],
    ['a job in the background', (n: string) => `sleep ${n} & echo up`],
    ['nohup', (n: string) => `nohup sleep ${n} >/dev/null 2>&1 & echo up`],
    ['a session of its own', (n: string) => `setsid -f sleep ${n}; echo up`],
    ['a stopped job', (n: string) => `sleep ${n} & sleep 0.3; kill -s STOP $!; echo up`],
    ['a loop that ignores signals', (n: string) => `(trap '' INT TERM HUP; while :; do sleep ${n}; done) & echo up`],
    ['a full-screen program', (n: string) => `sleep ${n} & vim -u NONE`],
  ])('takes %s with it, and proves it [G10]', async (_what, text) => {
    const seconds = unique();
    const shell = await openTerminal(web, SHELL);
    await shell.send({ text: text(seconds), keys: ['enter'] });
    while ((await processesWith(`sleep ${seconds}`)).length === 0) await shell.terminal.look();
    const report = await shell.end();
    expect(report).toMatchObject({ outcome: 'confirmed', remaining: [] });
    expect(await processesWith(`sleep ${seconds}`)).toEqual([]);
    expect(await shell.terminal.command.ended).toEqual({ how: 'cancelled', stop: report });
    expect(await lifeOf(shell.permit)).toMatchObject({ how: 'cancelled', stop: { outcome: 'confirmed' } });
    await expect(shell.send({ text: 'x' })).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });

  test('takes what a shell that has exited left behind', async () => {
    const seconds = unique();
    const shell = await openTerminal(web, SHELL);
    await shell.send({ text: `nohup sleep ${seconds} >/dev/null 2>&1 & disown; exit 3`, keys: ['enter'] });
    expect(await shell.terminal.command.ended).toEqual({ how: 'exited', code: 3 });
    expect(await processesWith(`sleep ${seconds}`)).toHaveLength(1);
    expect(await shell.end()).toMatchObject({ outcome: 'confirmed', remaining: [] });
    expect(await processesWith(`sleep ${seconds}`)).toEqual([]);
  });

  test('of a program that is over has nothing left to end', async () => {
    const one = await openTerminal(web, { argv: ['true'] });
    await one.terminal.command.ended;
    expect(await one.end()).toEqual({ outcome: 'already_ended', signals: [], remaining: [] });
  });

  test('comes when it is no longer allowed, and can still be read', async () => {
    const seconds = unique();
    const revocation = new AbortController();
    const permit = <A extends Action>(action: A, grant = 'local') =>
      mint({ id: 'call_1', grant, tool: 'test', input: {}, action, at: 0 }, {}, revocation.signal);
    const one = await openTerminal(web, `echo up; sleep ${seconds}`, { permit });
    revocation.abort();
    expect((await one.terminal.command.ended).how).toBe('revoked');
    await noneLeft(`sleep ${seconds}`);
    expect(await one.terminal.look()).toEqual({ state: 'ended', foreground: [], busy: false });
    const look: Observe = { kind: 'observe', what: 'session', id: one.terminal.id };
    expect(web.fleet.session(web.permit(look))).toBe(one.terminal);
    await one.end();
  });

  test('comes by the shortest time-out that a rule sets', async () => {
    const action: Open = {
      ...{ kind: 'open', mode: 'program', target: web.target, size: { cols: 80, rows: 24 } },
      ...{ program: { argv: ['cat'] }, asked: { argv: ['cat'] } },
    };
    const permit = web.permit(action, 'local', { timeoutMs: 300 });
    const { id } = await web.fleet.open(permit);
    expect(await lifeOf(permit)).toMatchObject({ how: 'timed_out', stop: { outcome: 'confirmed' } });
    await web.fleet.end(web.permit({ kind: 'stop', what: 'session', id }));
  });

  test('is lost when the connection is, and says so', async () => {
    await using own = await startSshd();
    using fleet = testFleet(await own.host(), own);
    const one = await openTerminal(fleet, { argv: ['cat'] });
    await own.killConnections();
    expect((await one.terminal.command.ended).how).toBe('lost');
    expect((await one.terminal.look()).state).toBe('ended');
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });
});

describe('what a grant may have', () => {
  test('counts sessions of every kind, and no longer those that have ended', async () => {
    using fleet = testFleet(await sshd.host(), { ...sshd, caps: { sessionsPerGrant: 2 } });
    const shell = await fleet.open();
    const one = await openTerminal(fleet, { argv: ['cat'] });
    await expect(openTerminal(fleet, { argv: ['cat'] })).rejects.toMatchObject({ code: 'BUSY' });
    await expect(fleet.open()).rejects.toMatchObject({ code: 'BUSY' });
    await one.send({ keys: ['ctrl-d'] });
    await one.terminal.command.ended;
    const other = await openTerminal(fleet, { argv: ['cat'] });
    await Promise.all([shell.end(), one.end(), other.end()]);
  });

  test('is its own: to another grant the handle is unknown', async () => {
    const one = await openTerminal(web, { argv: ['cat'] });
    const look: Observe = { kind: 'observe', what: 'session', id: one.terminal.id };
    expect(() => web.fleet.session(web.permit(look, 'other'))).toThrow('There is no session');
    expect(web.fleet.directory.terminal('other', one.terminal.id)).toBeUndefined();
    expect(web.fleet.directory.hostOf('local', look)).toBe('web');
    await one.end();
  });

  test('is ended when nothing is done with it for long', async () => {
    const timers: { readonly ms: number; readonly run: () => void }[] = [];
    const after: After = (ms, run) => {
      const callOff = setTimeout(run, Math.min(ms, 30_000));
      timers.push({ ms, run });
      return () => clearTimeout(callOff);
    };
    using fleet = testFleet(await sshd.host(), { ...sshd, after, caps: { sessionIdleMs: 1_234_567 } });
    const seconds = unique();
    const one = await openTerminal(fleet, `echo up; sleep ${seconds}`);
    timers.findLast(({ ms }) => ms === 1_234_567)?.run();
    expect((await one.terminal.command.ended).how).toBe('cancelled');
    expect(await processesWith(`sleep ${seconds}`)).toEqual([]);
    expect(fleet.fleet.directory.terminal('local', one.terminal.id)).toBeUndefined();
  });

  test('is refused where the host gives no terminal, and the connection goes on', async () => {
    await using own = await startSshd({ config: ['PermitTTY no'] });
    using fleet = testFleet(await own.host(), own);
    await expect(openTerminal(fleet)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('terminal'),
    });
    expect((await fleet.run('echo still')).stdout).toBe('still\n');
    await own.caughtUp();
    expect(own.counts().logins).toBe(1);
  });

  test('is not begun when every lane is taken', async () => {
    using fleet = testFleet(await sshd.host(), sshd);
    const busy = await Promise.all(Array.from({ length: 5 }, () => openTerminal(fleet, { argv: ['cat'] })));
    await expect(openTerminal(fleet, { argv: ['cat'] })).rejects.toMatchObject({ code: 'BUSY' });
    await Promise.all(busy.map(one => one.end()));
  });
});
