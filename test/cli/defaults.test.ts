import { expect, test } from 'vitest';
import { compilePinned } from '../../src/config/live-policy.ts';
import { formatProblem, InvalidFile } from '../../src/errors.ts';
import { person } from './person.ts';

/** What a call comes to that names neither its timeout nor how long it waits; the server fills both in. */
const exec = { tool: 'ssh_exec', host: 'web-1', args: { command: 'uptime' } };
const DOCUMENT = {
  version: '1',
  default: 'deny',
  tools: {
    ssh_exec: {
      require: [{ path: 'args.wait_ms', op: 'lte', value: 30_000 }],
      deny_if: [{ path: 'args.timeout_ms', op: 'gte', value: 600_000 }],
      limits: [{ counter: 'time', window: 'day', max: 7_200_000, scope: 'grant', increment_from: 'args.timeout_ms' }],
    },
    ssh_read_output: { require: [{ path: 'args.wait_ms', op: 'gt', value: 0 }] },
    ssh_session_send: { deny_if: [{ path: 'args.host', op: 'exists' }] },
  },
};

const DENIED_BY = '/tools/ssh_exec/deny_if/args.timeout_ms-gte';
const short = { ...exec, args: { ...exec.args, timeout_ms: 1000 } };
const TESTS = [
  { ...exec, expect: 'deny', rule: DENIED_BY },
  { ...short, expect: 'allow', rule: '/tools/ssh_exec' },
  {
    ...short,
    args: { ...short.args, wait_ms: 30_001 },
    expect: 'deny',
    rule: '/tools/ssh_exec/require/args.wait_ms-lte',
  },
  { tool: 'ssh_read_output', args: { command_id: 'cmd_x' }, expect: 'allow', rule: '/tools/ssh_read_output' },
  { tool: 'ssh_session_send', host: 'web-1', args: { session_id: 'ses_x', input: 'ls' }, expect: 'allow' },
];

test('the tests of a document judge by the defaults of the tools, wherever it is read', async () => {
  await using somebody = await person();
  const text = JSON.stringify({ ...DOCUMENT, tests: TESTS });
  const file = await somebody.home.write('policy.json', text);
  expect(compilePinned(text, 'policy.json', undefined).digest).toMatch(/^sha256:/);
  expect(await somebody.type('policy', 'test', file)).toMatchObject({ code: 0, stderr: '' });
  expect(await somebody.type('policy', 'validate', file)).toMatchObject({ code: 0, stderr: '' });
  expect(await somebody.type('policy', 'diff', file, file)).toMatchObject({ code: 0, stderr: '' });
});

test('a test that only holds for arguments as they are written does not load', () => {
  const text = JSON.stringify({ ...DOCUMENT, tests: [{ ...exec, expect: 'allow' }] });
  const problems = (): readonly string[] => {
    try {
      compilePinned(text, 'p.json', undefined);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidFile)) throw error;
      return error.problems.map(problem => formatProblem(problem).replace(/^p\.json:\d+:\d+ /, ''));
    }
  };
  expect(problems()).toEqual([
    `/tests/0 should be allow, and is deny by ${DENIED_BY}: ssh_exec is refused when args.timeout_ms is at least 600000.`,
  ]);
});

test.each([
  { call: ['host=web-1', 'command=uptime'], code: 1, is: { decision: 'deny', code: 'POLICY_DENIED', rule: DENIED_BY } },
  { call: ['host=web-1', 'command=uptime', 'timeout_ms=1000'], code: 0, is: { decision: 'allow' } },
])('explain answers as the tests do: $call', async ({ call, code, is }) => {
  await using somebody = await person();
  const file = await somebody.home.write('policy.json', JSON.stringify(DOCUMENT));
  const ran = await somebody.type('policy', 'explain', file, '--json', '--', 'ssh_exec', ...call);
  expect(JSON.parse(ran.stdout)).toMatchObject(is);
  expect(ran).toMatchObject({ code, stderr: '' });
});
