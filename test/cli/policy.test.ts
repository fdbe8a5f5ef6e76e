import { expect, test } from 'vitest';
import { person } from './person.ts';

const POLICY = JSON.stringify({
  version: '1',
  default: 'deny',
  tools: {
    ssh_exec: {
      require: [{ path: 'args.command', op: 'regex', value: 'uptime', on_deny: 'Only uptime.' }],
      deny_if: [{ path: 'args.timeout_ms', op: 'gt', value: 600_000 }],
      limits: [{ counter: 'c', window: 'minute', max: 9, scope: 'grant' }],
    },
    ssh_connect: { approval: { by: 'operator' } },
  },
});

const lines = (...each: readonly string[]): string => each.map(line => `${line}\n`).join('');

test('a sound policy is valid, and what to think about is said with its place', async () => {
  await using somebody = await person();
  await somebody.home.write('p.json', '{"version": "1",\n "default": "allow"}');
  const { code, stdout, stderr } = await somebody.type('policy', 'validate', 'p.json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^p\.json:2:\d+ \/default ssh_exec is unrestricted: .* \(warning\)$/);
  expect(lines.at(-1)).toMatch(/^p\.json: valid, sha256:[0-9a-f]{64}$/);
});

test('every problem of a bad policy is a line of its own, and the exit says so', async () => {
  await using somebody = await person();
  await somebody.home.write('p.json', '{"version": 2,\n "tools": {"ssh_exce": {}}}');
  expect(await somebody.type('policy', 'validate', 'p.json')).toEqual({
    code: 3,
    stdout: lines(
      'p.json:1:1 /default is missing; it must be "allow" or "deny"',
      'p.json:1:13 /version must be "1", and is 2',
      'p.json:2:12 /tools/ssh_exce is not a tool of this server; did you mean "ssh_exec"?',
    ),
    stderr: '',
  });
});

test('as JSON the verdict is whole', async () => {
  await using somebody = await person();
  await somebody.home.write('p.json', '{"version": "1"}');
  const { code, stdout } = await somebody.type('policy', 'validate', 'p.json', '--json');
  expect({ code, verdict: JSON.parse(stdout) }).toEqual({
    code: 3,
    verdict: {
      file: 'p.json',
      valid: false,
      problems: [
        {
          file: 'p.json',
          line: 1,
          column: 1,
          pointer: '/default',
          message: 'is missing; it must be "allow" or "deny"',
        },
      ],
      warnings: [],
    },
  });
});

test.each([
  { title: 'a file that is not there', argv: ['validate', 'nope.json'], says: 'nope.json:1:1 / does not exist\n' },
  {
    title: 'a folder',
    argv: ['validate', '.'],
    says: '.:1:1 / cannot be read: EISDIR: illegal operation on a directory, read\n',
  },
])('$title is no policy', async ({ argv, says }) => {
  await using somebody = await person();
  expect(await somebody.type('policy', ...argv)).toEqual({ code: 3, stdout: '', stderr: says });
});

test('without a file the policy in force is meant, and there may be none', async () => {
  await using somebody = await person();
  const file = `${somebody.home.path}/.config/sallyport/policy.json`;
  expect(await somebody.type('policy', 'validate')).toEqual({
    code: 3,
    stdout: '',
    stderr: `${file}:1:1 / does not exist; sallyport init writes a first one\n`,
  });
  const none = await somebody.type('policy', 'explain', '--json', '--', 'ssh_list_hosts');
  expect(JSON.parse(none.stdout)).toMatchObject({ decision: 'deny', code: 'POLICY_DENIED', rule: '(no policy)' });
  await somebody.home.write('.config/sallyport/policy.json', POLICY);
  expect((await somebody.type('policy', 'validate')).stdout).toMatch(/policy\.json: valid, sha256:/);
});

const explained = async (...argv: readonly string[]) => {
  await using somebody = await person();
  await somebody.home.write('p.json', POLICY);
  return await somebody.type('policy', 'explain', 'p.json', ...argv);
};

test('an allowed call passes every gate and shows what it takes', async () => {
  const { code, stdout, stderr } = await explained('--', 'ssh_exec', 'host=web', 'command=uptime', 'timeout_ms=900');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.replace(/sha256:\w+/, 'sha256:…')).toBe(`ALLOW ssh_exec
  rule    /tools/ssh_exec
  reason  The policy lists ssh_exec.
  runs    uptime
  policy  sha256:…
  tool      open
  document  open
  hidden    open
  default   open
  action    open
  require   open
  deny_if   open
  arguments open
  rules     open
  limits    open
  approval  open
  takes 1 of 9: /tools/ssh_exec/limits/c
`);
});

test('a denied call names the gate, the rule and the reason', async () => {
  const { code, stdout } = await explained('--', 'ssh_exec', 'host=web', 'command=id');
  expect(code).toBe(1);
  expect(stdout.replace(/sha256:\w+/, 'sha256:…')).toBe(`DENY ssh_exec POLICY_DENIED
  rule    /tools/ssh_exec/require/args.command-regex
  reason  Only uptime.
  policy  sha256:…
  tool      open
  document  open
  hidden    open
  default   open
  action    open
  require   deny
  deny_if   not reached
  arguments not reached
  rules     not reached
  limits    not reached
  approval  not reached
`);
});

const CALLS: readonly { readonly title: string; readonly argv: readonly string[]; readonly is: object }[] = [
  {
    title: 'a value is typed as the tool takes it',
    argv: ['--', 'ssh_exec', 'host=web', 'command=uptime', 'timeout_ms=600001'],
    is: { decision: 'deny', rule: '/tools/ssh_exec/deny_if/args.timeout_ms-gt' },
  },
  {
    title: 'a text that looks like a number stays a text where a text is taken',
    argv: ['--', 'ssh_exec', 'host=1', 'command=1'],
    is: { decision: 'deny', reason: 'Only uptime.' },
  },
  {
    title: 'a value may hold an equals sign',
    argv: ['--', 'ssh_exec', 'host=web', 'command=uptime a=b'],
    is: { decision: 'allow' },
  },
  {
    title: 'arguments may be one JSON object before the call',
    argv: ['--args', '{"host":"web","command":"uptime"}', '--', 'ssh_exec'],
    is: { decision: 'allow' },
  },
  {
    title: 'arguments may be one JSON object after the tool',
    argv: ['--', 'ssh_exec', '--args', '{"host":"web","command":"uptime"}'],
    is: { decision: 'allow' },
  },
  {
    title: 'what needs approval is asked for',
    argv: ['--', 'ssh_connect', 'host=web'],
    is: { decision: 'ask', code: 'APPROVAL_UNAVAILABLE', rule: '/tools/ssh_connect/approval' },
  },
  {
    title: 'an unknown tool is denied with the nearest',
    argv: ['--', 'ssh_exce'],
    is: { decision: 'deny', code: 'UNKNOWN_TOOL', reason: 'There is no tool "ssh_exce"; did you mean "ssh_exec"?' },
  },
  {
    title: 'arguments that the tool does not take are denied after the policy',
    argv: ['--', 'ssh_exec', 'host=web', 'command=uptime', 'comand=x'],
    is: { decision: 'deny', code: 'INVALID_INPUT', rule: '(arguments)' },
  },
];

test.each([
  {
    title: 'operators may answer',
    by: 'operator',
    approvals: { allowedSigners: '/etc/approvers' },
    code: 'APPROVAL_REQUIRED',
  },
  { title: 'the client may answer', by: 'client', approvals: {}, code: 'APPROVAL_REQUIRED' },
  { title: 'nobody is configured to answer', by: 'operator', approvals: {}, code: 'APPROVAL_UNAVAILABLE' },
])('an ask where $title is $code', async ({ by, approvals, code }) => {
  await using somebody = await person();
  await somebody.home.write('.config/sallyport/config.json', JSON.stringify({ hosts: {}, approvals }));
  const policy = { version: '1', default: 'deny', tools: { ssh_connect: { approval: { by } } } };
  await somebody.home.write('p.json', JSON.stringify(policy));
  const ran = await somebody.type('policy', 'explain', 'p.json', '--json', '--', 'ssh_connect', 'host=web');
  expect(JSON.parse(ran.stdout)).toMatchObject({ decision: 'ask', code, rule: '/tools/ssh_connect/approval' });
  expect(ran.code).toBe(1);
});

test.each(CALLS)('$title', async ({ argv, is }) => {
  const { code, stdout } = await explained('--json', ...argv);
  expect(JSON.parse(stdout)).toMatchObject(is);
  expect(code).toBe('decision' in is && is.decision === 'allow' ? 0 : 1);
});

const MISUSED: readonly { readonly argv: readonly string[]; readonly says: string }[] = [
  { argv: [], says: 'the call is missing' },
  { argv: ['--'], says: 'the call is missing' },
  { argv: ['--', 'ssh_exec', 'uptime'], says: '"uptime" is not KEY=VALUE' },
  { argv: ['--', 'ssh_exec', '=x'], says: '"=x" is not KEY=VALUE' },
  { argv: ['--args', '[]', '--', 'ssh_exec'], says: '--args must be one JSON object' },
  { argv: ['--args', '{', '--', 'ssh_exec'], says: '--args must be one JSON object' },
  {
    argv: ['--args', '{}', '--', 'ssh_exec', 'host=a'],
    says: 'give the arguments as KEY=VALUE or as --args JSON, not both',
  },
];

test.each(MISUSED)('explain $argv is a misuse', async ({ argv, says }) => {
  const { code, stdout, stderr } = await explained(...argv);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`sallyport: ${says}`);
});

test('a host that is not configured is said to be so, and judged all the same', async () => {
  await using somebody = await person();
  await somebody.home.write('p.json', POLICY);
  await somebody.home.write('.config/sallyport/config.json', '{"hosts":{"web":{"address":"a","user":"u"}}}');
  const known = await somebody.type('policy', 'explain', 'p.json', '--', 'ssh_exec', 'host=web', 'command=uptime');
  const unknown = await somebody.type('policy', 'explain', 'p.json', '--', 'ssh_exec', 'host=wbe', 'command=uptime');
  expect(known.stderr).toBe('');
  expect(unknown.stderr).toBe('wbe is not configured: a real call would be refused with UNKNOWN_HOST.\n');
  expect(unknown.stdout).toBe(known.stdout);
});
