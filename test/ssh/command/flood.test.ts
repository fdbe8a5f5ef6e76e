import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/ssh/fleet.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { ranOf, runOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { noneLeft } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

let sshd: Sshd;
let web: TestFleet;
beforeAll(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
  await web.run('true');
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
});

const limited = async (text: string, maxOutputBytes: number, fleet = web): Promise<Command> =>
  await fleet.fleet.run(fleet.permit(runOf(fleet.target, text), 'local', { maxOutputBytes }));

const confirmed = { how: 'cancelled', stop: { outcome: 'confirmed', signals: ['INT'], remaining: [] } };
const MB = 1_000_000;

describe('a limit of the output', () => {
  test.each<[string, string, string[]?]>([
    ['a flood', 'yes 53.1'],
    ['a flood on stderr', 'yes 53.2 >&2'],
    ['an endless line', 'exec tr "\\\\0" x < /dev/zero'],
    ['binary data', 'exec cat /dev/urandom'],
    ['a flood of a background job', 'yes 53.3 & wait', ['INT', 'TERM']],
  ])('stops %s, proves it, and says so', async (_what, text, signals = ['INT']) => {
    const command = await limited(text, 100_000);
    expect(await command.ended).toEqual({ how: 'cancelled', stop: { outcome: 'confirmed', signals, remaining: [] } });
    const { outputLimit } = command.state();
    expect(outputLimit).toEqual({ maxBytes: 100_000, discarded: expect.any(Number) });
    expect(outputLimit?.discarded).toBeGreaterThan(0);
    expect(command.stdout.received().bytes + command.stderr.received().bytes).toBe(100_000);
  });

  test('stops a command that goes on quietly once it has passed it', async () => {
    const command = await limited('printf 12345; exec sleep 5.4321', 4);
    expect(await command.ended).toEqual(confirmed);
    expect(command.stdout.read(0, 100).text).toBe('1234');
    await noneLeft('sleep 5.4321');
  });

  test('counts both streams together', async () => {
    const command = await limited('printf 123; printf 456 >&2; sleep 0.05; printf 7; exec sleep 5.4322', 6);
    expect(await command.ended).toEqual(confirmed);
    expect([command.stdout.read(0, 9).text, command.stderr.read(0, 9).text]).toEqual(['123', '456']);
  });

  test('that is just met stops nothing', async () => {
    const command = await limited('printf 12345; sleep 0.05; exit 3', 5);
    expect(await command.ended).toEqual({ how: 'exited', code: 3 });
    expect(command.state().outputLimit).toBeUndefined();
  });

  test('passed by a last word leaves the end as it was, and is told all the same', async () => {
    const command = await limited('printf 123456; exit 3', 5);
    const end = await command.ended;
    expect(end).toSatisfy(({ how }) => how === 'exited' || how === 'cancelled');
    expect(command.state().outputLimit).toEqual({ maxBytes: 5, discarded: 1 });
  });

  test('of the house holds without any rule', async () => {
    using small = testFleet(await sshd.host(), { ...sshd, caps: { maxOutputBytes: 50_000 } });
    const { command } = await small.start('yes 53.4');
    expect(await command.ended).toEqual(confirmed);
    expect(command.state().outputLimit?.maxBytes).toBe(50_000);
  });

  test('does not keep a session from its own steps', async () => {
    const permit = web.permit({ kind: 'open', mode: 'managed', target: web.target }, 'local', { maxOutputBytes: 1 });
    const session = await web.fleet.open(permit);
    expect(session.host).toBe('web');
  });
});

describe('whatever is sent', () => {
  test.each([
    ['lines', 'yes "a line of a log" | head -c 200000000', 200],
    ['lines on stderr', 'yes "a line of a log" | head -c 200000000 >&2', 200],
    ['one endless line', 'head -c 200000000 /dev/zero | tr "\\\\0" x', 200],
    ['an escape sequence without end', 'printf "\\\\033]0;"; head -c 50000000 /dev/zero | tr "\\\\0" x', 50],
    ['zeros', 'head -c 30000000 /dev/zero', 30],
  ])('memory is bounded: %s', async (_what, text, size) => {
    const { command } = await web.start(text);
    let most = 0;
    const stream = text.endsWith('>&2') ? command.stderr : command.stdout;
    const begun = process.memoryUsage().rss;
    for (let seen = 0; command.state().end === undefined; seen = stream.length) {
      await stream.grown(seen);
      most = Math.max(most, process.memoryUsage().rss - begun);
    }
    expect(await command.ended).toEqual({ how: 'exited', code: 0 });
    expect(stream.received().bytes).toBeGreaterThanOrEqual(size * MB);
    expect(most).toBeLessThan(100 * MB);
  });

  test('what is binary is told with the hash of all of it', async () => {
    const { command } = await web.start('head -c 100000 /dev/zero; echo text >&2');
    await command.ended;
    expect([command.stdout.binary, command.stderr.binary]).toEqual([true, false]);
    expect(command.stdout.received()).toEqual({
      bytes: 100_000,
      sha256: createHash('sha256').update(Buffer.alloc(100_000)).digest('hex'),
    });
  });

  test('both streams can be read in the order in which they arrived', async () => {
    const { command } = await web.start('for n in 1 2 3; do echo out$n; sleep 0.05; echo err$n >&2; sleep 0.05; done');
    await command.ended;
    expect(command.both.read(0, 1000).text).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3\n');
  });
});

test('a secret that a host was opened with is in no output, in whatever way a program writes it', async () => {
  const { path, passphrase = '' } = await sshd.userKey('ed25519-locked');
  const secret = new Secret({ env: 'PASS' }, async () => passphrase);
  using fleet = testFleet(await sshd.host({ auth: [{ kind: 'key', path, passphrase: secret }] }), sshd);
  const { command } = await fleet.start(
    'printf "plain %s\\nbase64 " "$P"; printf "user:%s:etc" "$P" | base64 -w 12; ' +
      'printf "hex "; printf %s "$P" | od -An -v -tx1 | tr -d " \\n"; printf "\\nslow "; ' +
      'rest=$P; while [ -n "$rest" ]; do printf %.1s "$rest"; rest=${rest#?}; sleep 0.01; done; echo; printf %s "$P" >&2',
    { env: { P: passphrase } },
  );
  const { stdout, stderr } = await ranOf(command);
  expect(passphrase.length).toBeGreaterThan(5);
  expect(stdout).toMatch(
    /^plain \[redacted\]\nbase64 [\w\n]*\[redacted\][\w=\n]*\nhex \[redacted\]\nslow \[redacted\]\n$/,
  );
  expect(stderr).toBe('[redacted]');
  expect(command.both.read(0, 1000).text).toBe(stdout + stderr);
  expect(command.stdout.received()).toEqual({ bytes: expect.any(Number), redacted: 4 });
});
