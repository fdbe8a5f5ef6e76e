import { describe, expect, test } from 'vitest';
import { formatProblem, InvalidFile } from '../../src/errors.ts';
import { lint } from '../../src/policy/lint.ts';
import { isAnchored } from '../../src/policy/pattern.ts';
import { KNOWN } from '../../src/policy/tool-names.ts';

const warningsOf = (text: string, takes?: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  lint(text, 'p.json', KNOWN, takes).map(formatProblem);
const tools = (members: string, more = ''): string =>
  `{ "version": "1", "default": "deny",${more}\n"tools": {\n${members} } }`;

describe('a sound document is warned about', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing when it only looks', tools('"ssh_status": {}, "ssh_list_hosts": {}'), []],
    [
      'each tool that nothing confines',
      tools(
        '"ssh_exec": {},\n"ssh_session_start": {},\n"ssh_session_send": {},\n"ssh_session_end": {}, "ssh_cancel_command": {}',
      ),
      [
        'p.json:3:1 /tools/ssh_exec ssh_exec is unrestricted: it may run any command, on every host',
        'p.json:4:1 /tools/ssh_session_start ssh_session_start is unrestricted: it may open a session for any command, on every host',
        'p.json:5:1 /tools/ssh_session_send ssh_session_send is unrestricted: it may run any command in a session, on every host',
      ],
    ],
    [
      'nothing when a requirement names the commands, but a deny_if is no lock',
      tools(`"ssh_exec": { "require": [{ "path": "args.command", "op": "eq", "value": "uptime" }] }, "ssh_cancel_command": {},
"ssh_session_send": { "deny_if": [{ "path": "args.input", "op": "eq", "value": "reboot" }] }`),
      [
        'p.json:4:1 /tools/ssh_session_send ssh_session_send is unrestricted: it may run any command in a session, on every host',
      ],
    ],
    [
      'nothing when the tool is denied or hidden',
      tools('"ssh_exec": { "action": "deny" }, "ssh_upload": {}', '"hide": ["ssh_upload"],'),
      [],
    ],
    [
      'all that default allow opens',
      '{ "version": "1",\n"default": "allow" }',
      [
        'ssh_exec is unrestricted: it may run any command',
        'ssh_session_start is unrestricted: it may open a session for any command',
        'ssh_session_send is unrestricted: it may run any command in a session',
        'ssh_upload is unrestricted: it may write any file',
        'ssh_download is unrestricted: it may read any file',
        'ssh_tunnel_start is unrestricted: it may reach any address',
      ].map(message => `p.json:2:1 /default ${message}, on every host`),
    ],
    [
      'a stop that is limited, asked for, denied, hidden or left out although its start is allowed',
      tools(
        `"ssh_cancel_command": { "rate_limit": { "max": 10, "window": 60 } },
"ssh_session_end": { "action": "deny" },
"ssh_tunnel_stop": { "approval": {} },
"ssh_connect": {}`,
        '\n"hide": [],',
      ),
      [
        'p.json:1:19 /default ssh_disconnect is hidden or not listed: what it cannot stop runs on until its timeout',
        'p.json:4:1 /tools/ssh_cancel_command ssh_cancel_command is limited: what it cannot stop runs on until its timeout',
        'p.json:5:1 /tools/ssh_session_end ssh_session_end is denied: what it cannot stop runs on until its timeout',
        'p.json:6:1 /tools/ssh_tunnel_stop ssh_tunnel_stop is subject to approval: what it cannot stop runs on until its timeout',
      ],
    ],
    [
      'a stop that is hidden',
      tools('"ssh_status": {}', '\n"hide": ["ssh_disconnect"],'),
      ['p.json:2:10 /hide/0 ssh_disconnect is hidden or not listed: what it cannot stop runs on until its timeout'],
    ],
    [
      'a budget over all tools that counts stopping too',
      tools(
        '"ssh_disconnect": {}, "ssh_status": {}',
        '\n"all_tools": { "limits": [{ "counter": "c", "window": "minute", "max": 60, "scope": "grant" }] },',
      ),
      [
        'p.json:2:27 /all_tools/limits/0 counts ssh_disconnect too: an agent that has used it up cannot stop what it began',
      ],
    ],
    [
      'a pattern that is not anchored, in a group or bare',
      tools(`"ssh_connect": { "require": [{ "path": "args.host", "op": "regex", "value": "web-[0-9]+" }],
"deny_if": [{ "conditions": [{ "path": "args.host", "op": "regex", "value": "^a|b$" }] }] }, "ssh_disconnect": {}`),
      [
        'p.json:3:77 /tools/ssh_connect/require/0/value matches anywhere in the text; ^(?:…)$ would match the whole of it',
        'p.json:4:77 /tools/ssh_connect/deny_if/0/conditions/0/value matches anywhere in the text; ^(?:…)$ would match the whole of it',
      ],
    ],
  ])('%s', (_title, text, warnings) => {
    expect(warningsOf(text)).toEqual(warnings);
  });
});

test('an argument that a tool does not take is named, with the nearest that it does', () => {
  const text = tools(
    '"ssh_connect": { "deny_if": [{ "path": "args.hots.name", "op": "exists" }] }, "ssh_disconnect": {}',
  );
  expect(warningsOf(text)).toEqual([]);
  expect(warningsOf(text, { ssh_connect: ['host', 'reason'] })).toEqual([
    'p.json:3:40 /tools/ssh_connect/deny_if/0/path ssh_connect has no argument hots; did you mean "host"?',
  ]);
});

test('a document that is not sound is not warned about but refused', () => {
  expect(() => lint('{}', 'p.json')).toThrow(InvalidFile);
});

test.each([
  ['^a$', true],
  ['^(?:a|b)$', true],
  ['\\Aa\\z', true],
  ['(?i)^a$', true],
  ['^[|]$', true],
  ['^a\\|b$', true],
  ['^a\\\\$', true],
  ['a$', false],
  ['^a', false],
  ['^a|b$', false],
  ['^a\\$', false],
  ['(?m)^a$', false],
  ['', false],
])('the pattern %j speaks of the whole text: %s', (pattern, anchored) => {
  expect(isAnchored(pattern)).toBe(anchored);
});

test('a tool that no rule lets do anything is said, and one that is only allowed by default is not', () => {
  const text = `{ "version": "1", "default": "allow", "tools": {
"ssh_upload": {},
"ssh_download": {},
"ssh_tunnel_start": {} },
"rules": [{ "id": "a", "effect": "allow", "actions": ["list"], "paths": ["/srv/**"] }] }`;
  expect(warningsOf(text)).toEqual([
    'p.json:2:1 /tools/ssh_upload ssh_upload can do nothing: no rule grants write',
    'p.json:4:1 /tools/ssh_tunnel_start ssh_tunnel_start can do nothing: no rule grants forward',
  ]);
});

test('a limit that adds up what is never given is said; args.size is given by what moves bytes', () => {
  const limit = (path: string) =>
    `{ "limits": [{ "counter": "b", "window": "day", "max": 9, "scope": "grant", "increment_from": "${path}" }] }`;
  const text = tools(
    `"ssh_upload": ${limit('args.size')},\n"ssh_exec": ${limit('args.size')},\n"ssh_cancel_command": {}`,
    '"rules": [{ "id": "a", "effect": "allow", "actions": ["write"], "paths": ["/srv/**"] }],',
  );
  const takes = { ssh_upload: ['host', 'remote_path'], ssh_exec: ['host', 'command'] };
  expect(warningsOf(text, takes)).toEqual([
    'p.json:4:107 /tools/ssh_exec/limits/0/increment_from ssh_exec has no argument size: what is not given cannot be counted, and is refused',
  ]);
  const condition = tools(
    `"ssh_upload": { "require": [{ "path": "args.size", "op": "lte", "value": 9 }] }`,
    '"rules": [{ "id": "a", "effect": "allow", "actions": ["write"], "paths": ["/srv/**"] }],',
  );
  expect(warningsOf(condition, takes)).toEqual([]);
});
