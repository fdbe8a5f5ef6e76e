import { describe, expect, test } from 'vitest';
import { InvalidFile } from '../../src/errors.ts';
import { compile } from '../../src/policy/compile.ts';

const problemsOf = (text: string): readonly string[] => {
  try {
    compile(text, 'p.json');
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    return error.message.split('\n');
  }
};

/** A document with these members on a line of their own. */
const document = (members: string): string =>
  `{ "version": "1", "default": "deny", "tools": { "ssh_exec": {} },\n${members} }`;
const rule = (members: string, more = ''): string => document(`"rules": [{ "id": "a", ${members} }]${more}`);

const BAD: readonly (readonly [about: string, text: string, problems: readonly string[]])[] = [
  [
    'a rule that says nothing',
    document('"rules": [{}]'),
    [
      '2:11 /rules/0/id is missing; it must be a text',
      '2:11 /rules/0/effect is missing; it must be one of "allow", "ask", "deny"',
      '2:11 /rules/0 does not say what it grants: write commands, or actions',
    ],
  ],
  [
    'unknown keys, effects and actions',
    rule('"effect": "permit", "actions": ["exec", "run"], "command": ["uptime"]'),
    [
      '2:34 /rules/0/effect must be one of "allow", "ask", "deny", and is "permit"',
      '2:64 /rules/0/actions/1 must be one of "exec", "shell", "input", "read", "write", "list", "delete", "forward", "configure", and is "run"',
      '2:72 /rules/0/command is not a known name; did you mean "commands"?',
    ],
  ],
  [
    'ids that are written twice, and one that is none',
    document(
      '"rules": [{ "id": "a", "effect": "allow", "commands": ["df"] },\n{ "id": "a", "effect": "deny" }, { "id": "a b", "effect": "deny" }]',
    ),
    ['3:9 /rules/1/id is the id of another rule too', '3:42 /rules/2/id must be letters, digits, "_", "." and "-"'],
  ],
  [
    'a test of several hosts that does not say for which of them it is',
    document('"tests": [{ "tool": "ssh_exec", "args": { "hosts": ["db-1"], "command": "id" }, "expect": "deny" }]'),
    ['2:52 /tests/0/args/hosts are each judged by themselves: give the test the host that it is about, as "host"'],
  ],
  [
    'mistakes in synopses, at their columns',
    rule(
      '"effect": "allow", "commands": ["df [-h", "tail -n <int:5..1>",\n"grep \\u0078 <nam>", "@nothing", "@logs(var)"]',
    ),
    [
      '2:60 /rules/0/commands/0 Close this bracket with "]".',
      '2:75 /rules/0/commands/1 The range 5..1 is empty.',
      '3:14 /rules/0/commands/2 There is no placeholder <nam>. There are <int> <name> <duration> <path> <relpath> <re> <any> <command>.',
      expect.stringMatching(/^3:23 \/rules\/0\/commands\/3 There is no pack @nothing\. There are @inspect /),
      expect.stringMatching(/^3:35 \/rules\/0\/commands\/4 @logs takes folders/),
    ],
  ],
  [
    'names of sets that there are not',
    document(
      '"hosts": { "prod": ["prod-*"] },\n"rules": [{ "id": "a", "effect": "deny", "hosts": ["prdo", "prod-1", "bastion", "a b"] }]',
    ),
    [
      '3:52 /rules/0/hosts/0 is not a set of hosts; did you mean "prod"? A host of this very name can be put into a set',
      '3:81 /rules/0/hosts/3 must be the name of a host or a set, a pattern of names with * and ?, or tag:NAME',
    ],
  ],
  [
    'what means nothing in a deny',
    rule('"effect": "deny", "commands": ["rm ..."], "stdin": true, "timeout": "1m", "env": ["TZ"]'),
    [
      '2:75 /rules/0/stdin means nothing in a deny, which grants nothing',
      '2:92 /rules/0/timeout means nothing in a deny, which grants nothing',
      '2:105 /rules/0/env means nothing in a deny, which grants nothing',
    ],
  ],
  [
    'keys without their action',
    rule(
      '"effect": "allow", "actions": ["read"], "commands": ["df"],\n"alone": true, "match": [], "ports": [1], "input": "any", "approval": {}',
    ),
    [
      '2:54 /rules/0/actions has read without paths; ["/**"] is every file',
      '2:76 /rules/0/commands is about commands, and the rule has no "exec"',
      '3:10 /rules/0/alone is about commands, and the rule has no "exec"',
      '3:25 /rules/0/match is about commands, and the rule has no "exec"',
      '3:38 /rules/0/ports is about tunnels and new hosts: name forward or configure in actions',
      '3:52 /rules/0/input is about keys typed to a program: name input in actions',
      '3:71 /rules/0/approval means nothing in an allow: write "effect": "ask"',
    ],
  ],
  [
    'what narrows where nothing is narrow',
    rule('"effect": "allow", "commands": "any", "stdin": true, "alone": true, "glob": false, "paths": ["/x"]'),
    [
      '2:71 /rules/0/stdin narrows nothing where any command is meant',
      '2:86 /rules/0/alone narrows nothing where any command is meant',
      '2:100 /rules/0/glob narrows nothing where any command is meant',
      '2:116 /rules/0/paths is about files: name read, write, list or delete in actions',
    ],
  ],
  [
    'directories, files and variables that cannot be',
    rule(
      '"effect": "allow", "actions": ["exec", "write"], "commands": ["df"],\n"cwd": ["srv", "~", "~/x", "/a/../b"], "paths": ["~", "/a**"],\n"env": ["TZ", "PATH", "LD_X", "a-b", "Path", "MY_PAGER"]',
    ),
    [
      '3:9 /rules/0/cwd/0 must be absolute, such as /srv/app/**',
      '3:21 /rules/0/cwd/2 must be absolute, such as /srv/app/**',
      '3:28 /rules/0/cwd/3 A path pattern has no "..".',
      '3:50 /rules/0/paths/0 must be absolute, such as /srv/app/**',
      '3:55 /rules/0/paths/1 "**" stands alone between slashes.',
      '4:15 /rules/0/env/1 can make a program run or read something else, and is never passed on',
      '4:23 /rules/0/env/2 can make a program run or read something else, and is never passed on',
      '4:31 /rules/0/env/3 must be the name of an environment variable',
      '4:38 /rules/0/env/4 can make a program run or read something else, and is never passed on',
      '4:46 /rules/0/env/5 can make a program run or read something else, and is never passed on',
    ],
  ],
  [
    'times that cannot be',
    document(
      '"rules": [{ "id": "a", "effect": "deny", "when": {} },\n{ "id": "b", "effect": "deny", "when": { "days": ["monday"], "hours": "8-18", "tz": "Europe/Berln" } },\n{ "id": "c", "effect": "deny", "when": { "not_before": "2026-12-20", "not_after": "2026-01-01T00:00:00" } },\n{ "id": "d", "effect": "deny", "when": { "not_before": "2026-12-20T00:00:00Z", "not_after": "2026-12-19T00:00:00Z" } }]',
    ),
    [
      '2:50 /rules/0/when says no days, hours, not_before or not_after',
      '3:51 /rules/1/when/days/0 must be one of "mon", "tue", "wed", "thu", "fri", "sat", "sun", and is "monday"',
      '3:71 /rules/1/when/hours must be two times of the day, such as "08:00-18:00"',
      '3:85 /rules/1/when/tz is not a time zone that is known here, such as "Europe/Berlin"',
      '4:56 /rules/2/when/not_before must be a time with its zone, such as "2026-12-20T00:00:00Z"',
      '4:83 /rules/2/when/not_after must be a time with its zone, such as "2026-12-20T00:00:00Z"',
      '5:93 /rules/3/when/not_after is before not_before: the rule would never be in force',
    ],
  ],
  [
    'packs that cannot be',
    document(
      '"packs": { "Mine": { "commands": ["df"] }, "inspect": { "commands": ["df"] },\n"ours": { "commands": ["df [-h", "@inspect"], "parameter": { "name": "root", "of": "folders", "example": "srv" } },\n"more": { "commands": ["df [-h", "@inspect"], "stdn": true } }',
    ),
    [
      '2:12 /packs/Mine must be small letters, digits and "-"',
      '2:44 /packs/inspect is a pack that is there already',
      expect.stringMatching(/^3:106 \/packs\/ours\/parameter\/example @ours takes folders/),
      '4:47 /packs/more/stdn is not a known name; did you mean "stdin"?',
    ],
  ],
  [
    'synopses of packs that cannot be',
    document(
      '"packs": { "more": { "commands": ["df [-h", "@inspect", "ls <path:$root> [-x"],\n"parameter": { "name": "root", "of": "folders", "example": "/srv/app" } } }',
    ),
    [
      '2:39 /packs/more/commands/0 Close this bracket with "]".',
      '2:45 /packs/more/commands/1 must be a synopsis: a pack holds no other pack',
      '2:58 /packs/more/commands/2 Close this bracket with "]".',
    ],
  ],
  [
    'tests that are none',
    document('"tests": [{ "tool": "ssh_exce", "expect": "allowed", "at": "today" }]'),
    [
      '2:21 /tests/0/tool is not a tool of this server; did you mean "ssh_exec"?',
      '2:43 /tests/0/expect must be one of "allow", "ask", "deny", and is "allowed"; did you mean "allow"?',
      '2:60 /tests/0/at must be a time such as "2026-11-20T10:00:00Z"',
    ],
  ],
  [
    'a mistake in the tools beside one in a synopsis',
    '{ "version": "1", "default": "deny", "tools": { "ssh_exex": {} },\n"rules": [{ "id": "a", "effect": "allow", "commands": ["[df"] }] }',
    [
      '1:49 /tools/ssh_exex is not a tool of this server; did you mean "ssh_exec"?',
      '2:57 /rules/0/commands/0 Begin with the name of the program.',
      '2:57 /rules/0/commands/0 Close this bracket with "]".',
    ],
  ],
];

test.each(BAD)('%s: every problem with its place', (_about, text, problems) => {
  expect(problemsOf(text).map(each => each.replace('p.json:', ''))).toEqual(problems);
});

describe('a document that fails its own examples or tests does not load', () => {
  test('match and not_match of a rule that grants', () => {
    const text = rule(
      '"effect": "allow", "hosts": ["web-*"], "when": { "not_before": "2030-01-01T00:00:00Z" }, "cwd": ["/srv"], "env": [],\n"commands": ["df [-h]", "uptime"], "match": ["df -h; uptime", "df -a", "df > /dev/null"],\n"not_match": ["df -h", "id", "df | uptime"]',
    );
    expect(problemsOf(text)).toEqual([
      'p.json:3:63 /rules/0/match/1 should be what this grants, and is not: "df" is not granted so, word 2: "-a" is not an option of this synopsis; the nearest is: df [-h].',
      'p.json:4:15 /rules/0/not_match/0 should not be what this grants, and is',
    ]);
  });

  test('of a rule that asks, and of one that denies, by what it may be felt', () => {
    const text = document(
      '"rules": [{ "id": "a", "effect": "ask", "commands": ["reboot"], "match": ["reboot"], "not_match": ["sudo reboot"] },\n{ "id": "b", "effect": "deny", "commands": ["rm ..."], "match": ["rm x", "sudo rm x", "bash -c \'id; rm x\'", "$X", "grep rm"],\n"not_match": ["echo rm", "/bin/rm x"] }]',
    );
    expect(problemsOf(text)).toEqual([
      'p.json:3:115 /rules/1/match/4 should be what this denies, and is not: nothing in it is what the rule denies',
      'p.json:4:26 /rules/1/not_match/1 should not be what this denies, and is',
    ]);
  });

  test('of a pack of its own', () => {
    const text = document(
      '"packs": { "ours": { "commands": ["ls <path:{$root}/**>"], "stdin": true, "parameter": { "name": "root", "of": "folders", "example": "/srv/app" },\n"match": ["ls /srv/app/x", "ls /etc"], "not_match": ["ls /srv/app/../x"] } }',
    );
    expect(problemsOf(text)).toEqual([
      'p.json:3:28 /packs/ours/match/1 should be what this grants, and is not: "ls" is not granted so, word 2: "/etc" is not <path:{/srv/app}/**>; the nearest is: ls <path:{/srv/app}/**>.',
    ]);
  });

  test('a test with another answer, or the right one by another rule', () => {
    const text = rule(
      '"effect": "allow", "hosts": ["web-*", "tag:web"], "users": ["deploy"], "commands": ["df"], "when": { "days": ["mon"] }',
      `,\n"tests": [{ "tool": "ssh_exec", "user": "deploy", "args": { "command": "df" }, "expect": "allow", "rule": "/rules/a" },
{ "tool": "ssh_exec", "user": "deploy", "host": "db-1", "args": { "command": "df" }, "expect": "allow" },
{ "tool": "ssh_exec", "user": "deploy", "host": "db-1", "tags": ["web"], "args": { "argv": ["df"] }, "expect": "allow" },
{ "tool": "ssh_exec", "user": "deploy", "at": "2026-11-20T10:00:00Z", "args": { "command": "df" }, "expect": "deny" },
{ "tool": "ssh_exec", "args": { "command": "df" }, "expect": "deny", "rule": "/rules/a" },
{ "tool": "ssh_status", "expect": "deny", "rule": "(default deny)" }]`,
    );
    expect(problemsOf(text)).toEqual([
      'p.json:4:1 /tests/1 should be allow, and is deny by (no rule): No rule names the program "df".',
      'p.json:7:1 /tests/4 should be deny by /rules/a, and is deny by (no rule): No rule names the program "df".',
    ]);
  });

  test('what this version cannot do is granted by no rule, whatever the tools allow', () => {
    const text = `{ "version": "1", "default": "allow", "hide": ["ssh_host_add"],
"rules": [{ "id": "a", "effect": "allow", "actions": ["read", "exec"], "paths": ["/**"] }],
"tests": [{ "tool": "ssh_get_monitoring_url", "expect": "deny", "rule": "(no rule)" },
{ "tool": "ssh_session_start", "args": { "mode": "terminal" }, "expect": "deny", "rule": "(no rule)" },
{ "tool": "ssh_session_start", "args": { "mode": "managed" }, "expect": "allow" },
{ "tool": "ssh_host_add", "expect": "deny", "rule": "(hidden)" }] }`;
    expect(problemsOf(text)).toEqual([]);
  });

  test('a session, a line of it, and a connection can be tested too', () => {
    const text = `{ "version": "1", "default": "allow",
"rules": [{ "id": "a", "effect": "ask", "hosts": ["web-*"], "commands": ["df"], "cwd": ["~", "/srv"] }],
"tests": [{ "tool": "ssh_session_start", "expect": "allow", "rule": "/rules/a" },
{ "tool": "ssh_session_start", "host": "db-1", "expect": "deny" },
{ "tool": "ssh_connect", "expect": "allow" }, { "tool": "ssh_connect", "args": { "host": "db-1" }, "expect": "deny" },
{ "tool": "ssh_session_send", "args": { "input": "df" }, "expect": "ask" },
{ "tool": "ssh_session_send", "args": { "input": "cd /srv" }, "expect": "allow" },
{ "tool": "ssh_session_send", "args": { "input": "cd /etc" }, "expect": "deny", "rule": "(no rule)" }] }`;
    expect(problemsOf(text)).toEqual([]);
  });
});
