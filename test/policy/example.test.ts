import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { OPERATOR_NAMES } from '../../src/policy/condition.ts';
import { decide, visibility } from '../../src/policy/decide.ts';
import { lint } from '../../src/policy/lint.ts';
import { STOPS, TOOL_NAMES } from '../../src/policy/tool-names.ts';
import { callFor } from '../support/calls.ts';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8');

const TEXT = read('policy.example.json');
const POLICY = compile(TEXT, 'policy.example.json');

test('policy.example.json loads without a warning', () => {
  expect(lint(TEXT, 'policy.example.json')).toEqual([]);
});

test('it shows what can look and run, and hides the rest', () => {
  expect(TOOL_NAMES.filter(name => !visibility(POLICY, name))).toEqual([
    'ssh_upload',
    'ssh_download',
    'ssh_tunnel_start',
    'ssh_tunnel_stop',
    'ssh_host_add',
    'ssh_host_remove',
    'ssh_get_monitoring_url',
  ]);
});

const exec = (more: object) => ({ host: 'web-1', ...more });
test.each([
  ['ssh_exec', exec({ command: 'df -h' }), 'allow', '/tools/ssh_exec'],
  ['ssh_exec', exec({ command: 'df -h; id' }), 'deny', '/tools/ssh_exec/require/args.command-in'],
  ['ssh_exec', exec({ command: 'df  -h' }), 'deny', '/tools/ssh_exec/require/args.command-in'],
  ['ssh_exec', exec({ command: 'uptime\n' }), 'deny', '/tools/ssh_exec/require/args.command-in'],
  ['ssh_exec', exec({ argv: ['df', '-h'] }), 'deny', '/tools/ssh_exec/require/args.command-in'],
  ['ssh_exec', exec({ command: 'df -h', env: {} }), 'deny', '/tools/ssh_exec/deny_if/args.env-exists'],
  ['ssh_exec', exec({ command: 'df -h', timeout_ms: 600_001 }), 'deny', '/tools/ssh_exec/deny_if/args.timeout_ms-gt'],
  ['ssh_session_send', { session_id: 's', input: 'cd /var/log' }, 'allow', '/tools/ssh_session_send'],
  ['ssh_session_send', { session_id: 's', input: 'cd /root' }, 'deny', '/tools/ssh_session_send/require/args.input-in'],
  ['ssh_cancel_command', { command_id: 'c' }, 'allow', '/tools/ssh_cancel_command'],
  ['ssh_upload', exec({}), 'deny', '(default deny)'],
  ['ssh_host_add', exec({}), 'deny', '(hidden)'],
])('%s %j: %s by %s', (tool, args, effect, rule) => {
  const decision = decide(POLICY, callFor(tool, { ...args }), {});
  expect([decision.effect, decision.because[0].rule]).toEqual([effect, rule]);
});

test('a line in a session and a command of its own take the same budget', () => {
  const keys = (tool: string, args: object): readonly string[] => {
    const decision = decide(POLICY, callFor(tool, { ...args }), { host: 'web-1' });
    return decision.effect === 'deny' ? [] : decision.charges.map(({ key }) => key);
  };
  expect(keys('ssh_exec', { host: 'web-1', command: 'uptime' })).toEqual([
    '[60000,"grant","commands","local"]',
    '["concurrent","host","running","web-1"]',
  ]);
  expect(keys('ssh_session_send', { session_id: 's', input: 'uptime' })).toEqual([
    '[60000,"grant","commands","local"]',
  ]);
});

test('the documents of docs/policy.md load, and every operator and stop tool has its place there', () => {
  const docs = read('docs/policy.md');
  const documents = [...docs.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  expect(documents.length).toBe(2);
  for (const text of documents) expect(compile(text, 'docs/policy.md').digest).toMatch(/^sha256:/);
  for (const name of [...OPERATOR_NAMES, ...Object.keys(STOPS)]) expect(docs).toContain(`\`${name}\``);
});
