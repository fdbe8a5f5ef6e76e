import { expect, test } from 'vitest';
import { formatProblem } from '../../src/errors.ts';
import { type Around, lint } from '../../src/policy/lint.ts';

/** Rules one to a line from line 2 on, each allowed to run for a minute at most unless it says otherwise. */
const warnings = (rules: readonly object[], more: object = {}, around: Around = {}): readonly string[] => {
  const head = JSON.stringify({
    version: '1',
    default: 'deny',
    tools: { ssh_exec: {}, ssh_cancel_command: {} },
    ...more,
  });
  const lines = rules.map((rule, index) => {
    const timed = 'effect' in rule && rule.effect === 'deny' ? {} : { timeout: '1m' };
    return JSON.stringify({ id: `r${index}`, ...timed, ...rule });
  });
  const text = `${head.slice(0, -1)}, "rules": [\n${lines.join(',\n')}] }`;
  return lint(text, 'p', undefined, {}, around)
    .map(formatProblem)
    .map(line => line.replace(/^p:(\d+):\d+ /, '$1 '));
};
const allow = (...commands: readonly string[]) => ({ effect: 'allow', commands });
const deny = (...commands: readonly string[]) => ({ effect: 'deny', commands });

test('rules that say what they mean are not warned about', () => {
  expect(
    warnings(
      [
        allow(
          'uptime',
          'sudo [-n] <command>',
          'echo ...',
          'ls [-l] [<path:/srv/*>]...',
          'grep <any>',
          'git log [-<int>]',
          "find . -name '*'",
        ),
        { ...allow('reboot'), effect: 'ask', hosts: ['prod'] },
        deny('rm ...', 'shutdown ...'),
        { effect: 'deny', when: { not_before: '2026-12-20T00:00:00Z' } },
      ],
      { hosts: { prod: ['prod-*'] } },
      { hosts: ['prod-1'], at: Date.parse('2026-12-01T00:00:00Z') },
    ),
  ).toEqual([]);
});

const OBEYS = 'runs, writes or opens what its words say, and here they may say anything: write what they may be';
const STAR = '"*" in a deny stops fewer spellings than it seems to: a deny is no lock, grants are';

test.each<[string, readonly object[], readonly string[]]>([
  [
    'an interpreter or a wrapper with open words',
    [
      allow(
        'python3 ...',
        'sudo ...',
        '{vi,ls} <name> ...',
        'awk <any> <path:/var/log/**>',
        'git * status',
        '/usr/bin/env ...',
        'tar -x*',
        'sh -c <re:.*>',
      ),
    ],
    ['python3', 'sudo', 'vi', 'awk', 'git', 'env', 'tar', 'sh'].map(
      (name, index) => `2 /rules/0/commands/${index} ${name} ${OBEYS}`,
    ),
  ],
  ['a star in a deny', [deny('mkfs* ...', "echo '*'", 'cat <path:/etc/**>')], [`2 /rules/0/commands/0 ${STAR}`]],
  [
    'what grants everything, by name',
    [
      { effect: 'allow', hosts: ['dev'], commands: 'any' },
      { effect: 'ask', actions: ['exec', 'shell', 'input'], input: 'any' },
    ],
    [
      '2 /rules/0/commands grants every command, on dev',
      '3 /rules/1/actions grants every command, on every host',
      '3 /rules/1/actions shell is everything that the account may do, on every host',
      '3 /rules/1/input any key is whatever the program that runs can be told to do',
      '2 /rules/0/id never allows by itself: the rule r1 asks for all of it',
    ],
  ],
  [
    'a leave to go on that a cap takes back',
    [
      { ...allow('make'), detach: true, output: { max_bytes: 65_536 } },
      { ...allow('ls'), detach: true },
    ],
    ['2 /rules/0/detach is in vain beside output: nobody would be there to hold the cap, so such work is refused'],
  ],
  [
    'a grant without a timeout',
    [{ effect: 'allow', commands: ['df'], timeout: undefined }],
    ['2 /rules/0/id has no timeout: what it grants runs as long as the call says'],
  ],
  [
    'rules that another covers',
    [
      { ...allow('df'), hosts: ['web'] },
      { ...allow('df', 'id'), hosts: ['web', 'db'] },
      { ...allow('df', 'id'), hosts: ['web', 'db'] },
      { ...allow('df', 'id'), hosts: ['web'], stdin: true },
      { ...allow('id'), hosts: ['web'], users: ['a'], timeout: '5s' },
      deny('rm ...'),
      { ...deny('rm ...'), users: ['a'] },
    ],
    [
      '2 /rules/0/id says nothing that the rule r1 does not say',
      '2 /rules/0/id says nothing that the rule r2 does not say',
      '2 /rules/0/id says nothing that the rule r3 does not say',
      '4 /rules/2/id says nothing that the rule r1 does not say',
      '8 /rules/6/id says nothing that the rule r5 does not say',
    ],
  ],
  [
    'rules that are never reached',
    [
      allow('df'),
      { effect: 'deny', commands: ['df', 'id'] },
      { ...allow('id'), hosts: ['prod-1'] },
      { effect: 'ask', hosts: ['prod-1', 'prod-2'], actions: ['exec'] },
    ],
    [
      '2 /rules/0/id is never reached: the rule r1 denies all that it grants',
      '4 /rules/2/id is never reached: the rule r1 denies all that it grants',
      '4 /rules/2/id never allows by itself: the rule r3 asks for all of it',
      '5 /rules/3/actions grants every command, on prod-1, prod-2',
    ],
  ],
  [
    'rules that another covers in other words',
    [
      allow('@inspect', 'ls [-l] <path:/srv/**>...', 'du ...'),
      allow('uptime', 'ls -l /srv/app', '{du} -s <path:/var/**>'),
      { ...allow('df', 'id -u'), hosts: ['web-1'] },
      { ...allow('df [-h]', '@inspect'), hosts: ['web-*'] },
      allow('uptime', 'ls -l /etc', 'id evil 1'),
      allow('du', 'df -h'),
      { ...allow('df'), hosts: ['tag:x', 'web-?'] },
    ],
    [
      '3 /rules/1/id says nothing that the rule r0 does not say',
      '4 /rules/2/id says nothing that the rule r3 does not say',
    ],
  ],
  [
    'rules whose every command some deny stops',
    [
      { ...allow('rm -f <path:/tmp/**>', '{rm,shred} -u <path:/tmp/**>'), hosts: ['web-1'] },
      { ...deny('{rm,shred} ...'), hosts: ['web-*'] },
      { ...allow('rm -f <path:/tmp/**>', 'df'), hosts: ['web-1'] },
      { ...allow('{rm,df} <path:/tmp/**>'), hosts: ['web-1'] },
      { ...allow('rm <path:/tmp/**>'), hosts: ['db-1'] },
    ],
    ['2 /rules/0/id is never reached: the rule r1 denies all that it grants'],
  ],
])('%s', (_about, rules, expected) => {
  expect([...warnings(rules)].sort()).toEqual([...expected].sort());
});

test("what a document's own pack opens is warned about where it stands", () => {
  const packs = { run: { commands: ['df', 'python3 ...'] } };
  expect(warnings([allow('@run')], { packs })).toEqual([`1 /packs/run/commands/1 python3 ${OBEYS}`]);
});

test('hosts that are not configured, where the configured ones are known', () => {
  const rules = [{ ...allow('df'), hosts: ['prod', 'wbe-1', 'tag:x', 'nothing-*', 'web-*'] }];
  const sets = { hosts: { prod: ['prod-*', 'db-2'] } };
  expect(warnings(rules, sets, { hosts: ['web-1', 'prod-1'] })).toEqual([
    '1 /hosts/prod/1 is no configured host',
    '2 /rules/0/hosts/1 is no configured host; did you mean "web-1"?',
    '2 /rules/0/hosts/3 is no configured host',
  ]);
  expect(warnings(rules, sets)).toEqual([]);
});

test('a rule that is over is said to be so, by the time that it is', () => {
  const rules = [
    { ...allow('df'), when: { not_after: '2026-01-05T12:00:00Z' } },
    { ...deny('rm ...'), when: { not_before: '2026-01-05T12:00:00Z' } },
  ];
  const at = Date.parse('2026-01-05T12:00:00Z');
  expect(warnings(rules, {}, { at })).toEqual([]);
  expect(warnings(rules, {}, { at: at + 1 })).toEqual([
    '2 /rules/0/when/not_after is over: the rule is never in force again',
  ]);
});

test('a stop may be limited where all that is granted has a timeout', () => {
  const tools = { ssh_exec: {}, ssh_cancel_command: { rate_limit: { max: 10, window: 60 } } };
  expect(warnings([allow('df')], { tools })).toEqual([]);
  expect(warnings([{ ...allow('df'), timeout: undefined }], { tools })).toEqual([
    '1 /tools/ssh_cancel_command ssh_cancel_command is limited: what it cannot stop runs on until its timeout',
    '2 /rules/0/id has no timeout: what it grants runs as long as the call says',
  ]);
});

const files = (actions: readonly string[], ...paths: readonly string[]) => ({ effect: 'allow', actions, paths });
const LOGINS = 'lets files be written that decide who logs in or what runs, such as';
const BYTES = { limits: [{ counter: 'b', window: 'day', max: 9, scope: 'grant', increment_from: 'args.size' }] };

test.each<{ title: string; rules: readonly object[]; said: readonly string[] }>([
  { title: 'files of one folder', rules: [files(['read', 'write', 'list', 'delete'], '/srv/app/**')], said: [] },
  {
    title: 'reading any file',
    rules: [{ ...files(['read'], '/**'), hosts: ['web-*'] }],
    said: ['2 /rules/0/paths lets any file be read, keys and passwords among them, on web-*'],
  },
  { title: 'listing any folder', rules: [files(['list'], '/**')], said: [] },
  {
    title: 'writing any file',
    rules: [files(['write'], '/**')],
    said: [
      '2 /rules/0/paths lets any file be written, those that decide who logs in and what runs among them, on every host',
    ],
  },
  {
    title: 'writing where logins and programs are decided',
    rules: [files(['write'], '/home/**'), files(['write'], '/etc/{cron.d,nginx}/*')],
    said: [
      `2 /rules/0/paths ${LOGINS} /home/x/.ssh/authorized_keys, on every host`,
      `3 /rules/1/paths ${LOGINS} /etc/cron.d/x, on every host`,
    ],
  },
  {
    title: 'the same beside a deny that keeps it, and not beside one that holds elsewhere alone',
    rules: [
      files(['write'], '/root/**'),
      { effect: 'deny', actions: ['write'], paths: ['/**/.ssh/**'] },
      { effect: 'deny', actions: ['write'], paths: ['/home/**'], hosts: ['db-1'] },
      files(['write'], '/home/*/.bashrc'),
    ],
    said: [`5 /rules/3/paths ${LOGINS} /home/x/.bashrc, on every host`],
  },
  {
    title: 'bytes that a command does not have',
    rules: [
      { ...allow('df'), ...BYTES },
      { ...files(['read'], '/srv/**'), ...BYTES },
    ],
    said: ['2 /rules/0/limits counts args.size, which a command does not have: none would be granted'],
  },
])('it is said of rules about files: $title', ({ rules, said }) => {
  expect(warnings(rules)).toEqual(said);
});
