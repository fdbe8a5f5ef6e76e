import { describe, expect, test } from 'vitest';
import type { FileAccess, Transfer } from '../../src/call.ts';
import { decideAsIfReal } from '../../src/policy/as-if-real.ts';
import { barredFile, decide, decideFile } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { unasked } from '../../src/policy/rules/transfer.ts';
import { compilePath } from '../../src/policy/synopsis/path.ts';
import { decided, policyOf } from './rules-support.ts';

const TARGET = { host: 'web-1', user: 'deploy', address: 'web-1', port: 22, tags: [] };
const AT = Date.parse('2026-11-20T10:00:00Z');

const down = (remotePath: string): Transfer => ({
  ...{ kind: 'transfer', direction: 'download', target: TARGET, remotePath, resume: false },
  ...{ to: 'text', offset: 0, maxBytes: 100 },
});
const up = (remotePath: string): Transfer => ({
  ...{ kind: 'transfer', direction: 'upload', target: TARGET, remotePath, resume: false },
  from: { content: 'text' },
});
const tree = (direction: 'upload' | 'download', remotePath: string, deleteExtra = false): Transfer => ({
  ...{ kind: 'transfer', direction, target: TARGET, remotePath, resume: false, localPath: 'x' },
  tree: { links: 'skip', deleteExtra },
});
const callOf = (action: Transfer, input: object = {}, at = AT) => ({
  ...{ id: 'c', grant: 'local', tool: action.direction === 'upload' ? 'ssh_upload' : 'ssh_download' },
  ...{ input: { ...input }, action, at },
});
const said = (decision: Decision): string => [decision.effect, ...decision.because.map(({ rule }) => rule)].join(' ');

const rule = (
  id: string,
  effect: string,
  actions: readonly string[],
  paths?: readonly string[],
  more: object = {},
) => ({
  ...{ id, effect, actions, ...(paths === undefined ? {} : { paths }) },
  ...more,
});
const APP = rule('app', 'allow', ['read', 'write', 'list'], ['/srv/app/**']);

describe('a transfer is judged by its path as it was asked for', () => {
  const ROWS: readonly { title: string; rules: readonly object[]; action: Transfer; is: string }[] = [
    { title: 'granted by a rule for that path', rules: [APP], action: down('/srv/app/x'), is: 'allow /rules/app' },
    {
      title: 'let through where a rule grants such an access somewhere: the real path decides',
      ...{ rules: [APP], action: down('/etc/shadow'), is: 'allow /rules/app' },
    },
    {
      title: 'refused where nothing grants such an access anywhere on that host',
      rules: [
        rule('logs', 'allow', ['read', 'list'], ['/var/log/**']),
        rule('db', 'allow', ['write'], ['/x'], { hosts: ['db-*'] }),
      ],
      ...{ action: up('/var/log/x'), is: 'deny (no rule)' },
    },
    {
      title: 'refused when no rule that grants is in force',
      rules: [rule('app', 'allow', ['read'], ['/**'], { when: { not_after: '2026-11-20T09:59:59Z' } })],
      ...{ action: down('/x'), is: 'deny (no rule)' },
    },
    {
      title: 'denied by a rule for the path as it is written',
      rules: [APP, rule('no', 'deny', ['read'], ['/srv/app/secret/**'])],
      ...{ action: down('/srv/app/secret/x'), is: 'deny /rules/no' },
    },
    {
      title: 'denied however its slashes are written',
      rules: [APP, rule('no', 'deny', ['read'], ['/srv/app/secret/**'])],
      ...{ action: down('//srv//app/./secret/x/'), is: 'deny /rules/no' },
    },
    {
      title: 'not denied by a rule about another access',
      rules: [APP, rule('no', 'deny', ['write', 'delete', 'list'], ['/srv/app/**'])],
      ...{ action: down('/srv/app/x'), is: 'allow /rules/app' },
    },
    {
      title: 'asked for by a rule for the path as it is written',
      rules: [APP, rule('ask', 'ask', ['read'], ['/srv/app/x'])],
      ...{ action: down('/srv/app/x'), is: 'ask /rules/ask /rules/app' },
    },
    {
      title: 'below a home, denied by a rule for every file alone',
      rules: [APP, rule('some', 'deny', ['read'], ['/home/**'])],
      ...{ action: down('~/x'), is: 'allow /rules/app' },
    },
    {
      title: 'below a home, denied by a rule for every file',
      rules: [APP, rule('all', 'deny', ['read'])],
      ...{ action: down('~/x'), is: 'deny /rules/all' },
    },
    {
      title: 'below a home, never asked for: nobody could say about what',
      rules: [APP, rule('all', 'ask', ['read'], ['/**'])],
      ...{ action: down('~/x'), is: 'deny /rules/all' },
    },
    {
      title: 'a tree, by whether its folder may be listed',
      rules: [rule('r', 'allow', ['read'], ['/**'])],
      action: tree('download', '/srv'),
      is: 'deny (no rule)',
    },
    {
      title: 'a tree, let through although something in it is denied',
      rules: [APP, rule('no', 'deny', ['read', 'list'], ['/srv/app/secret/**'])],
      ...{ action: tree('download', '/srv/app'), is: 'allow /rules/app' },
    },
    {
      title: 'a tree, asked for when something in it may be what a rule asks for',
      rules: [APP, rule('ask', 'ask', ['read'], ['/srv/*/secret/**'])],
      ...{ action: tree('download', '/srv/app'), is: 'ask /rules/ask /rules/app' },
    },
    {
      title: 'a tree, asked for when a rule asks for something at any depth of it',
      rules: [APP, rule('ask', 'ask', ['read'], ['/srv/**/secret'])],
      ...{ action: tree('download', '/srv/app/x'), is: 'ask /rules/ask /rules/app' },
    },
    {
      title: 'a tree, not asked for by a rule about what lies elsewhere',
      rules: [APP, rule('ask', 'ask', ['read', 'list'], ['/srv/application/**', '/srv/a*/x'])],
      ...{ action: tree('download', '/srv/app/x/y'), is: 'allow /rules/app' },
    },
    {
      title: 'one file, not asked for by a rule about what would lie below it',
      rules: [APP, rule('ask', 'ask', ['read'], ['/srv/app/x/y'])],
      ...{ action: down('/srv/app/x'), is: 'allow /rules/app' },
    },
    {
      title: 'a tree that may delete, refused where nothing grants that',
      ...{ rules: [APP], action: tree('upload', '/srv/app', true), is: 'deny (no rule)' },
    },
    {
      title: 'a tree that may delete, granted where something does',
      rules: [APP, rule('delete', 'allow', ['delete'], ['/srv/app/old/**'])],
      ...{ action: tree('upload', '/srv/app', true), is: 'allow /rules/app' },
    },
    {
      title: 'a tree that may delete, denied by a rule against all deleting',
      rules: [rule('all', 'allow', ['write', 'delete'], ['/**']), rule('keep', 'deny', ['delete'])],
      ...{ action: tree('upload', '/srv/app', true), is: 'deny /rules/keep' },
    },
  ];
  test.each(ROWS)('$title', ({ rules, action, is }) => {
    expect(said(decide(policyOf(rules), callOf(action), {}))).toBe(is);
  });

  test('without rules its tool decides', () => {
    const policy = policyOf([], { rules: undefined });
    expect(said(decide(policy, callOf(up('/etc/passwd')), {}))).toBe('allow (default allow)');
  });

  test('it takes from no limit of a rule yet, and of its tool what counts calls', () => {
    const limit = { counter: 'c', window: 'hour', max: 5, scope: 'grant' };
    const bytes = { ...limit, counter: 'b', increment_from: 'args.size' };
    const policy = policyOf([{ ...APP, limits: [limit, bytes], timeout: '1m' }], {
      tools: { ssh_upload: { limits: [limit, bytes] } },
    });
    const decision = decide(policy, callOf(up('/srv/app/x'), { content: 'x'.repeat(100) }), {});
    expect(decision).toMatchObject({
      effect: 'allow',
      charges: [
        { rule: '/tools/ssh_upload/limits/c', amount: 1 },
        { rule: '/tools/ssh_upload/limits/b', amount: 0 },
      ],
      obligations: {},
    });
  });
});

/** Real paths that look like one of `/srv/app/**`, or like what a rule denies, and are it or not. */
const HOLES: readonly { path: string; is: string }[] = [
  { path: '/srv/app', is: 'allow /rules/app' },
  { path: '/srv/app/', is: 'allow /rules/app' },
  { path: '/srv/app/x', is: 'allow /rules/app' },
  { path: '/srv/app/.x', is: 'allow /rules/app' },
  { path: '/srv/app/./x', is: 'allow /rules/app' },
  { path: '/srv/app//x', is: 'allow /rules/app' },
  { path: '/srv/app/..x', is: 'allow /rules/app' },
  { path: '/srv/app/x..', is: 'allow /rules/app' },
  { path: '/srv/app/ x', is: 'allow /rules/app' },
  { path: '/srv/app/\udcff\udc80', is: 'allow /rules/app' },
  { path: '/srv/app/é', is: 'allow /rules/app' },
  { path: '/srv/app/../../etc/shadow', is: 'deny (no rule)' },
  { path: '/srv/app/..', is: 'deny (no rule)' },
  { path: '/srv/app/x/../y', is: 'deny (no rule)' },
  { path: '//srv/app/x', is: 'deny (no rule)' },
  { path: '///srv/app/x', is: 'deny (no rule)' },
  { path: 'srv/app/x', is: 'deny (no rule)' },
  { path: './srv/app/x', is: 'deny (no rule)' },
  { path: '~/x', is: 'deny (no rule)' },
  { path: '', is: 'deny (no rule)' },
  { path: '/', is: 'deny (no rule)' },
  { path: '/srv/App/x', is: 'deny (no rule)' },
  { path: '/SRV/app/x', is: 'deny (no rule)' },
  { path: '/srv/app2/x', is: 'deny (no rule)' },
  { path: '/srv/ap', is: 'deny (no rule)' },
  { path: '/srv\\app\\x', is: 'deny (no rule)' },
  { path: '/srv/app\0/x', is: 'deny (no rule)' },
  { path: '/srv/app/x\0', is: 'deny (no rule)' },
  { path: '/srv/app/x\ny', is: 'deny (no rule)' },
  { path: '/srv/app/x\u0085', is: 'deny (no rule)' },
  { path: '/srv/app/\u007f', is: 'deny (no rule)' },
  { path: '/srv/app/a.key', is: 'deny /rules/keys' },
  { path: '/srv/app/x/y/a.key', is: 'deny /rules/keys' },
  { path: '/srv/app/.key', is: 'deny /rules/keys' },
  { path: '/srv/app/\udcff.key', is: 'deny /rules/keys' },
  { path: '/srv/app/a.key/', is: 'deny /rules/keys' },
  { path: '/srv/app/a.KEY', is: 'allow /rules/app' },
  { path: '/srv/app/a.key.txt', is: 'allow /rules/app' },
  { path: '/srv/app/caf\u00e9', is: 'deny /rules/cafe' },
  { path: '/srv/app/cafe\u0301', is: 'allow /rules/app' },
  { path: '/srv/app/one/😀', is: 'deny /rules/one' },
  { path: '/srv/app/one/\udc80', is: 'deny /rules/one' },
  { path: '/srv/app/one/\udc80\udc80', is: 'allow /rules/app' },
  { path: '/srv/app/one/ab', is: 'allow /rules/app' },
];

test.each(HOLES)('the real path $path is judged as it is: $is', ({ path, is }) => {
  const policy = policyOf([
    APP,
    rule('keys', 'deny', ['read'], ['/**/*.key']),
    rule('cafe', 'deny', ['read'], ['/srv/app/caf\u00e9']),
    rule('one', 'deny', ['read'], ['/srv/app/one/?']),
  ]);
  const ruling = decideFile(policy, callOf(down('/srv/app/x')), 'read', path);
  expect([ruling.effect, ...ruling.because.map(each => each.rule)].join(' ')).toBe(is);
});

test('a rule grants the accesses that it names, to the users and on the hosts that it names, and while it is in force', () => {
  const when = { not_before: '2026-11-20T10:00:00Z', not_after: '2026-11-20T11:00:00Z' };
  const policy = policyOf([rule('r', 'allow', ['write'], ['/x'], { hosts: ['web-*'], users: ['deploy'], when })]);
  const is = (access: FileAccess, more: object = {}, at = AT): string =>
    decideFile(policy, callOf({ ...up('/x'), target: { ...TARGET, ...more } }, {}, at), access, '/x').effect;
  expect([is('write'), is('read'), is('list'), is('delete')]).toEqual(['allow', 'deny', 'deny', 'deny']);
  expect([is('write', { host: 'db-1' }), is('write', { user: 'root' })]).toEqual(['deny', 'deny']);
  expect([is('write', {}, AT - 1), is('write', {}, AT + 3_600_001)]).toEqual(['deny', 'deny']);
});

test('every rule that grants a file counts: all of their limits, the shortest timeout and the smallest output', () => {
  const limit = (counter: string) => ({ limits: [{ counter, window: 'hour', max: 1, scope: 'grant' }] });
  const policy = policyOf([
    { ...APP, ...limit('a'), timeout: '5m', output: { max_bytes: 10 } },
    rule('all', 'allow', ['read'], ['/**'], { ...limit('b'), timeout: '1m', output: { max_bytes: 20 } }),
    rule('other', 'allow', ['read'], ['/etc/**'], limit('c')),
  ]);
  const ruling = decideFile(policy, callOf(down('/srv/app/x')), 'read', '/srv/app/x');
  expect(ruling).toMatchObject({ effect: 'allow', obligations: { timeoutMs: 60_000, maxOutputBytes: 10 } });
  expect(ruling.effect === 'deny' ? [] : ruling.granting.map(({ id }) => id)).toEqual(['app', 'all']);
});

test('what a name of our own needs is that no rule denies it', () => {
  const policy = policyOf([APP, rule('no', 'deny', ['write'], ['/srv/**/.*.part'])]);
  const call = callOf(up('/srv/app/x'));
  expect(barredFile(policy, call, 'write', '/tmp/.x.part')).toBeUndefined();
  expect(barredFile(policy, call, 'write', '/srv/app/.x.part')?.because[0].rule).toBe('/rules/no');
});

test('a redirection and a transfer are granted, denied and asked for by the same rules', () => {
  const policy = policyOf([
    rule('echo', 'allow', ['exec'], undefined, { commands: ['echo <any>'] }),
    rule('files', 'allow', ['write'], ['/srv/**', '/srv/ask/x']),
    rule('no', 'deny', ['write'], ['/srv/no/**']),
    rule('ask', 'ask', ['write'], ['/srv/ask/**']),
  ]);
  for (const path of ['/srv/x', '/srv/no/x', '/srv/ask/x', '/etc/x', '/srv/no', '/srv/./x', '/srv//no/x']) {
    const command = decided(policy, { text: `echo x > ${path}` }).effect;
    expect([path, decideFile(policy, callOf(up(path)), 'write', path).effect]).toEqual([path, command]);
  }
});

const SHOWN: readonly { asked: Transfer; real: string; agreed: readonly string[]; is: string }[] = [
  { asked: down('/srv/x'), real: '/srv/x', agreed: ['/rules/ask'], is: 'agreed' },
  { asked: down('//srv/./x/'), real: '/srv/x', agreed: ['/rules/ask'], is: 'agreed' },
  { asked: down('/srv/x'), real: '/srv/x', agreed: [], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: down('/srv/x'), real: '/srv/x', agreed: ['/rules/other'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: down('/srv/link'), real: '/srv/x', agreed: ['/rules/ask'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: down('/srv'), real: '/srv/x', agreed: ['/rules/ask'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: down('/srv/x/y'), real: '/srv/x', agreed: ['/rules/ask'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: down('~/x'), real: '/srv/x', agreed: ['/rules/ask'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  { asked: tree('download', '/srv'), real: '/srv/x', agreed: ['/rules/ask'], is: 'agreed' },
  { asked: tree('download', '/srv'), real: '/srv', agreed: ['/rules/ask'], is: 'agreed' },
  { asked: tree('download', '/srv/a'), real: '/srv/x', agreed: ['/rules/ask'], is: 'APPROVAL_UNAVAILABLE /rules/ask' },
  {
    asked: tree('download', '/srv/x/a'),
    real: '/srv/x',
    agreed: ['/rules/ask'],
    is: 'APPROVAL_UNAVAILABLE /rules/ask',
  },
];

test.each(SHOWN)('what was agreed to for $asked.remotePath is about $real, agreed by $agreed: $is', each => {
  const policy = policyOf([rule('ask', 'ask', ['read', 'list'], ['/srv/**'])]);
  const ruling = decideFile(policy, callOf(each.asked), 'read', each.real);
  if (ruling.effect === 'deny') throw new Error('the rule grants it, once somebody agrees');
  const denied = unasked(ruling.asking, each.asked, each.real, new Set(each.agreed));
  expect(denied === undefined ? 'agreed' : `${denied.code} ${denied.because[0].rule}`).toBe(each.is);
});

describe('a test of a document takes the path for the real one', () => {
  const test_ = (tool: string, args: object, expected: string, by: string) => ({
    ...{ tool, args, expect: expected, rule: by },
  });
  const limit = { counter: 'b', window: 'hour', max: 1_000, scope: 'grant', increment_from: 'args.size' };
  const DOCUMENT = {
    tools: {
      ssh_upload: { require: [{ path: 'args.size', op: 'lte', value: 500 }] },
      ssh_download: { limits: [limit] },
    },
  };
  const RULES = [
    APP,
    rule('home', 'allow', ['read'], ['/home/ci/*', '/root/x']),
    rule('etc', 'ask', ['read'], ['/etc/**']),
    rule('homes', 'ask', ['read'], ['/home/asked/**']),
    rule('var', 'allow', ['list'], ['/var/**']),
    rule('del', 'allow', ['delete'], ['/srv/app/old/**']),
  ];
  test.each([
    test_('ssh_upload', { remote_path: '/srv/app/x', content: 'é'.repeat(250) }, 'allow', '/rules/app'),
    test_(
      'ssh_upload',
      { remote_path: '/srv/app/x', content: 'é'.repeat(251) },
      'deny',
      '/tools/ssh_upload/require/args.size-lte',
    ),
    test_('ssh_upload', { remote_path: '/srv/app/x', local_path: 'x', size: 500 }, 'allow', '/rules/app'),
    test_(
      'ssh_upload',
      { remote_path: '/srv/app/x', local_path: 'x', size: 501 },
      'deny',
      '/tools/ssh_upload/require/args.size-lte',
    ),
    test_('ssh_upload', { remote_path: '/etc/x', local_path: 'x' }, 'deny', '(no rule)'),
    test_(
      'ssh_upload',
      { remote_path: '/srv/app', local_path: 'x', recursive: true, delete_extra: true },
      'allow',
      '/rules/app',
    ),
    test_('ssh_download', { remote_path: '/srv/app/x' }, 'allow', '/rules/app'),
    test_('ssh_download', { remote_path: '/srv/app/x', size: 1_000 }, 'allow', '/rules/app'),
    test_('ssh_download', { remote_path: '/srv/app/x', size: 1_001 }, 'deny', '/tools/ssh_download/limits/b'),
    test_('ssh_download', { remote_path: '/etc/motd' }, 'ask', '/rules/etc'),
    test_('ssh_download', { remote_path: '/var/log', local_path: 'x', recursive: true }, 'allow', '/rules/var'),
    test_('ssh_download', { remote_path: '/var/log' }, 'deny', '(no rule)'),
    test_('ssh_download', {}, 'deny', '(no rule)'),
    { ...test_('ssh_download', { remote_path: '~/x' }, 'allow', '/rules/home'), user: 'ci' },
    { ...test_('ssh_download', { remote_path: '~/x/y' }, 'deny', '(no rule)'), user: 'ci' },
    { ...test_('ssh_download', { remote_path: '~/x' }, 'deny', '/rules/homes'), user: 'asked' },
    { ...test_('ssh_download', { remote_path: '~/x' }, 'allow', '/rules/home'), user: 'root' },
  ])('$tool $args $user: $expect by $rule', each => {
    expect(policyOf(RULES, { ...DOCUMENT, tests: [each] }).digest).toMatch(/^sha256:/);
    const other = { ...each, expect: each.expect === 'deny' ? 'allow' : 'deny' };
    expect(() => policyOf(RULES, { ...DOCUMENT, tests: [other] })).toThrow('/tests/0 should be');
  });

  test('what asks is named first, then what grants the file', () => {
    const policy = policyOf([APP, rule('ask', 'ask', ['read'], ['/srv/app/x'])]);
    expect(said(decideAsIfReal(policy, callOf(down('/srv/app/x')), {}))).toBe('ask /rules/ask /rules/app');
  });
});

test.each([
  ['/srv/**', '/srv', true],
  ['/srv/**', '/srv/x/y', true],
  ['/srv/**', '/etc', false],
  ['/srv/*', '/srv', true],
  ['/srv/*', '/srv/x', false],
  ['/srv/x', '/', true],
  ['/srv/**/x', '/srv/a/b', true],
])('whether %s may mean something below %s: %s', (pattern, folder, is) => {
  const compiled = compilePath(pattern);
  expect(typeof compiled === 'string' ? compiled : compiled.reaches(folder)).toBe(is);
});
