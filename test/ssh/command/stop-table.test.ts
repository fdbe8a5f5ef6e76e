import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ground, layGround } from '../../campaign/ground.ts';
import { stageOn, stopBatch, untilUp, WAYS } from '../../campaign/stops.ts';
import { batchesOf, covering } from '../../campaign/table.ts';
import { clear, processesIn } from '../../campaign/trace.ts';
import { HIDDEN, TITLED, TREES } from '../../campaign/trees.ts';
import { testFleet } from '../../support/fleet.ts';
import { mayChooseAccount, startSshd } from '../../support/sshd.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
});
afterAll(() => ground[Symbol.asyncDispose]());

const CASES = covering(mayChooseAccount() ? ['own', 'ordinary'] : ['own']);

test('every tree meets every way to stop it, and each of them both looks, with a terminal and without', () => {
  const met = (key: (one: (typeof CASES)[number]) => string): number => new Set(CASES.map(key)).size;
  expect([
    met(({ tree, way }) => `${tree.what} ${way}`),
    met(({ tree, terminal }) => `${tree.what} ${terminal}`),
    met(({ tree, warden }) => `${tree.what} ${warden}`),
    met(({ way, login, terminal, warden }) => `${way} ${login} ${terminal} ${warden}`),
  ]).toEqual([
    TREES.length * WAYS.length,
    TREES.length * 2,
    TREES.length * 2,
    WAYS.length * 4 * new Set(CASES.map(({ login }) => login)).size,
  ]);
});

describe.concurrent('stopped', () => {
  test.each(
    batchesOf(CASES).map((batch, at) => ({ batch, at, ...batch, eyes: batch.warden ? 'the warden' : 'a reaper' })),
  )(
    'by $way, with the $login login and $eyes, no tree leaves anything ($at) [G10]',
    { timeout: 60_000 },
    async ({ batch }) => {
      expect(await stopBatch(ground, batch)).toEqual([]);
    },
  );
});

describe('what hides', () => {
  test('by writing over its mark is never called stopped while it lives [G10] [N8]', async () => {
    using stage = stageOn(ground, { login: 'own', warden: false });
    const { path } = await ground.place();
    const { command } = await stage.web.start(`cd ${path}; ${TITLED}`);
    await untilUp(path);
    const report = await stage.web.cancel(command);
    const left = await processesIn(path);
    await clear(path);
    expect([report.outcome, report.outcome === 'confirmed' ? left : []]).toEqual([
      left.length === 0 ? report.outcome : 'unconfirmed',
      [],
    ]);
  });

  test('in an empty environment, a session of its own and behind two forks is not seen, as N8 says [N8]', async () => {
    using stage = stageOn(ground, { login: 'own', warden: true });
    const { path, seconds } = await ground.place();
    const { command } = await stage.web.start(`cd ${path}; ${HIDDEN(seconds)}`);
    await untilUp(path);
    expect(await stage.web.cancel(command)).toMatchObject({ outcome: 'confirmed', remaining: [] });
    expect(await processesIn(path)).toEqual([expect.stringMatching(/^\d+ sleep /)]);
    await clear(path);
  });
});

test('where the host allows one session alone, a stop is not confirmed before another connection can look', async () => {
  await using narrow = await startSshd({ maxSessions: 1 });
  using web = testFleet(await narrow.host(), narrow);
  const { path, seconds } = await ground.place();
  const { command } = await web.start(`cd ${path}; : >up; trap '' INT TERM; sleep ${seconds}; sleep ${seconds}`);
  await untilUp(path);
  expect(await web.cancel(command)).toMatchObject({ outcome: 'unconfirmed', remaining: [] });
  expect((await processesIn(path)).length).toBeGreaterThan(0);
  await web.fleet.disconnect(web.permit({ kind: 'stop', what: 'connection', target: web.target }));
  expect(await web.cancel(command)).toMatchObject({ outcome: 'confirmed', remaining: [] });
  expect(await processesIn(path)).toEqual([]);
});
