import { describe, expect, test } from 'vitest';
import type { Action, Call } from '../../src/call.ts';
import { digestOf, type Facts, factsOf, type Judged, readFacts } from '../../src/gate/facts.ts';
import { sheetOf } from '../../src/gate/sheet.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';

const TARGET = { host: 'web-1', user: 'deploy', address: '10.0.0.5', port: 22, tags: ['prod'] };
const RUN: Extract<Action, { kind: 'exec' }> = {
  kind: 'exec',
  target: TARGET,
  program: { text: 'systemctl restart nginx' },
  cwd: '/srv',
  env: { TZ: 'UTC' },
  stdin: 'yes\n',
  timeoutMs: 60_000,
};
const TERMS = { by: 'operator', approvers: 1, expiresMs: 300_000, uses: 1, ttlMs: 300_000 } as const;
const KEYS = ['SHA256:host'];

const POLICY = compile(JSON.stringify({ version: '1', default: 'allow' }), 'policy.json');
const OTHER = compile(JSON.stringify({ version: '1', default: 'allow', description: 'another' }), 'policy.json');

type Change = { call?: Partial<Call>; action?: Action; judged?: Partial<Judged>; keys?: readonly string[] };
const facts = ({ call = {}, action = RUN, judged = {}, keys = KEYS }: Change = {}): Facts =>
  factsOf(
    {
      call: { id: 'call_1', grant: 'local', tool: 'ssh_exec', input: {}, action, at: 0, ...call },
      policy: POLICY,
      action,
      because: [{ rule: '/rules/restart', reason: 'Restarts are asked about.' }],
      terms: TERMS,
      ...judged,
    },
    keys,
  );
const run = (more: Partial<typeof RUN>): Change => ({ action: { ...RUN, ...more } });
const target = (more: Partial<typeof TARGET>): Change => run({ target: { ...TARGET, ...more } });

describe('the digest of a request', () => {
  test.each<{ title: string; change: Change }>([
    { title: 'the grant', change: { call: { grant: 'ci' } } },
    { title: 'the tool', change: { call: { tool: 'ssh_session_send' } } },
    { title: 'the policy', change: { judged: { policy: OTHER } } },
    {
      title: 'the rule that asks',
      change: { judged: { because: [{ rule: '/rules/other', reason: 'Restarts are asked about.' }] } },
    },
    {
      title: 'what that rule says',
      change: { judged: { because: [{ rule: '/rules/restart', reason: 'Never mind.' }] } },
    },
    { title: 'who is asked', change: { judged: { terms: { ...TERMS, by: 'client' } } } },
    { title: 'how many must say yes', change: { judged: { terms: { ...TERMS, approvers: 2 } } } },
    { title: 'how often it may run', change: { judged: { terms: { ...TERMS, uses: 2 } } } },
    { title: 'how long the yes is good', change: { judged: { terms: { ...TERMS, ttlMs: 1 } } } },
    { title: 'the host', change: target({ host: 'web-2' }) },
    { title: 'its address', change: target({ address: '10.0.0.6' }) },
    { title: 'its port', change: target({ port: 2222 }) },
    { title: 'the account', change: target({ user: 'root' }) },
    { title: 'a tag of the host', change: target({ tags: [] }) },
    { title: 'the host key', change: { keys: ['SHA256:another'] } },
    { title: 'one more host key', change: { keys: [...KEYS, 'SHA256:another'] } },
    { title: 'a word', change: run({ program: { text: 'systemctl restart sshd' } }) },
    { title: 'a blank of the text', change: run({ program: { text: 'systemctl  restart nginx' } }) },
    { title: 'text in the place of words', change: run({ program: { argv: ['systemctl restart nginx'] } }) },
    { title: 'the directory', change: run({ cwd: '/tmp' }) },
    { title: 'a variable', change: run({ env: { TZ: 'CET' } }) },
    { title: 'one more variable', change: run({ env: { TZ: 'UTC', LANG: 'C' } }) },
    { title: 'the input', change: run({ stdin: 'no\n' }) },
    { title: 'the timeout', change: run({ timeoutMs: 60_001 }) },
    { title: 'that it outlives the server', change: run({ detach: true }) },
    { title: 'the kind of thing', change: { action: { kind: 'connect', target: TARGET } } },
    {
      title: 'what runs in the place of what was asked',
      change: { judged: { action: { ...RUN, program: { canonical: "'rm'" } } } },
    },
  ])('is another once $title is another', ({ change }) => {
    expect(digestOf(facts(change))).not.toBe(digestOf(facts()));
  });

  test('is the same for the same, whatever the call is called, why it is made, and the order of the keys', () => {
    const again = facts({
      call: { id: 'call_2', at: 99, input: { reason: 'please', host: 'web-1' } },
      keys: ['b', 'a'],
    });
    expect(digestOf(again)).toBe(digestOf(facts({ keys: ['a', 'b'] })));
    expect(digestOf(facts())).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test.each<{ title: string; action: Action }>([
    {
      title: 'a file',
      action: {
        kind: 'transfer',
        target: TARGET,
        direction: 'upload',
        remotePath: '/srv/a',
        localPath: 'a',
        resume: false,
      },
    },
    {
      title: 'a text',
      action: {
        kind: 'transfer',
        target: TARGET,
        direction: 'upload',
        remotePath: '/srv/a',
        from: { content: 'x' },
        resume: false,
      },
    },
    {
      title: 'a tunnel',
      action: { kind: 'forward', target: TARGET, direction: 'local', listenPort: 1, to: { host: 'db', port: 5432 } },
    },
    {
      title: 'a login shell',
      action: { kind: 'open', mode: 'terminal', target: TARGET, size: { cols: 80, rows: 24 } },
    },
  ])('covers every leaf of $title', ({ action }) => {
    const whole = facts({ action });
    for (const changed of everyChangeOf(whole.action))
      expect(digestOf({ ...whole, action: changed })).not.toBe(digestOf(whole));
    const lines = JSON.stringify(sheetOf(whole));
    for (const leaf of leavesOf(whole.action)) if (leaf !== action.kind) expect(lines).toContain(leaf);
  });
});

/** A value with one leaf changed, for each of its leaves. */
const everyChangeOf = (value: Facts['action']): readonly Facts['action'][] => {
  if (typeof value !== 'object' || value === null) return [typeof value === 'string' ? `${value}x` : `${value}`, null];
  return Object.entries(value).flatMap(([key, one]) =>
    everyChangeOf(one).map(changed => (Array.isArray(value) ? [changed] : { ...value, [key]: changed })),
  );
};
const leavesOf = (value: Facts['action']): readonly string[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [String(value)];

describe('the sheet', () => {
  test('shows the host first, then every word, and everything else that is bound', () => {
    const policy = compile(
      JSON.stringify({
        version: '1',
        default: 'allow',
        rules: [
          {
            id: 'restart',
            effect: 'ask',
            commands: ['systemctl <with --no-pager> restart <name>'],
            cwd: ['/srv'],
            env: ['TZ'],
            stdin: true,
            timeout: '30s',
          },
        ],
      }),
      'policy.json',
    );
    const call: Call = { id: 'call_1', grant: 'local', tool: 'ssh_exec', input: {}, action: RUN, at: 0 };
    const decision = decide(policy, call, {});
    if (decision.effect !== 'ask') throw new Error(JSON.stringify(decision));
    expect(sheetOf(factsOf({ ...decision, call, policy }, KEYS))).toEqual([
      'host: web-1',
      'account: deploy at 10.0.0.5 port 22',
      'host key: SHA256:host',
      'tags 1: prod',
      'does: runs a command',
      "command: 'systemctl' '--no-pager' 'restart' 'nginx'",
      'word 1: systemctl',
      'word 2: --no-pager',
      'word 3: restart',
      'word 4: nginx',
      'asked text: systemctl restart nginx',
      'directory: /srv',
      'variable: TZ=UTC',
      'input:',
      '  | yes',
      '  | ',
      'milliseconds that it may take: 30000',
      'grant: local',
      'tool: ssh_exec',
      'rule: /rules/restart: The rule restart asks first.',
      'policy:',
      `  | ${policy.digest}`,
      'leave: of one operator, for one use within 300 s',
    ]);
  });

  test('says of a text that no shell surely reads as it looks that it does not', () => {
    expect(sheetOf(facts(run({ program: { text: 'echo $(id)' } })))).toContain('words:');
  });

  test('shows each word of a vector, whatever stands in it', () => {
    const lines = sheetOf(facts(run({ program: { argv: ['sh', '-c', 'a\nb', ''] } })));
    expect(lines).toEqual(
      expect.arrayContaining(['word 1: sh', 'word 2: -c', 'word 3:', '  | a', '  | b', 'word 4: ‹nothing›']),
    );
  });

  test('is none for what cannot be shown whole', () => {
    expect(sheetOf(facts(run({ stdin: 'x'.repeat(9_000) })))).toBeUndefined();
    expect(sheetOf(facts(run({ stdin: 'a\0b' })))).toBeUndefined();
  });

  test('says that what a local file holds is not part of it', () => {
    const action: Action = {
      kind: 'transfer',
      target: TARGET,
      direction: 'upload',
      remotePath: '/srv/a',
      localPath: 'a',
      resume: false,
    };
    expect(sheetOf(facts({ action }))?.some(line => line.startsWith('not part of it: what the local file holds'))).toBe(
      true,
    );
  });
});

test('facts are read back as they were written, and nothing else is facts', () => {
  const text = JSON.stringify(facts());
  expect(readFacts(text)).toEqual(facts());
  const more = JSON.stringify({ ...facts(), extra: 1 });
  const { grant, ...less } = facts();
  for (const wrong of [
    '',
    '{',
    '[]',
    'null',
    '{}',
    more,
    JSON.stringify(less),
    JSON.stringify({ ...facts(), host_keys: [1] }),
  ])
    expect(readFacts(wrong)).toBeUndefined();
  expect(grant).toBe('local');
});
