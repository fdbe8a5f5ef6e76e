import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock as machineClock } from '../../src/cli/clock.ts';
import { findDriver } from '../../src/state/driver.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import { listIn, type Person, personIn, approvals as secondTerminal } from '../support/approvers.ts';
import { realClock } from '../support/clock.ts';
import { ENVELOPE, errorOf, type Home, home, hostEntry, type Raw, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { untilTrue } from '../support/until.ts';
import { person } from './person.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const ASKING = (approval: object = {}) => ({
  version: '1',
  default: 'allow',
  rules: [
    { id: 'look', effect: 'allow', commands: ['uptime'] },
    { id: 'mark', effect: 'ask', commands: ['touch <path:/tmp/**>', 'echo <any>'], approval },
  ],
});

type Place = AsyncDisposable & { readonly at: Home; readonly alice: Person; readonly bob: Person };

/** An account with a policy that asks, and two people who may answer. */
const placeWith = async (approval: object = {}, more: object = {}): Promise<Place> => {
  const at = await home({ 'web-1': await hostEntry(sshd) }, ASKING(approval));
  const [alice, bob] = [personIn(at.path, 'alice'), personIn(at.path, 'bob')];
  const allowedSigners = await listIn(at.path, 'signers', alice.line(), bob.line());
  await at.config({
    hosts: { 'web-1': await hostEntry(sshd) },
    knownHosts: [sshd.knownHosts],
    approvals: { allowedSigners, key: alice.key, ...more },
  });
  return { at, alice, bob, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() };
};

const CALL = { host: 'web-1', command: 'echo approved', wait_ms: 0 };
const idOf = (error: Record<string, unknown>): string => {
  const { approval } = error;
  if (typeof approval !== 'object' || approval === null || !('id' in approval)) throw new Error(JSON.stringify(error));
  return String(approval.id);
};
const asked = async (server: Raw, call: Record<string, unknown> = CALL): Promise<string> =>
  idOf(errorOf(await server.call('ssh_exec', call)));

/** A command line of the same account, without a terminal. */
const sallyport = async (place: Home, ...args: readonly string[]) => {
  await using somebody = await person({ env: place.env, clock: machineClock() });
  return await somebody.type(...args);
};
const approvals = (place: Home, ...args: readonly string[]) => sallyport(place, 'approvals', ...args);

test('an operator sees the question whole, signs it, and the same call then runs, once [G18]', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const refused = errorOf(await server.call('ssh_exec', CALL));
  expect(refused).toMatchObject({ code: 'APPROVAL_REQUIRED', rule: '/rules/mark' });
  const id = idOf(refused);
  const listed = await approvals(place.at, 'list');
  expect(listed.stdout).toContain(id);
  const shown = await approvals(place.at, 'show', id);
  expect(shown.stdout).toContain('host: web-1\n');
  expect(shown.stdout).toContain('word 1: echo\nword 2: approved\n');
  const yes = await secondTerminal(place.at, 'approve', id, '--host', 'web-1', '--note', 'CHG-1');
  expect(yes).toMatchObject({ code: 0, stdout: `${id}: alice has approved it, it may run.\n` });
  expect(structured(await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 }))).toMatchObject({
    status: 'exited',
    stdout: 'approved\n',
  });
  expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  const story = (await place.at.audit()).filter(({ approval }) => approval === id).map(({ event }) => event);
  expect(story.toSorted()).toEqual(['admitted', 'answered', 'asked', 'shown', 'shown', 'used']);
});

test('a call waits for the answer, says for what, and runs when it comes', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  server.send({
    jsonrpc: '2.0',
    id: 'waits',
    method: 'tools/call',
    params: { _meta: { ...ENVELOPE, progressToken: 'p' }, name: 'ssh_exec', arguments: { ...CALL, wait_ms: 40_000 } },
  });
  const progress = await server.message(one => one.method === 'notifications/progress');
  expect(JSON.stringify(progress.params)).toMatch(
    /waits for an operator's approval: sallyport approvals approve ap_\S{22} \(\d:\d\d left\)/,
  );
  expect(await approvals(place.at, 'approve', '--host', 'web-1')).toMatchObject({ code: 0 });
  const answer = await server.message(one => one.id === 'waits');
  expect(answer.result).toMatchObject({ structuredContent: { status: 'exited', stdout: 'approved\n' } });
});

test('a no is the answer, with its note, and needs no key', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const id = await asked(server);
  expect(await approvals(place.at, 'deny', id.slice(0, 9), '--note', 'not during the freeze')).toMatchObject({
    code: 0,
    stdout: `${id}: declined.\n`,
  });
  const { code, message } = errorOf(await server.call('ssh_exec', CALL));
  expect([code, message]).toEqual(['APPROVAL_DECLINED', expect.stringContaining('not during the freeze')]);
  expect(await approvals(place.at, 'approve', id, '--host', 'web-1')).toMatchObject({
    code: 1,
    stderr: `${id} is declined: it can no longer be answered.\n`,
  });
});

test('an answer is found by a server that was started anew after a kill, and once', async () => {
  await using place = await placeWith();
  let id = '';
  {
    await using killed = raw(place.at);
    id = await asked(killed);
    killed.child.kill('SIGKILL');
    await killed.exited;
  }
  await approvals(place.at, 'approve', id, '--host', 'web-1');
  await using server = raw(place.at);
  const both = await Promise.all([1, 2].map(() => server.call('ssh_exec', { ...CALL, wait_ms: 2_000 })));
  const ran = both.filter(one => one.isError !== true);
  expect(ran.map(one => structured(one).stdout)).toEqual(['approved\n']);
});

test('of a call for many hosts each is a question of its own, and is called alone once it is answered', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const { results } = structured(
    await server.call('ssh_exec', { hosts: ['web-1'], command: 'echo approved', wait_ms: 0 }),
  );
  const [part] = Array.isArray(results) ? results : [];
  expect(part.error).toMatchObject({ code: 'APPROVAL_REQUIRED', next: expect.stringContaining('for this host alone') });
  const [id = ''] = /ap_[A-Za-z0-9_-]{22}/.exec(part.error.next) ?? [];
  await approvals(place.at, 'approve', id, '--host', 'web-1');
  expect(structured(await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 }))).toMatchObject({
    stdout: 'approved\n',
  });
});

test('two approvers are two people', async () => {
  await using place = await placeWith({ approvers: 2 });
  await using server = raw(place.at);
  const id = await asked(server);
  const { stdout } = await approvals(place.at, 'approve', id, '--host', 'web-1');
  expect(stdout).toBe(`${id}: alice has approved it, 1 more approver is needed.\n`);
  await approvals(place.at, 'approve', id, '--host', 'web-1');
  expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  expect((await approvals(place.at, 'approve', id, '--host', 'web-1', '--key', place.bob.key)).stdout).toContain(
    'it may run',
  );
  expect(structured(await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 }))).toMatchObject({ status: 'exited' });
});

describe('approve', () => {
  let place: Place;
  let server: Raw;
  let id: string;
  beforeAll(async () => {
    place = await placeWith();
    server = raw(place.at);
    id = await asked(server);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  test.each<{ title: string; args: () => readonly string[]; code: number; says: string }>([
    { title: 'without a terminal wants the host said', args: () => [], code: 2, says: '--host web-1' },
    {
      title: 'leaves what another host is named for',
      args: () => ['--host', 'web-2'],
      code: 1,
      says: '"web-2" is not web-1',
    },
    {
      title: 'says that there is no such key',
      args: () => ['--host', 'web-1', '--key', '/nowhere'],
      code: 4,
      says: 'Nothing was signed',
    },
    {
      title: 'refuses a note of two lines',
      args: () => ['--host', 'web-1', '--note', 'a\nb'],
      code: 2,
      says: 'one line',
    },
    {
      title: 'by a key that is not listed counts for nothing, and says so',
      args: () => ['--host', 'web-1', '--key', personIn(place.at.path, 'eve').key],
      code: 1,
      says: 'The key that signed is not listed',
    },
  ])('$title', async ({ args, code, says }) => {
    const ran = await approvals(place.at, 'approve', id, ...args());
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(says)]);
    expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  });
});

test('an unknown id, nothing that waits and a fresh account are told apart', async () => {
  await using place = await placeWith();
  expect(await approvals(place.at, 'approve')).toMatchObject({ code: 4 });
  expect(await approvals(place.at)).toMatchObject({ code: 0, stderr: 'Nothing waits for an answer.\n' });
  await using server = raw(place.at);
  await asked(server);
  await asked(server, { ...CALL, command: 'echo other' });
  expect(await approvals(place.at, 'show', 'ap_nothing')).toMatchObject({
    code: 1,
    stderr: 'There is no question "ap_nothing".\n',
  });
  expect(await approvals(place.at, 'approve')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('2 questions wait'),
  });
  const { approvals: list } = JSON.parse((await approvals(place.at, 'list', '--json')).stdout);
  expect(list).toMatchObject([{ state: 'waiting', host: 'web-1', by: 'operator' }, { state: 'waiting' }]);
});

test('the policy is reloaded after the yes: the same call is refused', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const id = await asked(server);
  await approvals(place.at, 'approve', id, '--host', 'web-1');
  await place.at.policy({ ...ASKING(), description: 'changed' });
  await untilTrue(async () => (await place.at.audit()).some(({ event }) => event === 'reload'));
  expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  expect((await approvals(place.at, 'list', '--all')).stdout).toContain(`${id}  withdrawn`);
});

test('a status tells what waits, and the story of one is read back', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const id = await asked(server);
  expect(structured(await server.call('ssh_status'))).toMatchObject({
    approvals: [{ id, host: 'web-1', answered: false }],
  });
  await approvals(place.at, 'approve', id, '--host', 'web-1', '--note', 'CHG-2');
  await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 });
  server.child.stdin.end();
  await server.exited;
  const { stdout, code } = await sallyport(place.at, 'audit', 'show', '--approvals', id);
  expect(code).toBe(0);
  const story = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => line.split(/ +/)[1]);
  expect(story.toSorted()).toEqual(['admitted', 'answered', 'asked', 'ended', 'refused', 'shown', 'used']);
  expect(stdout).toMatch(/answered {2}decision approved, by alice \(SHA256:\S{43}\), note CHG-2/);
  expect(await sallyport(place.at, 'audit', 'verify')).toMatchObject({ code: 0 });
});

test('a watcher sees the question, its answer and its use', async () => {
  await using place = await placeWith();
  await using server = raw(place.at);
  const id = await asked(server);
  const watching = approvals(place.at, 'watch', id, '--json');
  await approvals(place.at, 'approve', id, '--host', 'web-1');
  await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 });
  const { code, stdout } = await watching;
  const states = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line).state);
  expect([code, states.at(-1)]).toEqual([0, 'used']);
});

test('a program is told once of each question, by its id and host and nothing of what would run', async () => {
  await using place = await placeWith();
  const out = join(place.at.path, 'told');
  const hook = join(place.at.path, 'hook');
  await writeFile(hook, `#!/bin/sh\nenv | grep ^APPROVAL_ | sort >> ${out}\necho "$*" >> ${out}\n`, { mode: 0o700 });
  const { approvals: _, ...config } = JSON.parse(
    await readFile(join(place.at.path, '.config', 'sallyport', 'config.json'), 'utf8'),
  );
  await place.at.config({ ...config, approvals: { ..._, notify: [hook, 'a;b', '$(c)'] } });
  await using server = raw(place.at);
  const id = await asked(server);
  await asked(server);
  await untilTrue(async () => (await readFile(out, 'utf8').catch(() => '')).endsWith('a;b $(c)\n'));
  expect((await readFile(out, 'utf8')).split('\n')).toEqual([
    expect.stringMatching(/^APPROVAL_EXPIRES_AT=20/),
    'APPROVAL_GRANT=local',
    'APPROVAL_HOST=web-1',
    `APPROVAL_ID=${id}`,
    'APPROVAL_TOOL=ssh_exec',
    'a;b $(c)',
    '',
  ]);
});

describe('a process of the same account without a key', () => {
  const stateOf = (place: Place): string => join(place.at.path, '.local', 'state', 'sallyport');
  const openStore = (place: Place) =>
    openSqlite({ file: join(stateOf(place), 'state.db'), clock: realClock, log: () => undefined });
  const stillAsked = async (server: Raw, call: Record<string, unknown> = CALL): Promise<void> => {
    expect(errorOf(await server.call('ssh_exec', call))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  };
  let shared: { readonly place: Place; readonly server: Raw };
  beforeAll(async () => {
    const place = await placeWith();
    shared = { place, server: raw(place.at) };
  });
  afterAll(async () => {
    await shared.server[Symbol.asyncDispose]();
    await shared.place[Symbol.asyncDispose]();
  });

  test('writes a yes into the store, and is not believed [G18]', async () => {
    const { place, server } = shared;
    const call = { ...CALL, command: 'echo one' };
    const id = await asked(server, call);
    const store = await openStore(place);
    const forged = { principal: 'alice', key: 'SHA256:alice', note: '', time: Date.now(), signature: 'yes' };
    expect(await store.approvals.say(id, forged)).toMatchObject({ stance: 'asked' });
    store.close();
    await stillAsked(server, call);
    await untilTrue(async () =>
      (await place.at.audit()).some(
        ({ event, decision, approval }) => event === 'answered' && decision === 'not believed' && approval === id,
      ),
    );
  });

  test('signs with a key of its own, and puts that into the store', async () => {
    const { place, server } = shared;
    const eve = personIn(place.at.path, 'eve');
    const call = { ...CALL, command: 'echo two' };
    const id = await asked(server, call);
    const store = await openStore(place);
    const digest = (await store.approvals.look(id))?.digest ?? '';
    const time = Date.now();
    const text = JSON.stringify({ approval: id, decision: 'approve', digest, note: '', time });
    const signature = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', eve.key, '-n', 'approval@sallyport'], {
      input: text,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await store.approvals.say(id, { principal: 'alice', key: 'SHA256:x', note: '', time, signature });
    store.close();
    await stillAsked(server, call);
  });

  test('puts itself on the list of approvers while the server runs', async () => {
    await using place = await placeWith();
    const eve = personIn(place.at.path, 'eve');
    await using server = raw(place.at);
    const id = await asked(server);
    await listIn(place.at.path, 'signers', eve.line());
    expect(await approvals(place.at, 'approve', id, '--host', 'web-1', '--key', eve.key)).toMatchObject({ code: 0 });
    await stillAsked(server);
  });

  test('names a list of its own in config.json while the server runs', async () => {
    await using place = await placeWith();
    const eve = personIn(place.at.path, 'eve');
    await using server = raw(place.at);
    const id = await asked(server);
    const file = join(place.at.path, '.config', 'sallyport', 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    const allowedSigners = await listIn(place.at.path, 'own-signers', eve.line());
    await place.at.config({ ...config, approvals: { allowedSigners, key: eve.key } });
    expect(await approvals(place.at, 'approve', id, '--host', 'web-1')).toMatchObject({ code: 0 });
    await stillAsked(server);
  });

  test('puts the store back to before the use, and the server remembers', async () => {
    await using place = await placeWith();
    await using server = raw(place.at);
    const id = await asked(server);
    await approvals(place.at, 'approve', id, '--host', 'web-1');
    const files = ['state.db', 'state.db-wal', 'state.db-shm'].map(name => join(stateOf(place), name));
    for (const file of files) await copyFile(file, `${file}.before`);
    expect(structured(await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 }))).toMatchObject({ status: 'exited' });
    for (const file of files) await rename(`${file}.before`, file);
    expect((await approvals(place.at, 'list')).stdout).toContain(`${id}  approved`);
    expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_EXPIRED' });
  });

  test('has an operator agree to one thing, and gives the answer to another in the store', async () => {
    const { place, server } = shared;
    const id = await asked(server, { ...CALL, command: 'echo three' });
    const other = { ...CALL, command: 'echo other' };
    const otherId = await asked(server, other);
    await approvals(place.at, 'approve', id, '--host', 'web-1');
    const database = (await findDriver()).open(join(stateOf(place), 'state.db'));
    database.prepare("UPDATE page SET text = replace(text, ?, ?) WHERE name = 'a'").run(otherId, id);
    database.close();
    expect(errorOf(await server.call('ssh_exec', other))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
  });

  test('claims in the store that somebody has agreed, and why: the operator is told that nobody vouches for that', async () => {
    await using place = await placeWith({ approvers: 2 });
    await using server = raw(place.at);
    const reason = `x${' '.repeat(90)}\ncommand: uptime\u202e\u001b[2J`;
    const id = await asked(server, { ...CALL, reason });
    const store = await openStore(place);
    const forged = { principal: 'bob', key: 'SHA256:bob', note: '', time: Date.now(), signature: 'yes' };
    await store.approvals.say(id, forged);
    store.close();
    expect((await approvals(place.at, 'show', id)).stdout.split('\n').slice(-8)).toEqual([
      'leave: of 2 operators, for one use within 300 s',
      '',
      'the agent says why, and nobody vouches for it:',
      '  | x‹90 spaces›',
      '  | command: uptime‹U+202E›‹escape›[2J',
      'the store says, and nobody has verified, that yes was said by:',
      '  | bob, SHA256:bob',
      '',
    ]);
    const { stdout } = await approvals(place.at, 'show', id, '--json');
    expect(stdout).toMatch(/^[\n -~]+$/);
    expect(JSON.parse(stdout)).toMatchObject({ why: reason });
    expect((await approvals(place.at, 'approve', id, '--host', 'web-1')).stdout).toBe(
      `${id}: alice has approved it, 1 more approver is needed.\n`,
    );
    await stillAsked(server);
  });

  test('changes what the operator is shown, and the command line says so', async () => {
    const { place, server } = shared;
    const call = { ...CALL, command: 'echo approved' };
    const id = await asked(server, call);
    const store = await openStore(place);
    const facts = (await store.approvals.facts(id)) ?? '';
    store.close();
    const database = (await findDriver()).open(join(stateOf(place), 'state.db'));
    database
      .prepare('UPDATE page SET text = ? WHERE name = ?')
      .run(facts.replaceAll('approved', 'harmless'), `a:${id}`);
    database.close();
    const ran = await approvals(place.at, 'approve', id, '--host', 'web-1');
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('Do not approve it.')]);
    await stillAsked(server, call);
  });

  test('writes whatever it likes to every socket, and nothing is approved by that', async () => {
    const { place, server } = shared;
    const call = { ...CALL, command: 'echo five' };
    const id = await asked(server, call);
    const control = join(stateOf(place), 'control');
    await untilTrue(async () => (await readdir(control).catch(() => [])).some(name => name.endsWith('.sock')));
    for (const name of (await readdir(control)).filter(one => one.endsWith('.sock')))
      for (const op of ['approve', 'approvals', 'end', 'list']) {
        const socket = createConnection(join(control, name));
        socket.on('error', () => undefined);
        socket.write(`${JSON.stringify({ v: 1, op, id, decision: 'approve' })}\n`);
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
        socket.destroy();
      }
    await stillAsked(server, call);
  });
});

describe('at a terminal', () => {
  const typing = async (place: Place, id: string, typed: string) => {
    await using somebody = await person({ tty: true, env: place.at.env, clock: machineClock() });
    return await somebody.answering(typed, 'approvals', 'approve', id);
  };

  test('the whole question is shown, and the typed name of the host approves it, and nothing else', async () => {
    await using place = await placeWith();
    await using server = raw(place.at);
    const id = await asked(server);
    for (const typed of ['', '\n', 'y\n', 'yes\n', 'web-1x\n', 'WEB-1\n'])
      expect(await typing(place, id, typed)).toMatchObject({ code: 1, stdout: '' });
    expect(errorOf(await server.call('ssh_exec', CALL))).toMatchObject({ code: 'APPROVAL_REQUIRED' });
    const { code, stdout, stderr } = await typing(place, id, 'web-1\n');
    expect(stderr).toMatch(new RegExp(`^${id}, \\d:\\d\\d left\\n\\nhost: web-1\\naccount: .*\\nhost key: `));
    expect(stderr).toContain('Type web-1 to approve it, anything else to leave it: ');
    expect([code, stdout]).toEqual([0, `${id}: alice has approved it, it may run.\n`]);
    expect(structured(await server.call('ssh_exec', { ...CALL, wait_ms: 20_000 }))).toMatchObject({ status: 'exited' });
  });
});

describe('doctor', () => {
  const findings = async (place: Place) =>
    JSON.parse((await sallyport(place.at, 'doctor', '--json')).stdout).findings.filter(
      ({ check }: { check: string }) => check === 'approvals',
    );

  test('says that this account could write itself onto the list, and that the key asks nobody', async () => {
    await using place = await placeWith();
    expect(await findings(place)).toMatchObject([
      { status: 'ok', says: expect.stringContaining('2 keys') },
      { status: 'advice', says: expect.stringContaining('may be written by this account') },
      { status: 'advice', says: expect.stringContaining('is a private key that this account can read') },
    ]);
  });

  test('names a key that counts for nobody, and a list that is not there', async () => {
    await using place = await placeWith();
    await listIn(place.at.path, 'signers', place.alice.line().replace('alice', '*@corp'));
    expect(await findings(place)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ status: 'wrong', says: expect.stringContaining('"*@corp" is no plain name') }),
      ]),
    );
    await rm(join(place.at.path, 'signers'));
    expect(await findings(place)).toMatchObject([{ status: 'wrong', says: expect.stringContaining('does not exist') }]);
  });
});
