import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/ssh/fleet.ts';
import { lifeOf, ranOf, runOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';

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

const exited = (code: number) => ({ how: 'exited', code });

describe('the end of a command', () => {
  test.each([
    ['true', exited(0)],
    ['exit 3', exited(3)],
    ['exit 255', exited(255)],
    ['exit 256', exited(0)],
    ['no-such-program-here', exited(127)],
    ['kill -s TERM $$', { how: 'signalled', signal: 'SIGTERM' }],
    ['kill -s KILL $$', { how: 'signalled', signal: 'SIGKILL' }],
    ["echo 'unfinished", { how: 'exited', code: expect.toSatisfy(code => code === 1 || code === 2) }],
    ['-x', exited(127)],
    ['exec >&- 2>&-; sleep 0.05; exit 6', exited(6)],
  ])('%s', async (text, end) => {
    expect((await web.run(text)).end).toEqual(end);
  });

  test('is lost when the connection dies, and says what to do [G9]', async () => {
    await using other = await startSshd();
    using fleet = testFleet(await other.host(), other);
    const { command, permit } = await fleet.start('echo begun; exec sleep 987');
    await command.stdout.grown(0);
    await other.killConnections();
    const end = await command.ended;
    expect(end).toMatchObject({ how: 'lost', why: { code: 'CONNECTION_LOST' } });
    expect(await lifeOf(permit)).toMatchObject({ how: 'lost', code: 'CONNECTION_LOST', stdout: { bytes: 6 } });
    expect(command.stdout.read(0, 100).text).toBe('begun\n');
    // What may still run there can be stopped all the same, over a new connection.
    expect(await fleet.cancel(command)).toEqual({ outcome: 'confirmed', signals: ['INT'], remaining: [] });
    expect((await command.ended).how).toBe('lost');
  });

  test('outlives its call as a record of size and hash', async () => {
    const { command, permit } = await web.start('printf out; printf error >&2; exit 4');
    await command.ended;
    expect(await lifeOf(permit)).toEqual({
      how: 'exited',
      code: 4,
      duration_ms: Math.round(command.state().durationMs),
      stdout: { bytes: 3, sha256: sha256('out') },
      stderr: { bytes: 5, sha256: sha256('error') },
    });
  });

  test('comes when the program ends, though something that it left behind holds its output', async () => {
    const began = performance.now();
    const { command } = await web.start('sleep 7.77 & echo started');
    const { end, stdout } = await ranOf(command);
    expect(end).toEqual({ how: 'exited', code: 0, outputHeld: true });
    expect(stdout).toBe('started\n');
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await web.cancel(command)).toEqual({ outcome: 'confirmed', signals: ['INT', 'TERM'], remaining: [] });
    expect(await command.ended).toEqual({ how: 'exited', code: 0, outputHeld: true });
  });

  test('leaves alive what it left behind, and keeps nothing of what that writes', async () => {
    await using temp = await tempFolder();
    const done = `${temp.path}/done`;
    const { command } = await web.start(
      `(sleep 0.6; echo late; echo later; sleep 0.1; echo last; echo yes > ${done}) & echo up`,
    );
    expect(await ranOf(command)).toMatchObject({ end: { outputHeld: true }, stdout: 'up\n' });
    expect(command.state().leavings).toEqual({ open: true, discarded: 0 });
    expect(await commandOf(command)).toMatchObject({ status: 'exited', output_held: true });
    await untilTrue(() => command.state().leavings?.open === false);
    expect(await readFile(done, 'utf8')).toBe('yes\n');
    expect(command.state().leavings).toEqual({ open: false, discarded: 16 });
    expect(command.stdout.read(0, 100).text).toBe('up\n');
    expect(await commandOf(command)).toEqual(undefined);
  });

  test('closes the output of what it left behind when its time-out has passed', async () => {
    const { command } = await web.start('sleep 9.87 & echo up', { timeoutMs: 900 });
    expect(await command.ended).toEqual({ how: 'exited', code: 0, outputHeld: true });
    await untilTrue(() => command.state().leavings?.open === false);
    expect(await command.ended).toEqual({ how: 'exited', code: 0, outputHeld: true });
    expect((await web.cancel(command)).outcome).toBe('confirmed');
  });

  test('is plain when what is left behind holds nothing', async () => {
    expect((await web.run('sleep 0.4 >/dev/null 2>&1 & echo started')).end).toEqual(exited(0));
  });

  test('waits for output that is slower than the program', async () => {
    const { end, stdout } = await web.run('{ sleep 0.05; echo late; sleep 0.05; echo later; } &');
    expect([end, stdout]).toEqual([exited(0), 'late\nlater\n']);
  });
});

describe('what a command says', () => {
  test('both streams come whole, five megabytes of each', async () => {
    const { command } = await web.start(
      `i=0; while [ $i -lt 5 ]; do head -c 1000000 /dev/zero | tr '\\0' o; head -c 1000000 /dev/zero | tr '\\0' e >&2; i=$((i+1)); done`,
    );
    expect(await command.ended).toEqual(exited(0));
    expect(command.stdout.received()).toEqual({ bytes: 5_000_000, sha256: sha256('o'.repeat(5_000_000)) });
    expect(command.stderr.received()).toEqual({ bytes: 5_000_000, sha256: sha256('e'.repeat(5_000_000)) });
    expect(command.stdout.length).toBe(5_000_000);
  });

  test('characters that are cut between chunks are whole', async () => {
    const { stdout } = await web.run(
      `for byte in 320 237 321 200 360 237 230 200 342 202 254; do printf "\\\\$byte"; sleep 0.01; done`,
    );
    expect(stdout).toBe('Пр😀€');
  });

  test('a million characters of three bytes arrive without one replacement', async () => {
    const { command } = await web.start("yes '€€€€€€€€€€' | head -n 30000");
    await command.ended;
    let cursor = 0;
    let text = '';
    for (;;) {
      const piece = command.stdout.read(cursor, 100_000);
      text += piece.text;
      cursor = piece.next;
      if (!piece.more) break;
    }
    expect(text).toBe('€€€€€€€€€€\n'.repeat(30_000));
  });

  test('escape sequences do not get through', async () => {
    const { stdout, stderr } = await web.run(`printf '\\033[31mred\\033[0m\\r\\n'; printf '\\033]0;title\\007x' >&2`);
    expect([stdout, stderr]).toEqual(['red\n', 'x']);
  });

  test('endless output is kept in bounded memory, with its beginning and its latest', async () => {
    const { command } = await web.start('echo first; exec yes');
    while (command.stdout.received().bytes < 20_000_000) await command.stdout.grown(command.stdout.length);
    const first = command.stdout.read(0, 10);
    const last = command.stdout.read(first.next + 1_000_000, 2_000_000);
    expect(first.text).toBe('first\ny\ny\n');
    expect(last.next - last.from).toBeLessThanOrEqual(1_048_576);
    expect((await web.cancel(command)).outcome).toBe('confirmed');
    expect(command.stdout.received().bytes).toBeGreaterThan(20_000_000);
  });

  test('a hand-over loses nothing: cursors go on where they stopped', async () => {
    const { command } = await web.start('i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); done');
    let text = '';
    let cursor = 0;
    while (command.state().end === undefined || cursor < command.stdout.length) {
      await Promise.race([command.stdout.grown(cursor), command.ended]);
      const piece = command.stdout.read(cursor, 37);
      expect([piece.from, piece.dropped]).toEqual([cursor, 0]);
      text += piece.text;
      cursor = piece.next;
    }
    expect(text).toBe(Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join(''));
  });
});

describe('what a command is given', () => {
  test('no stdin: it is closed at once', async () => {
    expect(await web.run('cat; echo over')).toEqual({ end: exited(0), stdout: 'over\n', stderr: '' });
  });

  test('its stdin, larger than the window', async () => {
    const stdin = 'я'.repeat(2_000_000);
    const { stdout } = await web.run('sha256sum', { stdin });
    expect(stdout).toBe(`${sha256(stdin)}  -\n`);
  });

  test('a program that stops reading its stdin does no harm', async () => {
    const { end, stdout } = await web.run('head -c 3', { stdin: 'abc'.repeat(2_000_000) });
    expect([end, stdout]).toEqual([exited(0), 'abc']);
    const quick = await web.run('exit 5', { stdin: 'x'.repeat(4_000_000) });
    expect(quick.end).toEqual(exited(5));
  });

  test('a directory, an environment, and words exactly as they are', async () => {
    const hostile = [
      'a;b',
      '$(id)',
      '`id`',
      "it's",
      '"',
      '\\',
      '!',
      'line\nfeed',
      '*',
      '~',
      '',
      '-n',
      'я🌍',
      '\t',
      '%s',
    ];
    const env = { PLAIN: '1', HOSTILE: hostile.join('|'), EMPTY: '' };
    const ran = await web.run({ argv: ['/usr/bin/printf', '<%s>', ...hostile] }, { cwd: '/usr', env });
    expect(ran.stdout).toBe(hostile.map(word => `<${word}>`).join(''));
    const seen = await web.run('pwd; printf "%s/%s/%s" "$PLAIN" "$HOSTILE" "$EMPTY"', { cwd: '/usr', env });
    expect(seen.stdout).toBe(`/usr\n1/${hostile.join('|')}/`);
  });

  test('a text of many lines means what it means to the login shell', async () => {
    const text = 'cat <<END\nhere $((1+1))\nEND\nfor i in a b; do\n  echo "$i"\ndone # the end';
    expect((await web.run(text)).stdout).toBe('here 2\na\nb\n');
  });

  test('a directory that is not there: it runs nothing and exits 125', async () => {
    const ran = await web.run('echo ran', { cwd: '/no/such/place' });
    expect(ran).toEqual({ end: exited(125), stdout: '', stderr: expect.stringContaining('/no/such/place') });
  });

  test('a command that nobody can send is refused in words', async () => {
    await expect(web.run('x'.repeat(130_000))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(web.run('a\0b')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('time', () => {
  test('a command that takes too long is stopped, and says what was proved', async () => {
    const { command, permit } = await web.start('sleep 876', { timeoutMs: 400 });
    const stop = { outcome: 'confirmed', signals: ['INT'], remaining: [] };
    expect(await command.ended).toEqual({ how: 'timed_out', stop });
    expect(await lifeOf(permit)).toMatchObject({ how: 'timed_out', stop });
  });

  test('an obligation shortens the time', async () => {
    const permit = web.permit(runOf(web.target, 'sleep 875', { timeoutMs: 60_000 }), 'local', { timeoutMs: 400 });
    const command = await web.fleet.run(permit);
    expect((await command.ended).how).toBe('timed_out');
  });

  test('a command that gets no lane in its time was never sent', async () => {
    const holders = await Promise.all(Array.from({ length: 5 }, async () => (await web.start('sleep 874')).command));
    await sshd.caughtUp();
    const before = sshd.counts().sessions;
    const { command: late, permit } = await web.start('true', { timeoutMs: 50 });
    expect(await late.ended).toMatchObject({ how: 'lost', unsent: true, why: { code: 'BUSY' } });
    expect(await lifeOf(permit)).toMatchObject({ how: 'failed', code: 'BUSY' });
    const abort = new AbortController();
    const waiting = await web.fleet.run(web.permit(runOf(web.target, 'true')), abort.signal);
    abort.abort();
    expect(await waiting.ended).toMatchObject({ how: 'cancelled', unsent: true });
    await sshd.caughtUp();
    expect(sshd.counts().sessions).toBe(before);
    for (const holder of holders) expect((await web.cancel(holder)).outcome).toBe('confirmed');
  });
});

/** Its line in the status, as long as something of it is open. */
const commandOf = async ({ id }: Command) =>
  (await web.fleet.status(web.permit({ kind: 'observe', what: 'status' }))).commands.find(
    one => one.command_id === id && one.output_held === true,
  );

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
