import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lifeOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { processesWith } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

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
const unique = (): string => `9${randomBytes(4).readUInt32BE()}.${randomBytes(4).readUInt32BE()}`;

/** Waits until the text shows that the tree stands. */
const started = async (text: string, trace = '') => {
  const { command, permit } = await web.start(text, { env: { TRACE: trace } });
  await command.stdout.grown(0);
  return { command, permit };
};

const TREES: readonly (readonly [what: string, tree: (seconds: string) => string, signals: readonly string[]])[] = [
  ['one program', n => `echo up; exec sleep ${n}`, ['INT']],
  ['a shell and its child', n => `echo up; sleep ${n}; echo never`, ['INT']],
  ['a pipeline', n => `echo up; sleep ${n} | cat | cat >&2`, ['INT']],
  ['a child in the background', n => `sleep ${n} & echo up; wait`, ['INT', 'TERM']],
  [
    'a child without our output, its parent gone',
    n => `(sleep ${n} >/dev/null 2>&1 &) ; echo up; sleep ${n}`,
    ['INT', 'TERM'],
  ],
  ['nohup', n => `nohup sleep ${n} >/dev/null 2>&1 & echo up; sleep ${n}`, ['INT', 'TERM']],
  ['a session of its own', n => `setsid sleep ${n} >/dev/null 2>&1 & echo up; wait; sleep ${n}`, ['INT', 'TERM']],
  [
    'a double fork into a session of its own',
    n => `(setsid sh -c 'sleep ${n} & sleep ${n} & wait' >/dev/null 2>&1 &); echo up; sleep ${n}`,
    ['INT', 'TERM'],
  ],
  ['job control', n => `bash -c 'set -m; sleep ${n} & sleep ${n} & echo up; wait'`, ['INT', 'TERM']],
  ['one that ignores INT', n => `trap '' INT; echo up; sleep ${n}; sleep ${n}`, ['INT', 'TERM']],
  [
    'one that ignores INT and TERM',
    n => `trap '' INT TERM; echo up; while :; do sleep ${n}; done`,
    ['INT', 'TERM', 'KILL'],
  ],
  ['one that is stopped', n => `sleep ${n} & kill -s STOP $!; echo up; wait`, ['INT', 'TERM', 'KILL']],
  ['a child with an empty environment', n => `env -i sleep ${n} & env -i sleep ${n} & echo up; wait`, ['INT', 'TERM']],
  [
    'a name made to look like a line of /proc',
    n => `bash -c 'printf "x\\n1 (y) S 1 1 1" >/proc/$$/comm; echo up; sleep ${n}; :'`,
    ['INT'],
  ],
];

describe('stopping', () => {
  test.each(TREES)('%s leaves nothing of it, and says so only then [G10]', async (_what, tree, signals) => {
    const seconds = unique();
    const { command, permit } = await started(tree(seconds), seconds);
    expect((await processesWith(seconds)).length).toBeGreaterThan(0);
    const report = await web.cancel(command);
    expect(await processesWith(seconds)).toEqual([]);
    expect(report).toEqual({
      outcome: 'confirmed',
      signals: expect.toSatisfy(sent => isWithin(sent, signals)),
      remaining: [],
    });
    expect(await command.ended).toEqual({ how: 'cancelled', stop: report });
    expect(await lifeOf(permit)).toMatchObject({ how: 'cancelled', stop: { outcome: 'confirmed' } });
    expect(await web.cancel(command)).toEqual({ outcome: 'already_ended', signals: [], remaining: [] });
  });

  test('a loop that forks without end', async () => {
    const seconds = unique();
    const { command } = await started(
      `echo up; while :; do sh -c 'sleep 0.05; exec sh -c "sleep ${seconds} & exit"' & sleep 0.02; done`,
      seconds,
    );
    expect((await web.cancel(command)).outcome).toBe('confirmed');
    expect(await processesWith(seconds)).toEqual([]);
  });

  test('a command that has not come further than its login shell', async () => {
    const seconds = unique();
    for (let round = 0; round < 10; round++) {
      const { command } = await web.start(`sleep ${seconds}`);
      expect(await web.cancel(command)).toMatchObject({ outcome: 'confirmed', remaining: [] });
      expect(await processesWith(seconds)).toEqual([]);
    }
  });

  test('two at once share one report, and the first cause is the one that counts', async () => {
    const { command } = await started(`echo up; sleep ${unique()}`);
    const [first, second] = await Promise.all([command.stop('revoked'), command.stop('cancelled')]);
    expect(second).toBe(first);
    expect(await command.ended).toEqual({ how: 'revoked', stop: first });
  });

  test('a command that ended by itself has already ended', async () => {
    const { command } = await web.start('true');
    await command.ended;
    expect(await web.cancel(command)).toEqual({ outcome: 'already_ended', signals: [], remaining: [] });
    expect(await command.ended).toEqual({ how: 'exited', code: 0 });
  });

  test('a bystander with the same program lives on', async () => {
    const seconds = unique();
    const { command: bystander } = await started(`echo up; sleep ${seconds}`);
    const { command } = await started(`echo up; sleep ${seconds}`);
    expect((await web.cancel(command)).outcome).toBe('confirmed');
    expect(await processesWith(seconds)).toEqual([expect.stringMatching(/^\d+ sleep /)]);
    expect(bystander.state().end).toBeUndefined();
    expect((await web.cancel(bystander)).outcome).toBe('confirmed');
  });

  test('works while every lane is taken', async () => {
    const commands = await Promise.all(
      Array.from({ length: 5 }, async () => (await started(`echo up; sleep ${unique()}`)).command),
    );
    const reports = await Promise.all(commands.map(command => web.cancel(command)));
    expect(reports.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'confirmed'));
  });

  test('output that came before the stop is there', async () => {
    const { command } = await started(`trap 'echo cleaned; exit 1' TERM INT; echo up; sleep ${unique()} & wait`);
    await web.cancel(command);
    expect(command.stdout.read(0, 100).text).toBe('up\ncleaned\n');
  });
});

/** Whether no more was needed than expected: a kernel may be kinder than the worst case. */
const isWithin = (sent: unknown, most: readonly string[]): boolean =>
  Array.isArray(sent) && sent.length > 0 && sent.every((signal, index) => signal === most[index]);
