import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import {
  type AuditLine,
  ENVELOPE,
  errorOf,
  type Home,
  handshake,
  home,
  homeFor,
  type Raw,
  raw,
  structured,
} from '../support/home.ts';
import { noneLeft } from '../support/processes.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const digestOf = (document: unknown): string =>
  compile(typeof document === 'string' ? document : JSON.stringify(document), 'policy.json').digest;

const granting = (...commands: string[]) => ({
  version: '1',
  default: 'allow',
  rules: [{ id: 'given', effect: 'allow', commands }],
});
const SLEEPS = granting('sleep <int>', 'uptime');
const NO_SLEEP = granting('uptime');
const NOT_THERE = { ...SLEEPS, rules: [{ ...SLEEPS.rules[0], hosts: ['db-*'] }] };

/** Puts a document in the place of the policy, as an editor that is careful does. */
const replace = async (place: Home, document: unknown): Promise<void> => {
  const path = join(place.path, '.config/sallyport/policy.json');
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

/** The first line of the audit for which `found` holds, as soon as it is on disk. */
const line = async (place: Home, found: (line: AuditLine) => boolean): Promise<AuditLine> => {
  let hit: AuditLine | undefined;
  await expect
    .poll(
      async () => {
        hit = (await place.audit().catch(() => [])).find(found);
        return hit !== undefined;
      },
      { timeout: 10_000, interval: 10 },
    )
    .toBe(true);
  if (hit === undefined) throw new Error('no such line');
  return hit;
};

const reload = (place: Home, more: Record<string, unknown>): Promise<AuditLine> =>
  line(place, one => one.event === 'reload' && Object.entries(more).every(([name, value]) => one[name] === value));

const says = (server: Raw, text: string): Promise<void> =>
  expect.poll(() => server.stderr(), { timeout: 10_000, interval: 10 }).toContain(text);

/** How long a command may outlive its leave; one second, doubled for a shared machine that starts nothing in time. */
const REVOKED_MS = 2_000;

const sleep = (seconds: number) => ({ host: 'web-1', command: `sleep ${seconds}`, wait_ms: 1 });

test('a command that a changed policy no longer allows ends, revoked by the rule, and nothing of it stays [G13]', async () => {
  await using place = await homeFor(sshd, SLEEPS);
  await using server = raw(place);
  const started = structured(await server.call('ssh_exec', sleep(912_345)));
  expect(started.status).toBe('running');
  const waiting = server.call('ssh_exec', { ...sleep(912_346), wait_ms: 60_000 });
  await line(place, one => one.event === 'admitted' && JSON.stringify(one).includes('912346'));
  const began = performance.now();
  await replace(place, NO_SLEEP);
  const waited = structured(await waiting);
  const took = performance.now() - began;

  expect(took).toBeLessThan(REVOKED_MS);
  expect(waited).toMatchObject({ status: 'revoked', stop: { outcome: 'confirmed', remaining: [] } });
  const because = [{ rule: '(no rule)', reason: expect.stringContaining('sleep') }];
  const ended = await line(place, one => one.event === 'ended');
  expect(ended).toMatchObject({ end: { how: 'revoked' }, because, policy: digestOf(NO_SLEEP) });
  const taken = await reload(place, { ok: true });
  expect(taken).toMatchObject({ policy: digestOf(NO_SLEEP), was: digestOf(SLEEPS), revoked: 2 });
  await Promise.all([noneLeft('sleep 912345'), noneLeft('sleep 912346')]);
  const status = structured(await server.call('ssh_status'));
  expect(status.commands).toMatchObject([{ status: 'revoked' }, { status: 'revoked' }]);
  expect(errorOf(await server.call('ssh_exec', sleep(1)))).toMatchObject({
    code: 'POLICY_DENIED',
    policy: digestOf(NO_SLEEP),
  });
});

test('a session whose host is granted no longer ends with the line that runs in it', async () => {
  await using place = await homeFor(sshd, SLEEPS);
  await using server = raw(place);
  const { session_id } = structured(await server.call('ssh_session_start', { host: 'web-1' }));
  const send = { session_id, input: 'sleep 923456', wait_ms: 60_000 };
  const sent = server.call('ssh_session_send', send);
  await line(place, one => one.event === 'admitted' && one.tool === 'ssh_session_send');
  await replace(place, NOT_THERE);
  expect(structured(await sent)).toMatchObject({ status: 'revoked' });
  const ended = await line(place, one => one.event === 'ended' && one.tool === 'ssh_session_start');
  expect(ended).toMatchObject({ end: { how: 'revoked' }, because: [{ rule: '(no rule)' }] });
  await noneLeft('sleep 923456');
  expect(structured(await server.call('ssh_status')).sessions).toEqual([]);
});

const BROKEN = '{"version": "1", "default": "perhaps", "tols": {}}';

const POOR: readonly {
  readonly title: string;
  readonly spoil: (place: Home) => Promise<unknown>;
  readonly problems: number;
  readonly said: readonly string[];
}[] = [
  {
    title: 'that is invalid',
    spoil: place => replace(place, BROKEN),
    problems: 2,
    said: ['/default', '/tols'],
  },
  {
    title: 'that others may write',
    spoil: place => chmod(join(place.path, '.config/sallyport/policy.json'), 0o622),
    problems: 1,
    said: ['is open to other users (mode 0622)'],
  },
  {
    title: 'that vanished',
    spoil: place => rm(join(place.path, '.config/sallyport/policy.json')),
    problems: 1,
    said: ['does not exist'],
  },
];

test.each(POOR)('a document $title is not taken, and the last good one stays, loudly [G13]', async one => {
  await using place = await home({}, SLEEPS);
  await using server = raw(place);
  await server.call('ssh_status');
  await one.spoil(place);
  const refused = await reload(place, { ok: false });
  expect(refused).toMatchObject({ policy: digestOf(SLEEPS), problems: one.problems });
  await says(server, 'is not taken: the last good policy stays in force');
  for (const text of one.said) await says(server, text);
  expect(errorOf(await server.call('ssh_exec', { host: 'web-1', command: 'uptime' })).code).toBe('UNKNOWN_HOST');
  await replace(place, NO_SLEEP);
  expect(await reload(place, { ok: true })).toMatchObject({ was: digestOf(SLEEPS), policy: digestOf(NO_SLEEP) });
});

/** Two documents of the same size: a mixture of them is a document too. */
const twin = (letter: string): string =>
  JSON.stringify({
    version: '1',
    default: 'deny',
    description: letter.repeat(2000),
    tools: Object.fromEntries(
      ['ssh_list_hosts', 'ssh_exec', 'ssh_connect'].map(tool => [tool, { action: 'deny', reason: letter.repeat(500) }]),
    ),
  });

test('200 rewrites in place under load never put a mixed document into force', async () => {
  const [a, b] = [twin('a'), twin('b')];
  const sound = [digestOf(a), digestOf(b)];
  await using place = await home({}, a);
  await using server = raw(place);
  const path = join(place.path, '.config/sallyport/policy.json');
  const seen = new Set<unknown>();
  const inForce = async (): Promise<unknown> => {
    const error = errorOf(await server.call('ssh_list_hosts'));
    seen.add(error.policy);
    expect(error.reason).toMatch(/^(a{500}|b{500})$/);
    return error.policy;
  };
  await inForce();
  for (let round = 1; round <= 200; round += 1) {
    const text = round % 2 === 0 ? a : b;
    const file = openSync(path, 'r+');
    for (let at = 0; at < text.length; at += 500) {
      writeSync(file, text.slice(at, at + 500), at);
      if (at % 1000 === 0) await new Promise(resolve => setImmediate(resolve));
    }
    ftruncateSync(file, text.length);
    closeSync(file);
    await inForce();
    // Now and then it is left alone for long enough to be taken.
    if (round % 33 === 0) await expect.poll(inForce, { timeout: 10_000 }).toBe(sound[round % 2]);
  }
  expect((await place.audit()).filter(one => one.event === 'reload').length).toBeGreaterThanOrEqual(5);
  const policies = (await place.audit()).flatMap(one => (typeof one.policy === 'string' ? [one.policy] : []));
  expect([...new Set([...policies, ...seen])].filter(digest => !sound.includes(String(digest)))).toEqual([]);
});

const HIDING = { version: '1', default: 'allow', hide: ['ssh_exec'] };
const CHANGED = 'notifications/tools/list_changed';

const names = (answer: Record<string, unknown>): string => JSON.stringify(answer.result);

test('a client of the 2025 line hears that the tools are others, and only then', async () => {
  await using place = await home({}, SLEEPS);
  await using server = raw(place);
  const { result } = await handshake(server);
  expect(result).toMatchObject({ capabilities: { tools: { listChanged: true } } });
  server.send({ jsonrpc: '2.0', id: 'before', method: 'tools/list' });
  expect(names(await server.message(({ id }) => id === 'before'))).toContain('"ssh_exec"');
  await replace(place, NO_SLEEP);
  await reload(place, { policy: digestOf(NO_SLEEP) });
  expect(server.messages.filter(({ method }) => method === CHANGED)).toEqual([]);
  await replace(place, HIDING);
  await server.message(({ method }) => method === CHANGED);
  server.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' });
  expect(names(await server.message(({ id }) => id === 'list'))).not.toContain('"ssh_exec"');
});

test('a client of the 2026 line hears it when it listens', async () => {
  await using place = await home({}, SLEEPS);
  await using server = raw(place);
  expect(names(await server.request('tools/list'))).toContain('"ssh_exec"');
  server.send({
    jsonrpc: '2.0',
    id: 'listen',
    method: 'subscriptions/listen',
    params: { _meta: ENVELOPE, notifications: { toolsListChanged: true } },
  });
  await server.message(({ method }) => method === 'notifications/subscriptions/acknowledged');
  await replace(place, HIDING);
  await server.message(({ method }) => method === CHANGED);
  expect(names(await server.request('tools/list'))).not.toContain('"ssh_exec"');
});

test('the first policy is in force as soon as it is written', async () => {
  await using place = await home({});
  await using server = raw(place);
  expect(errorOf(await server.call('ssh_status')).rule).toBe('(no policy)');
  await place.policy(SLEEPS);
  await reload(place, { ok: true, was: '(none)' });
  expect(structured(await server.call('ssh_status'))).toMatchObject({ commands: [] });
});

test('a pinned server refuses to start with another document, and takes no other later', async () => {
  await using place = await home({}, SLEEPS);
  const pin = digestOf(SLEEPS);
  const other = digestOf(NO_SLEEP);
  await using wrong = raw(place, ['serve', '--pin', other]);
  expect((await wrong.exited).code).toBe(3);
  expect(wrong.stderr()).toContain(`/ is ${pin}, and only ${other} may be in force`);
  await using server = raw(place, [], { SALLYPORT_PIN: pin });
  await server.call('ssh_status');
  await replace(place, NO_SLEEP);
  expect(await reload(place, { ok: false })).toMatchObject({
    policy: pin,
    problems: 1,
    reason: expect.stringContaining(`is ${other}, and only ${pin} may be in force`),
  });
});

test('a pinned server refuses to start without a document', async () => {
  await using place = await home({});
  await using server = raw(place, ['--pin', digestOf(SLEEPS)]);
  expect((await server.exited).code).toBe(3);
  expect(server.stderr()).toContain('does not exist');
});

test('what a candidate would answer otherwise is said and recorded, and a broken one harms nothing', async () => {
  await using place = await homeFor(sshd, SLEEPS);
  const candidate = join(place.path, 'candidate.json');
  await writeFile(candidate, BROKEN);
  await using server = raw(place, ['--shadow', candidate]);
  const uptime = { host: 'web-1', command: 'sleep 0' };
  expect(structured(await server.call('ssh_exec', uptime)).status).toBe('exited');
  await says(server, 'is not taken: none is judged');
  await says(server, '/tols');
  await writeFile(candidate, JSON.stringify(NO_SLEEP));
  await expect
    .poll(
      async () => {
        expect(structured(await server.call('ssh_exec', uptime)).status).toBe('exited');
        return server.stderr();
      },
      { timeout: 10_000 },
    )
    .toContain('the candidate answers deny instead of allow');
  expect(await line(place, one => one.event === 'shadow')).toMatchObject({
    tool: 'ssh_exec',
    live: { decision: 'allow', rule: '/rules/given', policy: digestOf(SLEEPS) },
    candidate: { decision: 'deny', rule: '(no rule)', policy: digestOf(NO_SLEEP) },
  });
});

test('what runs at an address that a changed policy bars ends as revoked, and no call dials it again [G16]', async () => {
  await using place = await homeFor(sshd, SLEEPS);
  await using server = raw(place);
  const started = structured(await server.call('ssh_exec', sleep(912_361)));
  expect(started.status).toBe('running');
  const barred = { ...SLEEPS, networks: { deny: ['127.0.0.0/8'] } };
  await replace(place, barred);
  await reload(place, { ok: true, policy: digestOf(barred) });
  const { command_id } = started;
  const read = structured(await server.call('ssh_read_output', { command_id, wait_ms: 10_000 }));
  expect(read.status).toBe('revoked');
  await noneLeft('912361');
  await sshd.caughtUp();
  const before = sshd.counts().connections;
  const refused = errorOf(await server.call('ssh_exec', { host: 'web-1', command: 'uptime' }));
  expect(refused.code).toBe('UNREACHABLE');
  expect(refused.message).toContain('127.0.0.1');
  await sshd.caughtUp();
  expect(sshd.counts().connections).toBe(before);
});
