import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Program } from '../../src/call.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, NO_POLICY, type Policy } from '../../src/policy/decide.ts';
import { fileOutlookOn } from '../../src/policy/file-outlook.ts';
import { outlookOn } from '../../src/policy/outlook.ts';
import { instancesOf } from '../../src/policy/synopsis/instances.ts';
import { ROOT } from '../shape/source.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const ME = { grant: 'local', at: NOW };
const on = (host: string, ...tags: readonly string[]) => ({
  host,
  user: 'deploy',
  address: '192.0.2.1',
  port: 22,
  tags,
});
const policyOf = (document: object): Policy =>
  compile(JSON.stringify({ version: '1', default: 'deny', ...document }), 'policy.json');
const EXEC = { tools: { ssh_exec: {} } };

const ANY = { id: 'any', effect: 'allow', commands: 'any' };
const ROWS: readonly { title: string; document: object; outlook: object }[] = [
  { title: 'a tool that is not listed runs nothing', document: {}, outlook: { runs: 'nothing' } },
  { title: 'without rules, anything', document: EXEC, outlook: { runs: 'anything' } },
  {
    title: 'a tool that asks runs nothing by itself',
    document: { tools: { ssh_exec: { action: 'require_approval' } } },
    outlook: { runs: 'nothing' },
  },
  {
    title: 'conditions leave most, as they may refuse',
    document: { tools: { ssh_exec: { deny_if: [{ path: 'args.command', op: 'contains', value: 'rm' }] } } },
    outlook: { runs: 'most' },
  },
  {
    title: 'conditions on the host are about each host',
    document: { tools: { ssh_exec: { require: [{ path: 'args.host', op: 'eq', value: 'db-1' }] } } },
    outlook: { runs: 'nothing' },
  },
  { title: 'a rule for any command is anything', document: { ...EXEC, rules: [ANY] }, outlook: { runs: 'anything' } },
  {
    title: 'beside a rule that denies some, most',
    document: { ...EXEC, rules: [ANY, { id: 'no', effect: 'deny', commands: ['reboot'] }] },
    outlook: { runs: 'most' },
  },
  {
    title: 'any command in one folder alone is not anything',
    document: { ...EXEC, rules: [{ ...ANY, cwd: ['~', '/srv/**'] }] },
    outlook: { runs: 'most' },
  },
  {
    title: 'beside a rule that denies all, nothing',
    document: { ...EXEC, rules: [ANY, { id: 'no', effect: 'deny', hosts: ['web-*'] }] },
    outlook: { runs: 'nothing' },
  },
  {
    title: 'any command that must be asked for is nothing',
    document: { ...EXEC, rules: [{ ...ANY, effect: 'ask' }] },
    outlook: { runs: 'nothing' },
  },
  {
    title: 'programs of certain commands, those only of other hosts, other times, or denied left out',
    document: {
      ...EXEC,
      rules: [
        {
          id: 'some',
          effect: 'allow',
          commands: ['uptime', 'systemctl status <name>', 'reboot', '{true,false}', 'sudo <command>'],
        },
        { id: 'other', effect: 'allow', hosts: ['db-*'], commands: ['psql -l'] },
        { id: 'over', effect: 'allow', commands: ['who'], when: { not_after: '2026-01-01T00:00:00Z' } },
        { id: 'asked', effect: 'ask', commands: ['w'] },
        { id: 'no', effect: 'deny', commands: ['reboot'] },
      ],
    },
    outlook: { runs: 'some', programs: ['false', 'sudo', 'systemctl', 'true', 'uptime'] },
  },
  {
    title: 'rules that grant nothing here',
    document: { ...EXEC, rules: [{ id: 'x', effect: 'allow', hosts: ['db-*'], commands: ['id'] }] },
    outlook: { runs: 'nothing' },
  },
];

test.each(ROWS)('$title', ({ document, outlook }) => {
  const policy = policyOf(document);
  expect(outlookOn(policy, on('web-1', 'web'), ME)).toEqual(outlook);
  expect(outlookOn(policy, on('web-1', 'web'), ME)).toEqual(outlook);
});

test('without a document nothing runs', () => {
  expect(outlookOn(NO_POLICY, on('web-1'), ME)).toEqual({ runs: 'nothing' });
});

test('a rule that begins to hold is seen, though the policy is the same', () => {
  const when = { not_before: '2026-11-20T11:00:00Z' };
  const policy = policyOf({ ...EXEC, rules: [{ id: 'later', effect: 'allow', commands: ['uptime'], when }] });
  expect(outlookOn(policy, on('web-1'), ME)).toEqual({ runs: 'nothing' });
  expect(outlookOn(policy, on('web-1'), { ...ME, at: NOW + 3_600_000 })).toEqual({
    runs: 'some',
    programs: ['uptime'],
  });
});

test('each program that is listed has a command that the policy lets through, as a text and as words', () => {
  const file = join(ROOT, 'policy.example.json');
  const policy = compile(readFileSync(file, 'utf8'), file);
  const rules = policy.book?.rules ?? [];
  const synopses = rules.flatMap(({ commands }) =>
    commands === undefined || commands === 'any' ? [] : commands.entries.map(({ pattern }) => pattern),
  );
  const isAllowed = (target: ReturnType<typeof on>, program: Program): boolean => {
    const input = { host: target.host, timeout_ms: 1000 };
    const action = { kind: 'exec', target, program, env: {}, timeoutMs: 1000 } as const;
    const call = { id: 'call', grant: 'local', tool: 'ssh_exec', input, action, at: NOW };
    return decide(policy, call, { host: target.host }).effect === 'allow';
  };
  for (const target of [on('web-1'), on('staging-1', 'staging'), on('prod-1', 'production')]) {
    const outlook = outlookOn(policy, target, ME);
    const programs = outlook.runs === 'some' ? outlook.programs : [];
    expect(programs.length).toBeGreaterThan(50);
    const refused = programs.filter(name => {
      const texts = synopses
        .filter(({ program }) => program.literals.has(name))
        .flatMap(({ source }) => instancesOf(source, [['uptime'], ['systemctl', 'restart', 'web']]))
        .filter(text => text.startsWith(name) || text.startsWith(`'${name}'`));
      return !texts.some(text => isAllowed(target, { text }));
    });
    expect(refused).toEqual([]);
    expect(isAllowed(target, { argv: ['uptime'] })).toBe(true);
  }
});

const FILE_TOOLS = { ssh_upload: {}, ssh_download: {} };
const files = (
  id: string,
  effect: string,
  actions: readonly string[],
  paths: readonly string[],
  more: object = {},
) => ({
  ...{ id, effect, actions, paths },
  ...more,
});
test.each([
  { title: 'tools that are not listed move nothing', document: {}, is: { reads: [], writes: [] } },
  { title: 'without rules, any file', document: { tools: FILE_TOOLS }, is: { reads: ['/**'], writes: ['/**'] } },
  {
    title: 'the patterns of the rules that grant them, each once',
    document: {
      tools: FILE_TOOLS,
      rules: [
        files('a', 'allow', ['read', 'write'], ['/srv/{a,b}/**', '/etc/motd']),
        files('b', 'allow', ['read', 'list'], ['/etc/motd', '/var/log/*.log']),
      ],
    },
    is: { reads: ['/etc/motd', '/srv/{a,b}/**', '/var/log/*.log'], writes: ['/etc/motd', '/srv/{a,b}/**'] },
  },
  {
    title: 'nothing that must be asked for, is denied, is for others, or is over',
    document: {
      tools: FILE_TOOLS,
      rules: [
        files('ask', 'ask', ['read'], ['/a/**']),
        files('both', 'allow', ['read'], ['/a/b', '/b/**', '/c']),
        files('no', 'deny', ['read'], ['/b/**']),
        files('other', 'allow', ['read'], ['/d'], { hosts: ['db-1'] }),
        files('over', 'allow', ['read'], ['/e'], { when: { not_after: '2026-11-20T09:00:00Z' } }),
      ],
    },
    is: { reads: ['/c'], writes: [] },
  },
  {
    title: 'nothing that a condition of the tool refuses',
    document: { tools: { ssh_download: { require: [{ path: 'args.host', op: 'eq', value: 'db-1' }] } } },
    is: { reads: [], writes: [] },
  },
])('of files: $title', ({ document, is }) => {
  expect(fileOutlookOn(policyOf(document), on('web-1'), ME)).toEqual(is);
});
