import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../src/ssh/host.ts';
import { cancelCommand } from '../../src/tools/cancel-command.ts';
import { exec } from '../../src/tools/exec.ts';
import { listHosts } from '../../src/tools/list-hosts.ts';
import { status as statusTool } from '../../src/tools/status.ts';
import { type TestHouse, testHouse } from '../support/house.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

let sshd: Sshd;
let temp: TempFolder;
let hosts: readonly Host[];
beforeAll(async () => {
  sshd = await startSshd({ config: ['MaxStartups 200'] });
  temp = await tempFolder();
  hosts = [
    await sshd.host({ name: 'web-1', tags: ['web'] }),
    await sshd.host({ name: 'web-2', tags: ['web'] }),
    await sshd.host({ name: 'db-1', tags: [] }),
    await sshd.host({ name: 'gone-1', port: 1, hostKeys: sshd.hostKeys.map(key => key.fingerprint) }),
  ];
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const open = (document: object = {}, all = hosts): TestHouse => testHouse(all, document, [sshd.knownHosts]);
const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  );
const ANY = { id: 'any', effect: 'allow', commands: 'any' };
const WEB = { rules: [{ ...ANY, hosts: ['web-*', 'gone-1'] }], hosts: { prod: ['tag:web', 'db-1'], nobody: ['x-*'] } };

describe('a command on many hosts', () => {
  test('is answered for each in the order asked: one refused, one that nobody answers, one that ran', async () => {
    using web = open(WEB);
    const folder = await temp.write('ran/keep', '').then(file => join(file, '..'));
    const command = `echo "$$" >${folder}/ran-$$; cat`;
    const asked = { hosts: ['db-1', 'gone-1', 'web-1'], command, stdin: 'hello\n' };
    const { structured, text, failure } = await web.call(exec, asked);
    expect(structured).toEqual({
      results: [
        { host: 'db-1', error: expect.objectContaining({ code: 'POLICY_DENIED' }) },
        { host: 'gone-1', error: expect.objectContaining({ code: 'UNREACHABLE' }) },
        expect.objectContaining({ host: 'web-1', status: 'exited', exit_code: 0, stdout: 'hello\n', stderr: '' }),
      ],
    });
    expect(failure).toBeUndefined();
    expect(text).toMatch(/^3 hosts: 1 POLICY_DENIED, 1 UNREACHABLE, 1 exited 0\n/);
    expect(readdirSync(folder).filter(name => name.startsWith('ran-'))).toHaveLength(1);
  });

  test('is a call for each in the record, under the id of the call and a number', async () => {
    using web = open(WEB);
    await web.call(exec, { hosts: ['web-1', 'db-1'], command: 'true', reason: 'why' });
    const rows = web.records.map(record => {
      const { event, ...rest } = record;
      return [event, 'call_id' in rest ? rest.call_id : '', 'action' in rest ? rest.action : undefined];
    });
    expect(rows).toEqual([
      ['refused', 'call_1.2', expect.objectContaining({ host: 'db-1', command: 'true' })],
      ['admitted', 'call_1.1', expect.objectContaining({ host: 'web-1', command: 'true' })],
      ['ended', 'call_1.1', undefined],
    ]);
  });

  test('takes sets and tags, each host once', async () => {
    using web = open(WEB);
    const { structured } = await web.call(exec, { hosts: ['tag:web', 'prod', 'web-1'], argv: ['echo', 'a  b'] });
    expect(structured.results).toMatchObject([
      { host: 'web-1', stdout: 'a  b\n' },
      { host: 'web-2', stdout: 'a  b\n' },
      { host: 'db-1', error: { code: 'POLICY_DENIED' } },
    ]);
  });

  test('passes on directory, variables, time-out, and what is still running when the wait is over', async () => {
    using web = open();
    const shared = { hosts: ['web-1', 'db-1'], cwd: temp.path, env: { WHO: 'me' } };
    const { structured } = await web.call(exec, {
      ...shared,
      command: 'pwd; echo "$WHO"; exec sleep 60',
      wait_ms: 400,
    });
    const stdout = `${temp.path}\nme\n`;
    const running = {
      status: 'running',
      stdout,
      stdout_cursor: stdout.length,
      command_id: expect.stringMatching(/^cmd_/),
    };
    expect(structured.results).toMatchObject([
      { host: 'web-1', ...running },
      { host: 'db-1', ...running },
    ]);
    const ids = [...JSON.stringify(structured).matchAll(/cmd_[\w-]{22}/g)].map(([id]) => id);
    const stops = await Promise.all(ids.map(async id => await web.call(cancelCommand, { command_id: id })));
    expect(stops.map(stop => stop.structured.outcome)).toEqual(['confirmed', 'confirmed']);
    const late = await web.call(exec, { hosts: ['web-1', 'db-1'], command: 'sleep 60', timeout_ms: 1_000 });
    expect(late.structured.results).toMatchObject([{ status: 'timed_out' }, { status: 'timed_out' }]);
  });

  test('goes on without this server where it is detached, and stops by its handle', async () => {
    using web = open();
    const { structured } = await web.call(exec, { hosts: ['tag:web'], command: 'exec sleep 60', detach: true });
    const ids = [...JSON.stringify(structured).matchAll(/cmd_[\w-]{22}/g)].map(([id]) => id);
    const status = await web.call(statusTool, {});
    const stops = await Promise.all(ids.map(async id => await web.call(cancelCommand, { command_id: id })));
    expect(status.structured.commands).toMatchObject([{ detached: true }, { detached: true }]);
    expect(stops.map(stop => stop.structured.outcome)).toEqual(['confirmed', 'confirmed']);
  });

  test('is stopped everywhere when the call is given up', async () => {
    using web = open();
    const giveUp = new AbortController();
    const file = join(temp.path, 'begun');
    const working = web.call(
      exec,
      { hosts: ['web-1', 'web-2', 'db-1'], command: `echo x >>${file}; exec sleep 600` },
      {
        signal: giveUp.signal,
        progress: () => {
          if (existsSync(file) && readFileSync(file, 'utf8').length >= 6) giveUp.abort();
        },
      },
    );
    const { structured } = await working;
    expect(structured.results).toMatchObject(
      ['web-1', 'web-2', 'db-1'].map(host => ({ host, status: 'cancelled', stop: { outcome: 'confirmed' } })),
    );
  });

  test('has failed when it failed everywhere', async () => {
    using web = open(WEB);
    const { failure, structured } = await web.call(exec, { hosts: ['gone-1', 'db-1'], command: 'id' });
    expect(failure?.text).toMatch(/^UNREACHABLE: It failed on all 2 hosts, on the first so: /);
    expect(structured.results).toHaveLength(2);
  });

  test('on one host is a list of one', async () => {
    using web = open();
    const { structured } = await web.call(exec, { hosts: ['web-1'], command: 'echo one' });
    expect(structured).toMatchObject({ results: [{ host: 'web-1', stdout: 'one\n' }] });
  });

  test('tells how many have ended, at each end', async () => {
    using web = open();
    const told: string[] = [];
    const progress = (message: string): void => void told.push(message);
    await web.call(exec, { hosts: ['web-1', 'gone-1'], command: 'exit 3' }, { progress });
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^1 of 2 hosts ended; /);
    expect(told.join()).toContain('web-1 exited 3');
    expect(told.join()).toContain('gone-1 UNREACHABLE');
  });

  test('runs on forty names at once, none lost and in order', async () => {
    const many = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => await sshd.host({ name: `n-${index}`, tags: ['all'] })),
    );
    using fleet = open({}, many);
    const { structured } = await fleet.call(exec, { hosts: ['tag:all'], command: 'echo "$RANDOM"; seq 2000' });
    const results = Array.isArray(structured.results) ? structured.results : [];
    expect(results.map(({ host, exit_code }) => [host, exit_code])).toEqual(many.map(({ name }) => [name, 0]));
    expect(new Set(results.map(({ command_id }) => command_id)).size).toBe(40);
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(30_000);
    for (const { stdout_omitted } of results) expect(stdout_omitted).toBeGreaterThan(8_000);
  });
});

describe('a call in which nothing runs', () => {
  test.each([
    { what: 'a name', entry: 'web-9', says: /"web-9"; did you mean "web-1"/ },
    { what: 'a tag', entry: 'tag:wb', says: /"tag:wb"; did you mean "tag:web"/ },
    { what: 'an empty set', entry: 'nobody', says: /No configured host is in the set "nobody"\./ },
  ])('names $what that leads nowhere', async ({ entry, says }) => {
    using web = open(WEB);
    const failure = await failureOf(web.call(exec, { hosts: ['web-1', entry], command: 'id' }));
    expect(failure).toMatchObject({ code: 'UNKNOWN_HOST', message: expect.stringMatching(says) });
    expect(web.dials()).toBe(0);
    expect(web.records).toMatchObject([{ event: 'refused', call_id: 'call_1', code: 'UNKNOWN_HOST' }]);
  });

  test('is for more hosts than one call may be', async () => {
    const [first] = hosts;
    if (first === undefined) throw new Error('there is a host');
    using big = open(
      {},
      Array.from({ length: 101 }, (_, index) => ({ ...first, name: `n-${index}`, tags: ['all'] })),
    );
    const failure = await failureOf(big.call(exec, { hosts: ['tag:all'], command: 'id' }));
    expect(failure).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'These are 101 hosts, and one call is for 100 at most.',
    });
    expect(big.dials()).toBe(0);
  });

  test.each([
    { what: 'both', args: { host: 'web-1', hosts: ['web-2'] } },
    { what: 'neither', args: {} },
    { what: 'none', args: { hosts: [] } },
  ])('names host and hosts: $what', async ({ args }) => {
    using web = open();
    expect(await failureOf(web.call(exec, { ...args, command: 'id' }))).toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('the policy', () => {
  const denying = (condition: object) => ({ tools: { ssh_exec: { deny_if: [condition] } } });

  test('judges each host by its conditions, as if it were asked for alone', async () => {
    using web = open(denying({ path: 'args.host', op: 'eq', value: 'db-1' }));
    const { structured } = await web.call(exec, { hosts: ['db-1', 'web-1'], command: 'echo ran' });
    expect(structured.results).toMatchObject([{ error: { code: 'POLICY_DENIED' } }, { stdout: 'ran\n' }]);
  });

  test('can forbid several hosts at once', async () => {
    using web = open(denying({ path: 'args.hosts', op: 'exists' }));
    expect(await failureOf(web.call(exec, { hosts: ['web-1'], command: 'id' }))).toMatchObject({
      code: 'POLICY_DENIED',
    });
    expect((await web.call(exec, { host: 'web-1', command: 'echo ran' })).structured.stdout).toBe('ran\n');
  });

  test.each([
    { what: 'by name', document: { default: 'deny' } },
    { what: 'by its arguments', document: denying({ path: 'args.command', op: 'eq', value: 'id' }) },
  ])('refuses the whole when the tool is refused $what, and tells nothing of hosts', async ({ document }) => {
    using web = open(document);
    const asked = [['web-1', 'db-1'], ['tag:web'], ['web-9'], ['web-1', 'tag:nobody']];
    const failures = await Promise.all(
      asked.map(entries => failureOf(web.call(exec, { hosts: entries, command: 'id' }))),
    );
    expect(new Set(failures.map(failure => (failure instanceof Error ? failure.message : ''))).size).toBe(1);
    expect(failures[0]).toMatchObject({ code: 'POLICY_DENIED' });
    expect(web.records.map(record => record.event)).toEqual(Array(4).fill('refused'));
  });

  test('does not tell a caller that may ask for one host alone which others exist', async () => {
    using web = open({ tools: { ssh_exec: { require: [{ path: 'args.host', op: 'eq', value: 'web-1' }] } } });
    const { structured } = await web.call(exec, { hosts: ['db-1', 'never-heard-of', 'web-1'], command: 'echo ran' });
    const [known, unknown, ran] = Array.isArray(structured.results) ? structured.results : [];
    expect(unknown).toEqual({ ...known, host: 'never-heard-of' });
    expect(ran).toMatchObject({ stdout: 'ran\n' });
  });

  test('counts every host: when a limit is reached midway, the rest are refused in their place', async () => {
    const limit = { counter: 'c', window: 'minute', max: 2, scope: 'grant' };
    using web = open({ tools: { ssh_exec: { limits: [limit] } } });
    const { structured } = await web.call(exec, { hosts: ['web-1', 'web-2', 'db-1'], command: 'echo ran' });
    expect(structured.results).toMatchObject([
      { host: 'web-1', stdout: 'ran\n' },
      { host: 'web-2', stdout: 'ran\n' },
      { host: 'db-1', error: { code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) } },
    ]);
  });
});

describe('the list of hosts', () => {
  test('says what may run where, equal answers together, and which sets there are', async () => {
    using web = open({
      ...WEB,
      rules: [
        { ...ANY, hosts: ['web-*'] },
        { id: 'look', effect: 'allow', hosts: ['db-1'], commands: ['uptime'] },
      ],
    });
    const { structured, text } = await web.call(listHosts, {});
    expect(structured).toMatchObject({
      may_run: [
        { hosts: ['web-1', 'web-2'], runs: 'anything' },
        { hosts: ['db-1'], runs: 'some', programs: ['uptime'] },
        { hosts: ['gone-1'], runs: 'nothing' },
      ],
      sets: { prod: 3, nobody: 0 },
    });
    expect(text).toContain(
      'web-1, web-2: may run any command\ndb-1: may run certain commands of uptime\ngone-1: nothing may run\nsets: prod (3), nobody (0)',
    );
  });

  test('is of those that are asked for', async () => {
    using web = open(WEB);
    const { structured } = await web.call(listHosts, { hosts: ['tag:web'] });
    expect(structured).toMatchObject({ hosts: [{ name: 'web-1' }, { name: 'web-2' }] });
    expect(await failureOf(web.call(listHosts, { hosts: ['web-9'] }))).toMatchObject({ code: 'UNKNOWN_HOST' });
  });

  test('of a great many fits, and says how many are left out', async () => {
    const [first] = hosts;
    if (first === undefined) throw new Error('there is a host');
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...first, name: `n-${index}`, via: first }));
    using big = open({}, many);
    const { structured, text } = await big.call(listHosts, {});
    const shown = Array.isArray(structured.hosts) ? structured.hosts.length : 0;
    expect(JSON.stringify(structured).length).toBeLessThanOrEqual(30_000);
    expect(text.length).toBeLessThanOrEqual(30_000);
    expect(shown).toBeGreaterThan(80);
    expect(structured.omitted).toBe(2_000 - shown);
  });
});
