import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Action } from '../../../src/call.ts';
import { mint, type Permit } from '../../../src/gate/permit.ts';
import { lifeOf, runOf, sendLine, testFleet } from '../../support/fleet.ts';
import { noneLeft } from '../../support/processes.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const permitting =
  (revocation: AbortController) =>
  <A extends Action>(action: A): Permit<A> =>
    mint({ id: 'call_1', grant: 'local', tool: 'test', input: {}, action, at: 0 }, {}, revocation.signal);

// One permit for each, all revoked by one signal, as one change of the policy does.
test('commands that are revoked together are stopped by one look at their host', async () => {
  using fleet = testFleet(await sshd.host(), { knownHosts: sshd.knownHosts });
  const revocation = new AbortController();
  const permit = permitting(revocation);
  const permits = [1, 2, 3, 4, 5].map(() => permit(runOf(fleet.target, 'echo up; exec sleep 934567')));
  const commands = await Promise.all(permits.map(one => fleet.fleet.run(one)));
  await Promise.all(commands.map(({ stdout }) => stdout.grown(0)));
  await sshd.caughtUp();
  const before = sshd.counts().sessions;
  revocation.abort();
  const ends = await Promise.all(commands.map(({ ended }) => ended));
  expect(ends.map(({ how }) => how)).toEqual(Array(5).fill('revoked'));
  expect(await Promise.all(permits.map(lifeOf))).toEqual(
    Array(5).fill(expect.objectContaining({ how: 'revoked', stop: expect.objectContaining({ outcome: 'confirmed' }) })),
  );
  await expect.poll(() => sshd.counts().sessions - before).toBe(1);
  await noneLeft('sleep 934567');
});

test('what was revoked before it was sent is never sent', async () => {
  using fleet = testFleet(await sshd.host(), { knownHosts: sshd.knownHosts });
  await fleet.run('true');
  await sshd.caughtUp();
  const before = sshd.counts().sessions;
  const revocation = new AbortController();
  const permit = permitting(revocation);
  revocation.abort();
  await expect(fleet.fleet.run(permit(runOf(fleet.target, 'true')))).rejects.toMatchObject({ code: 'CANCELLED' });
  const open = permit({ kind: 'open', mode: 'managed', target: fleet.target } as const);
  await expect(fleet.fleet.open(open)).rejects.toMatchObject({ code: 'CANCELLED' });
  await sshd.caughtUp();
  expect(sshd.counts().sessions).toBe(before);
});

test('a revoked session is over, with the line that runs in it', async () => {
  using fleet = testFleet(await sshd.host(), { knownHosts: sshd.knownHosts });
  const revocation = new AbortController();
  const permit = permitting(revocation)({ kind: 'open', mode: 'managed', target: fleet.target });
  const session = await fleet.fleet.open(permit);
  const { id, target, cwd, env } = fleet.fleet.directory.session('local', session.id);
  const action = runOf(target, 'sleep 945678', { cwd, env, session: id });
  const line = await sendLine(fleet.fleet, fleet.permit(action));
  revocation.abort();
  expect(await lifeOf(permit)).toMatchObject({ how: 'revoked' });
  expect(line.kind === 'command' ? (await line.command.ended).how : line).toBe('revoked');
  expect(() => fleet.fleet.directory.session('local', id)).toThrow('There is no');
  await noneLeft('sleep 945678');
});
