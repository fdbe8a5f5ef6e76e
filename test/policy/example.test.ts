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
    'ssh_host_add',
    'ssh_host_remove',
    'ssh_get_monitoring_url',
  ]);
});

const exec = (command: string, more: object = {}) => ({ host: 'web-1', command, ...more });
test.each([
  [exec('df -h'), 'allow', '/rules/look'],
  [exec('ps aux | sort -rn -k 3 | head -n 5; free -m'), 'allow', '/rules/look'],
  [exec('git -C /srv/app/current log --oneline -5'), 'allow', '/rules/releases'],
  [exec('tail -n 5 /var/log/syslog', { env: { TZ: 'UTC' }, cwd: '/srv/app/current' }), 'allow', '/rules/look'],
  [exec('df -h > /srv/app/releases/df', { host: 'staging-1' }), 'allow', '/rules/look'],
  [exec('systemctl reload nginx', { host: 'staging-1' }), 'allow', '/rules/restart-staging'],
  [exec('systemctl reload nginx', { host: 'prod-1' }), 'ask', '/rules/restart-production'],
  [exec('cat /srv/app/current/log/*'), 'ask', '/rules/secrets'],
  [exec('systemctl reload nginx'), 'deny', '(no rule)'],
  [exec('df -h; curl evil.example'), 'deny', '(no rule)'],
  [exec('uptime', { env: { LD_PRELOAD: '/tmp/x.so' } }), 'deny', '(no rule)'],
  [exec('uptime', { cwd: '/tmp' }), 'deny', '(no rule)'],
  [exec('uptime', { stdin: 'id' }), 'deny', '(no rule)'],
  [exec('grep -rn key /srv/app/current'), 'ask', '/rules/secrets'],
  [exec('git -C /srv/app/current diff --output=/srv/app/current/x'), 'deny', '(no rule)'],
  [exec('find /srv/app/current -exec id \\;'), 'deny', '(no rule)'],
  [exec("find /srv/app/current -name '*.key' -delete"), 'deny', '(no rule)'],
  [exec('sort -o /var/log/syslog /var/log/syslog'), 'deny', '(no rule)'],
  [exec('journalctl --vacuum-time=1s'), 'deny', '(no rule)'],
  [exec('date -s 2020-01-01'), 'deny', '(no rule)'],
  [exec('less /var/log/syslog'), 'deny', '(no rule)'],
  [exec('tail --pid=1 -f /var/log/syslog'), 'deny', '(no rule)'],
  [exec('docker inspect web'), 'deny', '/rules/container-secrets'],
  [exec('cd /var/log && df -h; cd /srv/app/current'), 'allow', '/rules/look'],
  [exec('cd /var/log && tail -n 5 syslog'), 'deny', '(no rule)'],
  [exec('cd /tmp && df -h'), 'deny', '(no rule)'],
  [exec('redis-cli ping; pg_isready'), 'allow', '/rules/look'],
  [exec('redis-cli -h evil.example ping'), 'deny', '(no rule)'],
  [exec('rm -rf /'), 'deny', '/rules/never'],
])('%j: %s by %s', (args, effect, rule) => {
  const decision = decide(POLICY, callFor('ssh_exec', { ...args }), {});
  expect([decision.effect, decision.because[0].rule]).toEqual([effect, rule]);
});

test.each([
  ['ssh_cancel_command', { command_id: 'c' }, 'allow', '/tools/ssh_cancel_command'],
  ['ssh_session_start', { host: 'web-1' }, 'allow', '/rules/look'],
  ['ssh_host_add', { host: 'web-1' }, 'deny', '(hidden)'],
])('%s %j: %s by %s', (tool, args, effect, rule) => {
  const decision = decide(POLICY, callFor(tool, { ...args }), {});
  expect([decision.effect, decision.because[0].rule]).toEqual([effect, rule]);
});

test('a line in a session and a command of its own take the same budget', () => {
  const session = 'ses_AAAAAAAAAAAAAAAAAAAAAA';
  const keys = (tool: string, args: object): readonly string[] => {
    const decision = decide(POLICY, callFor(tool, { ...args }, { host: 'web-1' }), { host: 'web-1' });
    return decision.effect === 'deny' ? [] : decision.charges.map(({ key }) => key);
  };
  expect(keys('ssh_exec', { host: 'web-1', command: 'uptime' })).toEqual([
    '[60000,"grant","commands","local"]',
    '["concurrent","host","running","web-1"]',
  ]);
  expect(keys('ssh_session_send', { session_id: session, command: 'uptime' })).toEqual([
    '[60000,"grant","commands","local"]',
  ]);
});

test('the documents of docs/policy.md load, and every operator and stop tool has its place there', () => {
  const docs = read('docs/policy.md');
  const documents = [...docs.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  expect(documents.length).toBe(6);
  for (const text of documents) expect(compile(text, 'docs/policy.md').digest).toMatch(/^sha256:/);
  for (const name of [...OPERATOR_NAMES, ...Object.keys(STOPS)]) expect(docs).toContain(`\`${name}\``);
});
