import { TOOL_NAMES } from '../../src/policy/tool-names.ts';

/** A document with one tool, on one line: what stands in it begins at column 53. */
const tool = (members: string): string =>
  `{ "version": "1", "default": "deny", "tools": { "ssh_exec": { ${members} } } }`;
const limit = (members: string): string => tool(`"limits": [{ "counter": "c", "scope": "grant", ${members} }]`);
const condition = (members: string): string => tool(`"deny_if": [{ ${members} }]`);

/** What is wrong, a document in which it is, and every problem that must be reported of it. */
export const BAD_DOCUMENTS: readonly (readonly [about: string, text: string, problems: readonly string[]])[] = [
  ['an empty text', '', ['p.json:1:1 / a value is missing here']],
  ['a list', '[]', ['p.json:1:1 / must be an object, and is a list']],
  ['no document at all', 'null', ['p.json:1:1 / must be an object, and is null']],
  [
    'an empty object',
    '{}',
    ['p.json:1:1 /version is missing; it must be "1"', 'p.json:1:1 /default is missing; it must be "allow" or "deny"'],
  ],
  [
    'a version of another kind',
    '{ "version": 1,\n  "default": "denied" }',
    ['p.json:1:14 /version must be "1", and is 1', 'p.json:2:14 /default must be "allow" or "deny", and is "denied"'],
  ],
  [
    'networks that are none',
    '{ "version": "1", "default": "deny", "networks": { "allow": ["10.0.0.0/33", "10.0.0.0/8"], "deny": ["example.org"], "dent": [] } }',
    [
      'p.json:1:62 /networks/allow/0 must be an address or a network, like 10.0.0.0/8 or fd00::/8',
      'p.json:1:101 /networks/deny/0 must be an address or a network, like 10.0.0.0/8 or fd00::/8',
      'p.json:1:117 /networks/dent is not a known name; did you mean "deny"?',
    ],
  ],
  [
    'unknown keys at every depth',
    '{ "version": "1", "default": "deny", "toolz": {},\n  "tools": { "ssh_exec": { "limts": [], "deny_if": [{ "conditions": [], "ondeny": "x" }] } } }',
    [
      'p.json:1:38 /toolz is not a known name; did you mean "tools"?',
      'p.json:2:28 /tools/ssh_exec/limts is not a known name; did you mean "limits"?',
      'p.json:2:73 /tools/ssh_exec/deny_if/0/ondeny is not a known name; did you mean "on_deny"?',
    ],
  ],
  [
    'names written twice',
    '{ "version": "1", "default": "allow", "default": "deny",\n  "tools": { "ssh_exec": {}, "ssh_\\u0065xec": {} } }',
    [
      'p.json:1:39 /default "default" is written twice in one object',
      'p.json:2:30 /tools/ssh_exec "ssh_exec" is written twice in one object',
    ],
  ],
  [
    'a prototype as a name',
    '{ "version": "1", "default": "deny", "tools": { "__proto__": {} } }',
    ['p.json:1:49 /tools/__proto__ is a name that no file may use'],
  ],
  [
    'trailing commas, and the rest of what is wrong',
    '{ "version": "1", "default": "deny", "hide": ["ssh_exce",], }',
    [
      'p.json:1:47 /hide/0 is not a tool of this server; did you mean "ssh_exec"?',
      'p.json:1:57 /hide has a comma after its last element',
      'p.json:1:59 / has a comma after its last element',
    ],
  ],
  [
    'something after the end',
    '{ "version": "1", "default": "deny" } {}',
    ['p.json:1:39 / something follows the end of the document'],
  ],
  [
    'names of other servers',
    `{ "version": "1", "default": "deny", "hide": ["ssh_version", "ssh_list_sessions"], "tools": {
  "ssh_exec_raw": {}, "ssh_poll_task": {},
  "ssh_session_list": {}, "ssh_tunnel_list": {},
  "add_credential": {}, "list_credentials": {}, "remove_credential": {},
  "scp_copy": {}, "rsync_copy": {} } }`,
    [
      'p.json:1:47 /hide/0 is not a tool of this server: use ssh_status',
      'p.json:1:62 /hide/1 is not a tool of this server: use ssh_status',
      'p.json:2:3 /tools/ssh_exec_raw is not a tool of this server: use ssh_exec with argv',
      'p.json:2:23 /tools/ssh_poll_task is not a tool of this server: use ssh_read_output',
      'p.json:3:3 /tools/ssh_session_list is not a tool of this server: use ssh_status',
      'p.json:3:27 /tools/ssh_tunnel_list is not a tool of this server: use ssh_status',
      'p.json:4:3 /tools/add_credential is not a tool of this server: use ssh_host_add',
      'p.json:4:25 /tools/list_credentials is not a tool of this server: use ssh_list_hosts',
      'p.json:4:49 /tools/remove_credential is not a tool of this server: use ssh_host_remove',
      'p.json:5:3 /tools/scp_copy is not a tool of this server: use ssh_upload or ssh_download',
      'p.json:5:19 /tools/rsync_copy is not a tool of this server: use ssh_upload or ssh_download',
    ],
  ],
  [
    'tools that nobody has',
    '{ "version": "1", "default": "deny", "tools": { "*": {}, "ssh_session_ends": {}, "constructor": {} } }',
    [
      'p.json:1:49 /tools/* stands for every tool only in hide; what holds for every tool stands in all_tools',
      'p.json:1:58 /tools/ssh_session_ends is not a tool of this server; did you mean "ssh_session_end"?',
      `p.json:1:82 /tools/constructor is not a tool of this server; the tools are ${TOOL_NAMES.join(', ')}`,
    ],
  ],
  [
    'an unknown operator',
    condition('"path": "args.a", "op": "equals", "value": 1'),
    [
      'p.json:1:101 /tools/ssh_exec/deny_if/0/op must be one of "eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "contains", "exists", and is "equals"',
    ],
  ],
  [
    'paths that lead nowhere',
    tool(
      '"deny_if": [{ "path": "amount", "op": "exists" }, { "path": "args", "op": "exists" }, { "path": "args..a", "op": "exists" }]',
    ),
    [
      '85 /tools/ssh_exec/deny_if/0/path',
      '123 /tools/ssh_exec/deny_if/1/path',
      '159 /tools/ssh_exec/deny_if/2/path',
    ].map(at => `p.json:1:${at} must be "args." and names, such as args.timeout_ms`),
  ],
  [
    'a value that its operator cannot use',
    condition('"path": "args.a", "op": "gt", "value": "600"'),
    ['p.json:1:116 /tools/ssh_exec/deny_if/0/value must be a number'],
  ],
  [
    'a value that is missing, in a group with another mistake',
    tool('"require": [{ "conditions": [{ "path": "args.a", "op": "in" }], "on_den": "x" }]'),
    [
      'p.json:1:92 /tools/ssh_exec/require/0/conditions/0/value must be a list, not empty, of texts, numbers, true or false',
      'p.json:1:127 /tools/ssh_exec/require/0/on_den is not a known name; did you mean "on_deny"?',
    ],
  ],
  [
    'a pattern that could run for ever elsewhere',
    condition('"path": "args.command", "op": "regex", "value": "(?!rm)(a)\\\\1"'),
    [
      'p.json:1:125 /tools/ssh_exec/deny_if/0/value is not a regular expression of the linear kind (RE2, without look-around and back-references): invalid or unsupported Perl syntax: `(?!`',
    ],
  ],
  [
    'a requirement of nothing',
    tool('"require": [{ "conditions": [] }]'),
    ['p.json:1:91 /tools/ssh_exec/require/0/conditions must not be empty'],
  ],
  [
    'a group that is neither',
    tool('"deny_if": [{}, 5]'),
    [
      'p.json:1:75 /tools/ssh_exec/deny_if/0/conditions is missing; it must be a list',
      'p.json:1:79 /tools/ssh_exec/deny_if/1 must be an object, and is 5',
    ],
  ],
  [
    'a limit that is wrong in every way',
    tool('"limits": [{ "counter": "", "window": "fortnight", "max": -1, "scope": "user", "increment_from": "size" }]'),
    [
      'p.json:1:87 /tools/ssh_exec/limits/0/counter must not be empty',
      'p.json:1:101 /tools/ssh_exec/limits/0/window must be minute, hour, day or a number with s, m, h or d, such as "10m", of at most 366 days',
      'p.json:1:121 /tools/ssh_exec/limits/0/max must be at least 0',
      'p.json:1:134 /tools/ssh_exec/limits/0/scope must be one of "grant", "host", "session", "server", and is "user"',
      'p.json:1:160 /tools/ssh_exec/limits/0/increment_from must be "args." and names, such as args.timeout_ms',
    ],
  ],
  [
    'half a call',
    limit('"window": "minute", "max": 1.5'),
    ['p.json:1:137 /tools/ssh_exec/limits/0/max must be a whole number, and is 1.5'],
  ],
  [
    'more than can be counted',
    limit('"window": "minute", "max": 1e300'),
    ['p.json:1:137 /tools/ssh_exec/limits/0/max must be at most 9007199254740991'],
  ],
  [
    'a number beyond all numbers',
    limit('"window": "minute", "max": 1e999'),
    ['p.json:1:137 /tools/ssh_exec/limits/0/max is too large for a number'],
  ],
  ['no span', limit('"max": 1'), ['p.json:1:74 /tools/ssh_exec/limits/0 has neither a window nor "concurrent": true']],
  [
    'two spans',
    limit('"max": 1, "window": "day", "concurrent": true'),
    ['p.json:1:74 /tools/ssh_exec/limits/0 has both a window and concurrent: give one'],
  ],
  [
    'sums that never end',
    limit('"max": 1, "concurrent": true, "increment_from": "args.size"'),
    ['p.json:1:158 /tools/ssh_exec/limits/0/increment_from adds up within a window, and cannot go with concurrent'],
  ],
  [
    'sums over all tools',
    '{ "version": "1", "default": "allow", "all_tools": { "limits": [{ "counter": "c", "window": "day", "max": 1, "scope": "grant", "increment_from": "args.size" }] } }',
    [
      'p.json:1:128 /all_tools/limits/0/increment_from is not a known name; known here: counter, window, concurrent, max, scope, on_deny',
    ],
  ],
  [
    'other spellings, misspelled',
    tool(
      '"action": "ask", "rate_limit": { "max": "10" }, "approval": { "by": "me", "approvers": 0, "expires": "soon" }, "reason": ""',
    ),
    [
      'p.json:1:73 /tools/ssh_exec/action must be one of "allow", "deny", "require_approval", and is "ask"',
      'p.json:1:94 /tools/ssh_exec/rate_limit/window is missing; it must be a number',
      'p.json:1:103 /tools/ssh_exec/rate_limit/max must be a number, and is "10"',
      'p.json:1:131 /tools/ssh_exec/approval/by must be "client" or "operator", and is "me"',
      'p.json:1:150 /tools/ssh_exec/approval/approvers must be at least 1',
      'p.json:1:164 /tools/ssh_exec/approval/expires must be minute, hour, day or a number with s, m, h or d, such as "10m", of at most 366 days',
      'p.json:1:184 /tools/ssh_exec/reason must not be empty',
    ],
  ],
];
