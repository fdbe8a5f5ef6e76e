import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testDocument } from '../../src/cli/policy-test.ts';
import { PRESET_NAMES, presetText } from '../../src/cli/presets.ts';
import { lint } from '../../src/policy/lint.ts';
import { PACKS } from '../../src/policy/packs/index.ts';
import { readCommands } from '../../src/policy/packs/pack.ts';
import { instancesOf } from '../../src/policy/synopsis/instances.ts';
import { type Person, person } from './person.ts';

type Json = Readonly<Record<string, unknown>>;
type Rule = Json & { readonly id: string; readonly effect: 'allow' | 'ask' | 'deny' };

const LOOK: Rule = {
  id: 'look',
  effect: 'allow',
  commands: ['uptime', 'tail -n <int:1..100> <path:/var/log/**>', '@mine(/srv)'],
  timeout: '1m',
  match: ['uptime', 'ls -l /srv/app'],
  not_match: ['uptime; id'],
};
const RESTART: Rule = { id: 'restart', effect: 'ask', hosts: ['prod'], commands: ['systemctl restart <name>'] };
const KEEP: Rule = { id: 'keep', effect: 'deny', commands: ['systemctl restart sshd'] };
const UPTIME = { tool: 'ssh_exec', args: { command: 'uptime' }, expect: 'allow', rule: '/rules/look' };

const documentOf = (changes: Json = {}): string =>
  JSON.stringify({
    version: '1',
    default: 'deny',
    tools: { ssh_exec: {}, ssh_session_send: {} },
    hosts: { prod: ['prod-*', 'tag:production'] },
    packs: {
      mine: {
        parameter: { name: 'root', of: 'folders', example: '/srv' },
        commands: ['ls [-l] <path:{$root}/**>'],
        match: ['ls /srv/x'],
      },
    },
    rules: [LOOK, RESTART, KEEP],
    tests: [UPTIME],
    ...changes,
  });

const withPolicies = async (...texts: readonly string[]): Promise<Person> => {
  const somebody = await person();
  for (const [index, text] of texts.entries()) await somebody.home.write(`${index}.json`, text);
  return somebody;
};

const json = (text: string): Json & { readonly [key: string]: unknown } => JSON.parse(text);

test('policy test answers for every test in order, and for the examples', async () => {
  const deny = { tool: 'ssh_exec', args: { command: 'id' }, expect: 'deny' };
  await using somebody = await withPolicies(documentOf({ tests: [UPTIME, deny] }));
  const { code, stdout } = await somebody.type('policy', 'test', '0.json', '--json');
  expect({ code, report: json(stdout) }).toEqual({
    code: 0,
    report: {
      tests: [
        {
          passed: true,
          expect: 'allow',
          decision: 'allow',
          rule: '/rules/look',
          reason: 'The rule look allows it.',
        },
        {
          passed: true,
          expect: 'deny',
          decision: 'deny',
          rule: '(no rule)',
          reason: 'No rule names the program "id".',
        },
      ],
      passed: 2,
      failed: 0,
      examples: { passed: 4, failed: [] },
    },
  });
});

test('a test that fails is no, and is still told among the others', async () => {
  const wrong = { tool: 'ssh_exec', args: { command: 'id' }, expect: 'allow' };
  await using somebody = await withPolicies(documentOf({ tests: [wrong, UPTIME] }));
  expect(await somebody.type('policy', 'test', '0.json')).toEqual({
    code: 1,
    stdout: `FAILED /tests/0 allow
       is deny by (no rule): No rule names the program "id".
ok     /tests/1 allow
tests: 1 passed, 1 failed
examples: 4 passed, 0 failed
`,
    stderr: '',
  });
});

test('an example that fails is no', async () => {
  await using somebody = await withPolicies(documentOf({ rules: [{ ...LOOK, match: ['id'] }] }));
  const { code, stdout } = await somebody.type('policy', 'test', '0.json', '--json');
  expect({ code, examples: json(stdout).examples }).toEqual({
    code: 1,
    examples: {
      passed: 2,
      failed: [
        {
          passed: false,
          pointer: '/rules/0/match/0',
          expect: 'match',
          command: 'id',
          reason: 'should be what this grants, and is not: No rule names the program "id".',
        },
      ],
    },
  });
});

test('coverage names the rules that no test or example reaches', async () => {
  await using somebody = await withPolicies(documentOf());
  const { stdout } = await somebody.type('policy', 'test', '0.json', '--coverage', '--json');
  expect(json(stdout).coverage).toEqual({ reached: ['/rules/look'], unreached: ['/rules/restart', '/rules/keep'] });
});

test('a document that is unsound otherwise is invalid, not tested', async () => {
  await using somebody = await withPolicies('{"version": "1"}');
  expect(await somebody.type('policy', 'test', '0.json')).toEqual({
    code: 3,
    stdout: '',
    stderr: '0.json:1:1 /default is missing; it must be "allow" or "deny"\n',
  });
});

test('explain says what every rule says, the word that failed, and the gate', async () => {
  await using somebody = await withPolicies(documentOf());
  const call = ['ssh_exec', 'host=prod-1', 'command=uptime; tail -n 500 /var/log/x'];
  const { code, stdout } = await somebody.type('policy', 'explain', '0.json', '--', ...call);
  expect(code).toBe(1);
  expect(stdout.replace(/sha256:\w+/, 'sha256:…')).toBe(`DENY ssh_exec POLICY_DENIED
  rule    (no rule)
  reason  "tail" is not granted so, word 3: "500" is not <int:1..100>; the nearest is: tail -n <int:1..100> <path:/var/log/**>.
  policy  sha256:…
  tool      open
  document  open
  hidden    open
  default   open
  action    open
  require   open
  deny_if   open
  arguments open
  rules     deny
  limits    not reached
  approval  not reached
  hit       allow /rules/look: 'uptime': "tail", word 3: "500" is not <int:1..100> (tail -n <int:1..100> <path:/var/log/**>).
  no        ask   /rules/restart: It does not name the program "uptime".
  no        deny  /rules/keep: Nothing in it is what the rule denies. It does not name the program "uptime".
`);
});

const EXPLAINED: readonly { readonly title: string; readonly call: readonly string[]; readonly is: object }[] = [
  {
    title: 'what is allowed runs in its canonical form',
    call: ['ssh_exec', 'host=web', 'command=ls -l  /srv/x'],
    is: { decision: 'allow', runs: "'ls' '-l' '/srv/x'" },
  },
  {
    title: 'a deny that is hidden behind a wrapper is possible',
    call: ['ssh_exec', 'host=web', 'command=sudo systemctl restart sshd'],
    is: {
      decision: 'deny',
      rules: [
        { rule: '/rules/look', effect: 'allow', answer: 'no', why: 'It does not name the program "sudo".' },
        { rule: '/rules/restart', effect: 'ask', answer: 'no', why: 'It is about other hosts or users.' },
        { rule: '/rules/keep', effect: 'deny', answer: 'possible', why: 'It may be what the rule means.' },
      ],
    },
  },
  {
    title: 'a deny that is certain is a hit, and so is the ask beside it',
    call: ['ssh_exec', 'host=prod-9', 'command=systemctl restart sshd'],
    is: {
      decision: 'deny',
      rule: '/rules/keep',
      rules: [
        { rule: '/rules/look', effect: 'allow', answer: 'no', why: 'It does not name the program "systemctl".' },
        { rule: '/rules/restart', effect: 'ask', answer: 'hit', grants: ["'systemctl' 'restart' 'sshd'"] },
        { rule: '/rules/keep', effect: 'deny', answer: 'hit' },
      ],
    },
  },
  {
    title: 'a text of which not every word is known says where',
    call: ['ssh_exec', 'host=web', 'command=uptime $(id)'],
    is: {
      decision: 'deny',
      rule: '(no rule)',
      gates: expect.arrayContaining([{ gate: 'rules', answer: 'deny' }]),
    },
  },
  {
    title: "a session's line is judged on the host that is named for it",
    call: ['ssh_session_send', 'session_id=ses_AAAAAAAAAAAAAAAAAAAAAA', 'input=systemctl restart nginx'],
    is: { decision: 'ask', rule: '/rules/restart' },
  },
];

test.each(EXPLAINED)('explained: $title', async ({ call, is }) => {
  await using somebody = await withPolicies(documentOf());
  const host = call[0] === 'ssh_session_send' ? ['--host', 'prod-1'] : [];
  const { stdout } = await somebody.type('policy', 'explain', '0.json', ...host, '--json', '--', ...call);
  expect(json(stdout)).toMatchObject(is);
});

test('a call that is refused before the rules says nothing of them', async () => {
  await using somebody = await withPolicies(documentOf());
  const { stdout } = await somebody.type('policy', 'explain', '0.json', '--json', '--', 'ssh_connect', 'host=web');
  expect(json(stdout)).not.toHaveProperty('rules');
});

test('can writes out what may run on a host, and who asks or denies', async () => {
  await using somebody = await withPolicies(documentOf());
  const { code, stdout } = await somebody.type('policy', 'can', '0.json', 'host=prod-1', 'user=deploy');
  expect({ code, text: stdout.slice(0, stdout.indexOf('tools')) }).toEqual({
    code: 0,
    text: `prod-1 as deploy
exec
  allow /rules/look (timeout "1m")
    uptime
    tail -n <int:1..100> <path:/var/log/**>
    @mine(/srv)
      ls [-l] <path:{/srv}/**>
  ask   /rules/restart
    systemctl restart <name>
  deny  /rules/keep
    systemctl restart sshd
`,
  });
  expect(stdout).toContain('  allow ssh_exec\n');
  expect(stdout).toContain('  deny  ssh_connect\n');
});

test('can knows the tags and the user of a configured host', async () => {
  await using somebody = await withPolicies(documentOf());
  const config = '{"hosts":{"db":{"address":"a","user":"u","tags":["production"]}}}';
  await somebody.home.write('.config/sallyport/config.json', config);
  const { stdout } = await somebody.type('policy', 'can', '0.json', 'host=db', '--json');
  expect(json(stdout)).toMatchObject({
    host: 'db',
    user: 'u',
    tags: ['production'],
    actions: { exec: [{ rule: '/rules/look' }, { rule: '/rules/restart', effect: 'ask' }, { rule: '/rules/keep' }] },
  });
});

const CANNOT: readonly { readonly title: string; readonly document: Json; readonly code: number }[] = [
  { title: 'nothing, where only denies are left', document: { rules: [KEEP], tests: [] }, code: 1 },
  { title: 'nothing, where no rule is about the host', document: { rules: [RESTART], tests: [] }, code: 1 },
  { title: 'everything, without rules', document: { rules: undefined, tests: [] }, code: 0 },
  {
    title: 'nothing, where no tool is let through',
    document: { tools: { ssh_exec: { action: 'deny' } }, tests: [] },
    code: 1,
  },
];

test.each(CANNOT)('can says $title', async ({ document, code }) => {
  await using somebody = await withPolicies(documentOf(document));
  expect((await somebody.type('policy', 'can', '0.json', 'host=web')).code).toBe(code);
});

test.each([
  { argv: ['0.json'], says: 'the host is missing' },
  { argv: ['host=a', 'host=b'], says: 'give host=NAME once' },
  { argv: ['a.json', 'b.json', 'host=a'], says: 'policy can does not take "b.json"' },
])('can $argv is a misuse', async ({ argv, says }) => {
  await using somebody = await person();
  const { code, stderr } = await somebody.type('policy', 'can', ...argv);
  expect(code).toBe(2);
  expect(stderr).toContain(`sallyport: ${says}`);
});

const diffOf = async (old: string, now: string, ...more: readonly string[]) => {
  await using somebody = await withPolicies(old, now);
  const { code, stdout } = await somebody.type('policy', 'diff', '0.json', '1.json', '--json', ...more);
  const difference: {
    readonly changes: readonly { readonly change: string; readonly args: Json; readonly hosts: readonly string[] }[];
    readonly widens: boolean;
  } = JSON.parse(stdout);
  return { code, ...difference, ways: [...new Set(difference.changes.map(({ change }) => change))] };
};

const rules = (...each: readonly Rule[]): Json => ({ rules: each });
const NARROW: Rule = { ...LOOK, commands: ['uptime'], match: [] };
const SESSIONS: Json = { tools: { ssh_exec: {}, ssh_session_start: {}, ssh_session_send: {} } };
const WIDER: readonly { readonly title: string; readonly narrow: Json; readonly wide: Json }[] = [
  {
    title: 'a bound that is raised',
    narrow: {},
    wide: rules(
      { ...LOOK, commands: ['uptime', 'tail -n <int:1..1000> <path:/var/log/**>', '@mine(/srv)'] },
      RESTART,
      KEEP,
    ),
  },
  { title: 'a synopsis more', narrow: rules(NARROW), wide: rules({ ...NARROW, commands: ['uptime', 'df [-h]'] }) },
  { title: 'an option more', narrow: rules(NARROW), wide: rules({ ...NARROW, commands: ['uptime [-p]'] }) },
  { title: 'a deny less', narrow: {}, wide: rules(LOOK, { ...RESTART, effect: 'allow' }) },
  { title: 'a host more', narrow: {}, wide: { hosts: { prod: ['prod-*', 'tag:production', 'stage-*'] } } },
  { title: 'any address', narrow: { networks: { allow: ['10.0.0.0/8'] } }, wide: {} },
  {
    title: 'a network more',
    narrow: { networks: { allow: ['10.0.0.0/8'] } },
    wide: { networks: { allow: ['10.0.0.0/8', 'fd00::/8'] } },
  },
  { title: 'a network denied no more', narrow: { networks: { deny: ['10.1.0.0/16'] } }, wide: {} },
  { title: 'any user', narrow: rules({ ...NARROW, users: ['deploy'] }), wide: rules(NARROW) },
  { title: 'input', narrow: rules(NARROW), wide: rules({ ...NARROW, stdin: true }) },
  { title: 'company', narrow: rules({ ...NARROW, alone: true }), wide: rules(NARROW) },
  { title: 'a variable', narrow: rules(NARROW), wide: rules({ ...NARROW, env: ['TZ'] }) },
  { title: 'a directory', narrow: rules(NARROW), wide: rules({ ...NARROW, cwd: ['~', '/srv/**'] }) },
  { title: 'more time', narrow: rules(NARROW), wide: rules({ ...NARROW, timeout: '2m' }) },
  {
    title: 'other times',
    narrow: rules({ ...NARROW, when: { hours: '08:00-18:00' } }),
    wide: rules({ ...NARROW, when: { hours: '08:00-18:30' } }),
  },
  {
    title: 'a limit that is raised',
    narrow: rules({ ...NARROW, limits: [{ counter: 'c', window: 'minute', max: 3, scope: 'grant' }] }),
    wide: rules({ ...NARROW, limits: [{ counter: 'c', window: 'minute', max: 4, scope: 'grant' }] }),
  },
  {
    title: 'a limit over a shorter time',
    narrow: rules({ ...NARROW, limits: [{ counter: 'c', window: 'hour', max: 3, scope: 'grant' }] }),
    wide: rules({ ...NARROW, limits: [{ counter: 'c', window: 'minute', max: 3, scope: 'grant' }] }),
  },
  { title: 'every command', narrow: rules(NARROW), wide: rules({ ...NARROW, commands: 'any', not_match: [] }) },
  { title: 'a tool more', narrow: {}, wide: { tools: { ssh_exec: {}, ssh_session_send: {}, ssh_status: {} } } },
  {
    title: 'a value more of a condition',
    narrow: {
      tools: { ssh_exec: { require: [{ path: 'args.command', op: 'in', value: ['uptime'] }] } },
      ...rules(NARROW),
    },
    wide: {
      tools: { ssh_exec: { require: [{ path: 'args.command', op: 'in', value: ['uptime', 'uptime '] }] } },
      ...rules(NARROW),
    },
  },
  {
    title: 'a login shell',
    narrow: { ...SESSIONS, ...rules(NARROW) },
    wide: { ...SESSIONS, ...rules(NARROW, { id: 'shell', effect: 'allow', actions: ['shell'] }) },
  },
  {
    title: 'a key more',
    narrow: { ...SESSIONS, ...rules({ ...NARROW, actions: ['exec', 'input'], input: ['q'] }) },
    wide: { ...SESSIONS, ...rules({ ...NARROW, actions: ['exec', 'input'], input: ['q', 'k'] }) },
  },
  {
    title: 'an action that no call can show',
    narrow: rules(NARROW),
    wide: rules(NARROW, { id: 'w', effect: 'allow', actions: ['write'], paths: ['/srv/**'] }),
  },
];

test.each(WIDER)('diff sees that $title is wider, and that the way back is not', async ({ narrow, wide }) => {
  const [before, after] = [documentOf({ tests: [], ...narrow }), documentOf({ tests: [], ...wide })];
  const there = await diffOf(before, after);
  expect({ code: there.code, widens: there.widens }).toEqual({ code: 1, widens: true });
  const back = await diffOf(after, before);
  expect({ code: back.code, widens: back.widens }).toEqual({ code: 0, widens: false });
});

const SAME: readonly { readonly title: string; readonly change: Json }[] = [
  { title: 'another order', change: rules(KEEP, RESTART, LOOK) },
  { title: 'another name', change: rules({ ...LOOK, id: 'seeing' }, RESTART, KEEP) },
  { title: 'another sentence', change: { description: 'Otherwise the same.' } },
];

test.each(SAME)('diff finds nothing in $title', async ({ change }) => {
  const { code, ways } = await diffOf(documentOf({ tests: [] }), documentOf({ tests: [], ...change }));
  expect({ code, ways }).toEqual({ code: 0, ways: [] });
});

test('what is allowed and then asked for is neither wider nor a refusal', async () => {
  const { code, ways } = await diffOf(
    documentOf({ tests: [] }),
    documentOf({ tests: [], ...rules({ ...LOOK, effect: 'ask' }, RESTART, KEEP) }),
  );
  expect({ code, ways }).toEqual({ code: 0, ways: ['asked'] });
});

test('diff says each change once, with every host that it is about', async () => {
  await using somebody = await withPolicies(
    documentOf({ tests: [], ...rules(NARROW) }),
    documentOf({
      tests: [],
      ...rules(NARROW, { id: 'ps', effect: 'allow', hosts: ['db-1', 'db-2'], commands: ['ps aux'] }),
    }),
  );
  const { code, stdout } = await somebody.type('policy', 'diff', '0.json', '1.json');
  expect({ code, first: stdout.split('\n').slice(0, 3) }).toEqual({
    code: 1,
    first: [
      'widened  ssh_exec command=ps aux',
      '         on db-1, db-2: decision',
      '         was deny by (no rule), is allow by /rules/ps',
    ],
  });
  expect(stdout).toMatch(/calls tried\nThe new policy allows more\.\n$/);
});

const RECORDS = [
  { v: 1, time: '2026-11-20T10:00:00.000Z', event: 'started', detail: {} },
  {
    event: 'refused',
    time: '2026-11-20T10:00:01.000Z',
    tool: 'ssh_exec',
    action: { kind: 'exec', host: 'web-7', user: 'deploy', command: 'w somebody', timeout_ms: 1000 },
  },
  { event: 'refused', tool: 'ssh_upload', arguments: ['host'] },
  {
    event: 'admitted',
    tool: 'ssh_session_send',
    action: { kind: 'exec', host: 'web-7', user: 'deploy', command: 'uptime', cwd: '/home/deploy', session: 'ses_x' },
  },
];

test('a replay judges the calls of the record again, and counts those that it cannot', async () => {
  await using somebody = await withPolicies(
    documentOf({ tests: [], ...rules(NARROW) }),
    documentOf({ tests: [], ...rules({ ...NARROW, commands: ['w <re:[a-z]+>'] }) }),
  );
  await somebody.home.write('audit.jsonl', `${RECORDS.map(each => JSON.stringify(each)).join('\n')}\n{"torn`);
  const argv = ['policy', 'diff', '0.json', '1.json', '--replay', 'audit.jsonl', '--json'];
  const { code, stdout } = await somebody.type(...argv);
  const { replayed, skipped, changes } = JSON.parse(stdout);
  expect({ code, replayed, skipped }).toEqual({ code: 1, replayed: 2, skipped: 1 });
  expect(changes).toContainEqual(
    expect.objectContaining({ change: 'widened', hosts: ['web-7'], at: ['2026-11-20T10:00:01.000Z'] }),
  );
  expect(changes).toContainEqual(
    expect.objectContaining({ change: 'narrowed', tool: 'ssh_session_send', hosts: ['web-7'] }),
  );
});

test('a record that is not there is no answer', async () => {
  await using somebody = await withPolicies(documentOf(), documentOf());
  const { code, stderr } = await somebody.type('policy', 'diff', '0.json', '1.json', '--replay', 'nope.jsonl');
  expect({ code, stderr }).toEqual({ code: 3, stderr: 'nope.jsonl:1:1 / does not exist\n' });
});

test('of every synopsis of every pack there is a command that it grants', () => {
  const without = [...PACKS.values()].flatMap(({ name, parameter }): readonly string[] => {
    const read = readCommands([parameter === undefined ? `@${name}` : `@${name}(${parameter.example})`], false, PACKS);
    if (!('listed' in read)) return [name];
    return read.listed.map(({ text }) => text).filter(text => instancesOf(text, [['uptime']]).length === 0);
  });
  expect(without).toEqual([]);
});

test('commands are made for each alternative, option and bound of a synopsis', () => {
  expect(instancesOf('sudo [-n] systemctl {status,restart} <name> [-l]')).toEqual([
    'sudo systemctl status web',
    'sudo -n systemctl restart a.b@c:d-e -l',
    'sudo -n systemctl status web',
    'sudo systemctl restart web',
    'sudo systemctl status a.b@c:d-e',
    'sudo systemctl status web -l',
  ]);
});

test.each(PRESET_NAMES.map(name => ({ name })))('the preset $name passes its own tests', ({ name }) => {
  const { failed, examples, coverage } = testDocument(presetText(name), name, true);
  expect({ failed, examples: examples.failed, unreached: coverage?.unreached }).toEqual({
    failed: 0,
    examples: [],
    unreached: [],
  });
  const doubts = lint(presetText(name), name).map(({ pointer }) => pointer);
  expect(doubts.every(pointer => name === 'admin' && pointer.startsWith('/rules/0/'))).toBe(true);
});

test('policy init writes a preset for its owner alone, and never over another', async () => {
  await using somebody = await person();
  const path = join(somebody.home.path, '.config/sallyport/policy.json');
  expect(await somebody.type('policy', 'init', '--preset', 'operate')).toEqual({
    code: 0,
    stdout: '',
    stderr: `${path} written\n`,
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const schema = join(somebody.home.path, '.config/sallyport/policy.schema.json');
  expect(await readFile(schema, 'utf8')).toBe((await somebody.type('policy', 'schema')).stdout);
  const again = await somebody.type('policy', 'init', '--preset', 'admin', '--json');
  expect({ code: again.code, status: json(again.stdout).status }).toEqual({ code: 1, status: 'exists' });
  expect(await readFile(path, 'utf8')).toBe(presetText('operate'));
});

test('policy init --print shows the preset and writes nothing', async () => {
  await using somebody = await person();
  expect(await somebody.type('policy', 'init', '--print')).toEqual({
    code: 0,
    stdout: presetText('observe'),
    stderr: '',
  });
  await expect(stat(join(somebody.home.path, '.config'))).rejects.toThrow('ENOENT');
});

test('policy schema prints a schema of the dialect 2020-12 that knows every key of a document', async () => {
  await using somebody = await person();
  const { code, stdout } = await somebody.type('policy', 'schema');
  const schema: { readonly $schema: string; readonly properties: Json; readonly required: unknown } =
    JSON.parse(stdout);
  expect({ code, dialect: schema.$schema, required: schema.required }).toEqual({
    code: 0,
    dialect: 'https://json-schema.org/draft/2020-12/schema',
    required: ['version', 'default'],
  });
  expect(Object.keys(schema.properties)).toEqual([
    '$schema',
    'version',
    'description',
    'default',
    'hide',
    'all_tools',
    'tools',
    'hosts',
    'networks',
    'rules',
    'packs',
    'tests',
  ]);
});

test('validate shows what to think about in rules, hosts that are not configured among it', async () => {
  const odd = { ...NARROW, id: 'odd', hosts: ['web-one'], commands: ['awk ...'], timeout: undefined };
  await using somebody = await withPolicies(documentOf({ rules: [LOOK, odd], tests: [] }));
  await somebody.home.write('.config/sallyport/config.json', '{"hosts":{"web-1":{"address":"a","user":"u"}}}');
  const { code, stdout } = await somebody.type('policy', 'validate', '0.json', '--json');
  const { warnings }: { warnings: readonly { readonly pointer: string }[] } = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(warnings.map(({ pointer }) => pointer)).toEqual(
    expect.arrayContaining(['/rules/1/commands/0', '/rules/1/hosts/0', '/rules/1/id']),
  );
});
