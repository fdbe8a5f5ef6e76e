import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Stop } from '../../../src/call.ts';
import { mint } from '../../../src/gate/permit.ts';
import type { Command } from '../../../src/ssh/fleet.ts';
import { commandResult, commandText, standing } from '../../../src/tools/command-result.ts';
import { lifeOf, look, ranOf, runOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';

let sshd: Sshd;
let web: TestFleet;
let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(() => temp.remove());
beforeEach(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
  return async () => {
    web[Symbol.dispose]();
    await sshd.close();
  };
});

const TAKEN_BACK = { outcome: 'confirmed', signals: [], remaining: [] };

/** Takes every lane of the host, after `before` sessions of it; the question for the login shell is one. */
const busy = async (grant = 'local', before = 1): Promise<readonly Command[]> => {
  const started = await Promise.all([1, 2, 3, 4, 5].map(() => web.start('echo up; exec sleep 8.76543', {}, grant)));
  await Promise.all(started.map(({ command }) => command.stdout.grown(0)));
  await sshd.waitForLog(/Starting session: /, before + 5);
  return started.map(({ command }) => command);
};
const free = async (holders: readonly Command[], grant = 'local'): Promise<void> => {
  for (const holder of holders) expect((await web.cancel(holder, grant)).outcome).toBe('confirmed');
};
const status = (grant = 'local') => web.fleet.status(web.permit({ kind: 'observe', what: 'status' }, grant));
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('a command that no lane is free for', () => {
  test('is handed over at once, marked, listed and described, and begins by itself', async () => {
    const holders = await busy();
    const { command } = await web.start('echo at last');
    expect(command.state()).toEqual({ end: undefined, durationMs: expect.any(Number), queued: 5 });
    expect((await status()).commands.find(({ command_id }) => command_id === command.id)).toEqual({
      command_id: command.id,
      host: 'web',
      status: 'running',
      duration_ms: expect.any(Number),
      queued: 5,
    });
    const result = commandResult(command);
    expect(result).toMatchObject({ status: 'running', queued: 5, stdout: '' });
    expect(commandText(result)).toContain('Nothing was sent yet: it waits for a free lane, because 5 channels to web');
    expect(await web.fleet.command(web.permit(look(command.id)))).toBe(command);
    await free(holders.slice(0, 1));
    expect(await ranOf(command)).toEqual({ end: { how: 'exited', code: 0 }, stdout: 'at last\n', stderr: '' });
    expect(command.state().queued).toBeUndefined();
    await free(holders.slice(1));
  });

  test('is taken back by cancelling it: nothing was sent, and nothing runs later', async () => {
    const holders = await busy();
    await sshd.caughtUp();
    const sent = sshd.counts().sessions;
    const ran = `${temp.path}/cancelled`;
    const { command, permit } = await web.start(`touch ${ran}`);
    expect(await web.cancel(command)).toEqual(TAKEN_BACK);
    expect(await command.ended).toEqual({ how: 'cancelled', stop: TAKEN_BACK, unsent: true });
    expect(await lifeOf(permit)).toMatchObject({ how: 'cancelled', stop: TAKEN_BACK });
    expect(commandText(commandResult(command))).toMatch(/^cancelled on web after .*; taken back, nothing was sent$/);
    await sshd.caughtUp();
    expect(sshd.counts().sessions).toBe(sent);
    expect((await web.cancel(command)).outcome).toBe('already_ended');
    await free(holders);
    await web.run('true');
    expect(await isThere(ran)).toBe(false);
  });

  test('ends with the failure that kept it from being sent, and whoever asks hears it', async () => {
    await using other = await startSshd();
    using fleet = testFleet(await other.host(), other);
    await Promise.all([1, 2, 3, 4, 5].map(() => fleet.start('exec sleep 8.7')));
    const { command, permit } = await fleet.start('true');
    const { port } = other;
    await other.close();
    expect(await command.ended).toMatchObject({ how: 'lost', unsent: true, why: { code: 'UNREACHABLE' } });
    expect(await lifeOf(permit)).toMatchObject({ how: 'failed', code: 'UNREACHABLE' });
    expect(() => commandResult(command)).toThrow(`web (127.0.0.1:${port}) `);
    expect(standing(command)).toEqual({ status: 'lost', unsent: true });
    const { commands } = await fleet.fleet.status(fleet.permit({ kind: 'observe', what: 'status' }));
    expect(commands.at(-1)).toMatchObject({ command_id: command.id, status: 'lost', unsent: 'UNREACHABLE' });
    expect((await fleet.cancel(command)).outcome).toBe('already_ended');
  });

  test('that is revoked is never sent', async () => {
    const holders = await busy();
    await sshd.caughtUp();
    const sent = sshd.counts().sessions;
    const revocation = new AbortController();
    const call = { id: 'call_1', grant: 'local', tool: 'test', input: {}, action: runOf(web.target, 'true'), at: 0 };
    const permit = mint(call, {}, revocation.signal);
    const command = await web.fleet.run(permit);
    revocation.abort();
    expect(await command.ended).toEqual({ how: 'revoked', stop: TAKEN_BACK, unsent: true });
    expect(await lifeOf(permit)).toMatchObject({ how: 'revoked', stop: TAKEN_BACK });
    expect(() => commandResult(command)).toThrow('It was revoked before anything was sent.');
    await sshd.caughtUp();
    expect(sshd.counts().sessions).toBe(sent);
    await free(holders);
  });

  test('waits as long for lanes that a narrow host refuses, and says so', async () => {
    await using narrow = await startSshd({ maxSessions: 2 });
    using fleet = testFleet(await narrow.host(), narrow);
    await Promise.all([fleet.start('exec sleep 1.71'), fleet.start('exec sleep 1.71')]);
    const { command } = await fleet.start('echo at last');
    expect(command.state().queued).toBeGreaterThan(0);
    expect((await ranOf(command)).stdout).toBe('at last\n');
  });

  test('that fails before it has to wait fails its call, and leaves no handle', async () => {
    const refused = createServer(socket => socket.destroy());
    await new Promise<void>(resolve => refused.listen(0, '127.0.0.1', resolve));
    const address = refused.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    using fleet = testFleet(await sshd.host({ port, keyAlias: `[127.0.0.1]:${sshd.port}` }), sshd);
    await expect(fleet.start('true')).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect((await fleet.fleet.status(fleet.permit({ kind: 'observe', what: 'status' }))).commands).toEqual([]);
    refused.close();
  });
});

describe('ending a session', () => {
  test('takes back a line that waits for a lane', async () => {
    const shell = await web.open();
    const holders = await busy('other', 2);
    await sshd.caughtUp();
    const sent = sshd.counts().sessions;
    const ran = `${temp.path}/line`;
    const line = await shell.begin(`touch ${ran}`);
    expect(await shell.end()).toEqual(TAKEN_BACK);
    expect(line.kind === 'command' ? await line.command.ended : line).toMatchObject({ how: 'cancelled', unsent: true });
    await sshd.caughtUp();
    expect(sshd.counts().sessions).toBe(sent);
    await free(holders, 'other');
    await web.run('true');
    expect(await isThere(ran)).toBe(false);
  });

  test.each(['cd /usr', 'true'])('takes back a line that is just being started: %s', async text => {
    const shell = await web.open();
    const holders = await busy('other', 2);
    await sshd.caughtUp();
    const sent = sshd.counts().sessions;
    const sending = shell.send(text).then(
      ({ code }) => code,
      (error: unknown) => error,
    );
    expect(await shell.end()).toEqual(TAKEN_BACK);
    expect(await sending).toEqual(expect.toSatisfy(isTakenBack));
    await sshd.caughtUp();
    expect(sshd.counts().sessions).toBe(sent);
    await free(holders, 'other');
  });

  test('stops a line that the host was just asked to run', async () => {
    const shell = await web.open();
    const sending = shell.send('exec sleep 8.72').catch((error: unknown) => error);
    expect((await shell.end()).outcome).toBe('confirmed');
    await sending;
    await untilTrue(async () => (await status()).connections.every(({ channels }) => channels === 0));
  });
});

describe('disconnecting', () => {
  test('stops what runs and takes back what waits, and names each', async () => {
    const holders = await busy();
    const ran = `${temp.path}/queued`;
    const waiting = await Promise.all([1, 2, 3].map(at => web.start(`touch ${ran}${at}`)));
    const shell = waiting.map(({ command }) => command);
    const stop: Stop = { kind: 'stop', what: 'connection', target: web.target };
    const { stopped } = await web.fleet.disconnect(web.permit(stop));
    expect(stopped).toEqual([
      ...holders.map(({ id }) => ({ command_id: id, outcome: 'confirmed', signals: ['INT'], remaining: [] })),
      ...shell.map(({ id }) => ({ command_id: id, ...TAKEN_BACK })),
    ]);
    expect(await Promise.all([1, 2, 3].map(at => isThere(`${ran}${at}`)))).toEqual([false, false, false]);
    expect((await status()).connections).toEqual([{ host: 'web', state: 'closed', channels: 0, leased: false }]);
  });

  test('takes back what waits for the connection itself', async () => {
    const starting = web.start(`touch ${temp.path}/dialling`).catch((error: unknown) => error);
    const stop: Stop = { kind: 'stop', what: 'connection', target: web.target };
    const { stopped } = await web.fleet.disconnect(web.permit(stop));
    expect(stopped).toEqual([{ command_id: expect.stringMatching(/^cmd_/), ...TAKEN_BACK }]);
    expect(await starting).toMatchObject({ code: 'CANCELLED' });
    expect(await isThere(`${temp.path}/dialling`)).toBe(false);
  });

  test('leaves alone what another grant waits for', async () => {
    const holders = await busy();
    const { command: theirs } = await web.start('echo theirs', {}, 'other');
    const stop: Stop = { kind: 'stop', what: 'connection', target: web.target };
    const { stopped } = await web.fleet.disconnect(web.permit(stop));
    expect(stopped.map(({ command_id }) => command_id)).toEqual(holders.map(({ id }) => id));
    expect((await ranOf(theirs)).stdout).toBe('theirs\n');
  });
});

/** A line that was not sent: the call failed so, or its command ended so. */
const isTakenBack = (outcome: unknown): boolean =>
  outcome === 'cancelled' ||
  (typeof outcome === 'object' && outcome !== null && 'code' in outcome && outcome.code === 'CANCELLED');
