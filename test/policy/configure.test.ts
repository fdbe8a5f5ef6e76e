import { describe, expect, test } from 'vitest';
import type { Configure, Target } from '../../src/call.ts';
import { InvalidFile } from '../../src/errors.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import { lint } from '../../src/policy/lint.ts';
import { policyOf } from './rules-support.ts';

const STAGING = {
  id: 'staging',
  effect: 'allow',
  actions: ['configure'],
  hosts: ['staging-*'],
  addresses: ['10.20.0.0/16', 'fd20::/16', '*.staging.example.com'],
  tags: ['staging', 'web'],
};

const hostAt = (host: string, more: Partial<Target> = {}): Target => ({
  ...{ host, user: 'deploy', address: '10.20.0.9', port: 22, tags: [] },
  ...more,
});

const add = (more: Partial<Target> = {}, like: Target = hostAt('staging-1')): Configure => ({
  kind: 'configure',
  change: 'add',
  target: hostAt(more.host ?? 'staging-9', more),
  like,
});
const remove = (host: string, own = true): Configure => ({
  kind: 'configure',
  change: 'remove',
  target: hostAt(host),
  own,
});

const say = (policy: Policy, action: Configure): string => {
  const call = { id: 'c', grant: 'local', tool: 'ssh_host_add', input: {}, action, at: 0 };
  const decision = decide(policy, call, { host: action.target.host });
  return [decision.effect, ...decision.because.map(({ rule, reason }) => `${rule}: ${reason}`)].join(' ');
};

const ALLOWED = 'allow /rules/staging: The rule staging allows it.';

describe('one rule grants a new host as a whole: name, login, address, port and tags', () => {
  const policy = policyOf([STAGING]);

  test.each([
    ['an address of the network', add()],
    ['the last address of it', add({ address: '10.20.255.255' })],
    ['IPv6', add({ address: 'fd20::7' })],
    ['the same in IPv6 clothes', add({ address: '::ffff:10.20.0.9' })],
    ['a name of the domain', add({ address: 'a.b.staging.example.com' })],
    ['a name in capitals', add({ address: 'WEB.Staging.Example.COM' })],
    ['tags that it lists', add({ tags: ['web', 'staging'] })],
    ['removing one that was added', remove('staging-9')],
  ])('%s', (_what, action) => {
    expect(say(policy, action)).toBe(ALLOWED);
  });

  test.each([
    ['another name', add({ host: 'prod-9' }), 'does not let prod-9 be added or removed, as deploy'],
    [
      'a login that is not its own',
      add({}, hostAt('prod-1')),
      'does not let it be like prod-1, which is not one of its hosts',
    ],
    [
      'another account than that login has',
      add({}, hostAt('staging-1', { user: 'root' })),
      'does not let it be like staging-1, which is not one of its hosts',
    ],
    ['an address outside', add({ address: '10.21.0.9' }), 'does not let 10.21.0.9 be added'],
    ['a name outside', add({ address: 'staging.example.com' }), 'does not let staging.example.com be added'],
    [
      'a name that only begins so',
      add({ address: 'x.staging.example.com.evil.org' }),
      'does not let x.staging.example.com.evil.org be added',
    ],
    ['an address in a short form', add({ address: '10.5129' }), 'does not let 10.5129 be added'],
    ['an address with a leading zero', add({ address: '10.20.0.09' }), 'does not let 10.20.0.09 be added'],
    ['a name that might lie inside', add({ address: 'web' }), 'does not let web be added'],
    ['another port', add({ port: 6379 }), 'does not let port 6379 be added'],
    ['a tag beside', add({ tags: ['web', 'prod'] }), 'does not let these tags be given: web, prod'],
  ])('%s is refused', (_what, action, why) => {
    expect(say(policy, action)).toBe(`deny (no rule): The rule staging ${why}.`);
  });

  test('what a person configured is nobody else’s to remove', () => {
    expect(say(policy, remove('staging-1', false))).toBe(
      'deny (no rule): staging-1 was not added by an agent of this grant: only a person takes it away.',
    );
    expect(say(policyOf([{ ...STAGING, hosts: ['*'], addresses: ['0.0.0.0/0'] }]), remove('prod-1', false))).toContain(
      'only a person takes it away',
    );
  });

  test('two rules that each grant a part grant nothing', () => {
    const split = policyOf([
      { ...STAGING, id: 'name', addresses: ['192.0.2.0/24'] },
      { ...STAGING, id: 'address', hosts: ['build-*'] },
    ]);
    expect(say(split, add())).toBe('deny (no rule): The rule name does not let 10.20.0.9 be added.');
  });

  test('a tag makes a new host one of nobody’s hosts', () => {
    const tagged = policyOf([{ ...STAGING, hosts: ['mine'] }], { hosts: { mine: ['tag:staging', 'build-*'] } });
    const like = hostAt('build-1');
    expect(say(tagged, add({ host: 'prod-9', tags: ['staging'] }, like))).toBe(
      'deny (no rule): The rule staging does not let prod-9 be added or removed, as deploy.',
    );
    expect(say(tagged, add({ host: 'build-9', tags: ['staging'] }, like))).toBe(ALLOWED);
  });

  test('a port that the rule lists, and no other any more', () => {
    const ports = policyOf([{ ...STAGING, ports: [2222, '8000-8010'] }]);
    expect([2222, 8000, 8010].map(port => say(ports, add({ port })))).toEqual([ALLOWED, ALLOWED, ALLOWED]);
    expect([22, 8011].map(port => say(ports, add({ port })).slice(0, 4))).toEqual(['deny', 'deny']);
  });
});

describe('rules that restrain are felt where they may be meant', () => {
  const and = (rule: object): Policy => policyOf([STAGING, { id: 'no', effect: 'deny', ...rule }]);

  test.each([
    ['names', { actions: ['configure'], hosts: ['staging-9'] }, add(), 'deny /rules/no: The rule no denies it.'],
    ['every action', { hosts: ['staging-*'] }, add(), 'deny /rules/no: The rule no denies it.'],
    ['a tag that is given', { hosts: ['tag:web'] }, add({ tags: ['web'] }), 'deny /rules/no: The rule no denies it.'],
    [
      'an address',
      { actions: ['configure'], addresses: ['10.20.0.9'] },
      add(),
      'deny /rules/no: The rule no denies it.',
    ],
    ['any port', { actions: ['configure'] }, add(), 'deny /rules/no: The rule no denies it.'],
    [
      'a removal',
      { actions: ['configure'], hosts: ['staging-*'] },
      remove('staging-9'),
      'deny /rules/no: The rule no denies it.',
    ],
    [
      'a removal from where nobody may come',
      { actions: ['configure'], addresses: ['10.20.0.9'] },
      remove('staging-9'),
      ALLOWED,
    ],
    ['another address', { actions: ['configure'], addresses: ['192.0.2.1'] }, add(), ALLOWED],
    ['another port', { actions: ['configure'], ports: [2222] }, add(), ALLOWED],
    ['another action', { actions: ['exec'] }, add(), ALLOWED],
    [
      'an address that the name may have',
      { actions: ['configure'], addresses: ['10.20.66.0/24'] },
      add({ address: 'a.staging.example.com' }),
      `ask /rules/no: It may be what the rule no denies. ${ALLOWED.slice(6)}`,
    ],
  ])('%s', (_what, rule, action, said) => {
    expect(say(and(rule), action)).toBe(said);
  });

  test('who asks is asked first', () => {
    expect(say(policyOf([{ ...STAGING, effect: 'ask' }]), add())).toBe(
      'ask /rules/staging: The rule staging asks first.',
    );
  });
});

test.each([
  ['no rules', { version: '1', default: 'allow' }],
  ['no rule for it', { version: '1', default: 'allow', rules: [{ id: 'all', effect: 'allow', commands: 'any' }] }],
])('with %s, nobody configures', (_what, document) => {
  const policy = compile(JSON.stringify(document), 'p.json');
  expect([say(policy, add()), say(policy, remove('staging-9'))].map(text => text.slice(0, 14))).toEqual([
    'deny (no rule)',
    'deny (no rule)',
  ]);
});

test('a rule that lets a host be added lets nothing be done there, not even connecting', () => {
  const call = { id: 'c', grant: 'local', tool: 'ssh_connect', input: {}, at: 0 };
  const action = { kind: 'connect', target: hostAt('staging-9') } as const;
  expect(decide(policyOf([STAGING]), { ...call, action }, {}).effect).toBe('deny');
});

test('what no single rule grants whole is never allowed, whatever the rules and their order [G15]', () => {
  let seed = 5;
  const next = (most: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const some = <T>(all: readonly T[]): T[] => {
    const few = all.filter(() => next(3) === 0);
    return few.length === 0 ? [...all.slice(0, 1)] : few;
  };
  const NETS = ['10.20.0.0/16', '10.20.1.0/24', '10.30.0.0/16', '0.0.0.0/0', '10.20.1.9'];
  const netHas = (net: string, address: string): boolean => {
    const [base = '', length = '32'] = net.split('/');
    const bits = (text: string): string =>
      text
        .split('.')
        .map(part => Number(part).toString(2).padStart(8, '0'))
        .join('');
    return bits(base).slice(0, Number(length)) === bits(address).slice(0, Number(length));
  };
  const NAMES = ['staging-1', 'staging-2', 'prod-1', 'build-7'];
  const PATTERNS: Readonly<Record<string, RegExp>> = {
    'staging-*': /^staging-/,
    'prod-1': /^prod-1$/,
    '*': /./,
    'build-?': /^build-.$/,
  };
  let allowed = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const rules = Array.from({ length: 1 + next(3) }, (_, index) => ({
      id: `r${index}`,
      effect: next(4) === 0 ? ('deny' as const) : ('allow' as const),
      actions: ['configure'],
      hosts: some(Object.keys(PATTERNS)),
      addresses: some(NETS),
      ports: some([22, 2222]),
    }));
    const target = hostAt(NAMES[next(4)] ?? '', {
      address: ['10.20.1.9', '10.20.2.9', '10.30.0.1', '192.0.2.1'][next(4)] ?? '',
      port: [22, 2222, 80][next(3)] ?? 22,
    });
    const like = hostAt(NAMES[next(4)] ?? '');
    const named = (rule: (typeof rules)[number], host: string): boolean =>
      rule.hosts.some(each => PATTERNS[each]?.test(host));
    const placed = (rule: (typeof rules)[number]): boolean =>
      rule.addresses.some(net => netHas(net, target.address)) && rule.ports.includes(target.port);
    const isDenied = rules.some(rule => rule.effect === 'deny' && named(rule, target.host) && placed(rule));
    const isGranted = rules.some(
      rule => rule.effect === 'allow' && named(rule, target.host) && named(rule, like.host) && placed(rule),
    );
    const wanted = isGranted && !isDenied ? 'allow' : 'deny';
    if (wanted === 'allow') allowed += 1;
    const action: Configure = { kind: 'configure', change: 'add', target, like };
    expect(say(policyOf(rules), action).split(' ')[0], JSON.stringify([rules, action])).toBe(wanted);
    expect(say(policyOf(rules.toReversed()), action).split(' ')[0]).toBe(wanted);
  }
  expect(allowed).toBeGreaterThan(300);
});

describe('a document says all of it, or does not load', () => {
  const problemsOf = (rule: object): readonly string[] => {
    try {
      policyOf([{ id: 'r', effect: 'allow', ...rule }]);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidFile)) throw error;
      return error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
    }
  };
  const whole = { actions: ['configure'], hosts: ['staging-*'], addresses: ['10.20.0.0/16'] };

  test.each([
    [
      'no hosts',
      { ...whole, hosts: undefined },
      '/rules/0/actions has configure without hosts: write how new ones may be named, as in ["staging-*"]',
    ],
    [
      'no addresses',
      { ...whole, addresses: undefined },
      '/rules/0/actions has configure without addresses: write where new hosts may lie, as in ["10.20.0.0/16"]',
    ],
    [
      'a tag for a name',
      { ...whole, hosts: ['tag:web'] },
      "/rules/0/hosts has a tag: new hosts are granted by their names, for their tags are the agent's own words",
    ],
    [
      'addresses of nothing',
      { commands: ['uptime'], addresses: ['10.0.0.1'] },
      '/rules/0/addresses is about new hosts and tunnels: name configure or forward in actions',
    ],
    [
      'tags of nothing',
      { commands: ['uptime'], tags: ['x'] },
      '/rules/0/tags is about hosts to be added: name configure in actions',
    ],
    ['tags in a deny', { effect: 'deny', tags: ['x'] }, '/rules/0/tags means nothing in a deny, which grants nothing'],
  ])('%s', (_what, rule, problem) => {
    expect(problemsOf(rule)).toEqual([problem]);
  });

  test.each(['staging.*', '*', 'web*', '10.*', '10.20.0.1/16', '1.2.3', 'a b', '*.example.com.', '-x.example.com', ''])(
    '%j is no address that a rule may grant',
    entry => {
      expect(problemsOf({ ...whole, addresses: [entry] })).toHaveLength(1);
    },
  );

  test('its own tests judge new hosts too', () => {
    const document = (expected: string) => ({
      tests: [
        {
          tool: 'ssh_host_add',
          args: { name: 'staging-9', address: '10.20.0.9', like: 'staging-1' },
          expect: 'allow',
          rule: '/rules/staging',
        },
        {
          tool: 'ssh_host_add',
          args: { name: 'staging-9', address: '10.30.0.9', like: 'staging-1' },
          expect: expected,
        },
        { tool: 'ssh_host_remove', args: { name: 'staging-9' }, expect: 'allow' },
        { tool: 'ssh_host_remove', args: { name: 'prod-9' }, expect: 'deny' },
      ],
    });
    expect(() => policyOf([STAGING], document('deny'))).not.toThrow();
    expect(() => policyOf([STAGING], document('allow'))).toThrow('/tests/1 should be allow, and is deny by (no rule)');
  });

  test('the lints speak of any name, of anywhere and of any number', () => {
    const rule = { id: 'r', effect: 'allow', ...whole, hosts: ['*'], addresses: ['0.0.0.0/0'] };
    const text = JSON.stringify({ version: '1', default: 'deny', rules: [rule] });
    const limits = [{ counter: 'c', window: 'day', max: 1, scope: 'host' }];
    const counted = text.replace('"hosts"', `"limits":${JSON.stringify(limits)},"hosts"`);
    expect([text, counted].map(each => lint(each, 'p.json').length)).toEqual([3, 3]);
    expect(lint(counted.replace('"host"', '"grant"'), 'p.json')).toHaveLength(2);
    expect(lint(text, 'p.json').map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
      '/rules/0/id has no limit over all hosts: an agent may add as many as it likes',
      '/rules/0/hosts lets new hosts have any name, also one that other rules grant more',
      '/rules/0/addresses lets new hosts lie anywhere',
    ]);
  });
});
