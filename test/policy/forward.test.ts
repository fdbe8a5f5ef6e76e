import { describe, expect, test } from 'vitest';
import type { Forward } from '../../src/call.ts';
import { formatProblem, InvalidFile } from '../../src/errors.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import { lint } from '../../src/policy/lint.ts';
import { ipOf } from '../../src/text/network.ts';
import { policyOf } from './rules-support.ts';

const DB = { id: 'db', effect: 'allow', actions: ['forward'], ports: [5432] };

const tunnel = (host: string, port = 5432, more: Partial<Omit<Forward, 'kind' | 'to'>> = {}): Forward => ({
  ...{ kind: 'forward', direction: 'local', listenPort: 0, to: { host, port } },
  target: { host: 'web-1', user: 'deploy', address: 'web-1', port: 22, tags: [] },
  ...more,
});
const remote = { direction: 'remote' } as const;

const say = (policy: Policy, action: Forward): string => {
  const call = { id: 'c', grant: 'local', tool: 'ssh_tunnel_start', input: {}, action, at: 0 };
  const decision = decide(policy, call, { host: action.target.host });
  return [decision.effect, ...decision.because.map(({ rule, reason }) => `${rule}: ${reason}`)].join(' ');
};
const effect = (policy: Policy, action: Forward): string => say(policy, action).split(' ')[0] ?? '';

const ALLOWED = 'allow /rules/db: The rule db allows it.';

describe('a rule of ports alone grants local tunnels to the loopback of the host', () => {
  const policy = policyOf([DB]);

  test.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('to %s', host => {
    expect(say(policy, tunnel(host))).toBe(ALLOWED);
  });

  test.each<[string, Forward, string]>([
    ['another port', tunnel('localhost', 5433), 'The rule db does not let a tunnel lead to port 5433 of localhost.'],
    ['the other way', tunnel('localhost', 5432, remote), 'The rule db grants no remote tunnel.'],
    [
      'the metadata of a cloud',
      tunnel('169.254.169.254'),
      'The rule db does not let a tunnel lead to 169.254.169.254.',
    ],
    ['its link in IPv6', tunnel('fe80::1'), 'The rule db does not let a tunnel lead to fe80::1.'],
    ['every address of the host', tunnel('0.0.0.0'), 'The place where the tunnel would lead is not written plainly.'],
    ['no address', tunnel('::'), 'The place where the tunnel would lead is not written plainly.'],
    ['a private one', tunnel('10.0.0.1'), 'The rule db does not let a tunnel lead to 10.0.0.1.'],
    [
      'a name that may be the loopback',
      tunnel('db.example.com'),
      'The rule db does not let a tunnel lead to db.example.com: names are granted by their names, and networks grant none.',
    ],
    [
      'a name in another spelling',
      tunnel('LOCALHOST.'),
      'The place where the tunnel would lead is not written plainly.',
    ],
    ['an address in another', tunnel('127.1'), 'The place where the tunnel would lead is not written plainly.'],
    [
      'IPv4 in IPv6 clothes',
      tunnel('::ffff:127.0.0.1'),
      'The place where the tunnel would lead is not written plainly.',
    ],
    ['nothing', tunnel(''), 'The place where the tunnel would lead is not written plainly.'],
  ])('and not to %s', (_what, action, why) => {
    expect(say(policy, action)).toBe(`deny (no rule): ${why}`);
  });
});

describe('addresses say where else', () => {
  const policy = policyOf([
    { ...DB, ports: [5432, '8000-8002'], addresses: ['db-*.example.internal', '10.1.0.0/16', 'fd00::/8', '127.0.0.1'] },
  ]);

  test.each<[string, number, string]>([
    ['db-7.example.internal', 5432, 'allow'],
    ['10.1.255.255', 8_000, 'allow'],
    ['10.1.0.0', 8_002, 'allow'],
    ['fd12::9', 8_001, 'allow'],
    ['127.0.0.1', 5432, 'allow'],
    ['10.2.0.1', 5432, 'deny'],
    ['127.0.0.2', 5432, 'deny'],
    ['localhost', 5432, 'deny'],
    ['db-7.example.internal', 8_003, 'deny'],
    ['db-7.example.internal.evil.org', 5432, 'deny'],
    ['db.example.internal', 5432, 'deny'],
    ['example.internal', 5432, 'deny'],
    ['169.254.169.254', 5432, 'deny'],
  ])('%s:%d: %s', (host, port, expected) => {
    expect(effect(policy, tunnel(host, port))).toBe(expected);
  });

  test('* is every name and every address', () => {
    const any = policyOf([{ ...DB, addresses: ['*'] }]);
    expect(['db', 'a.b.c', '10.0.0.1', '::1'].map(host => effect(any, tunnel(host)))).toEqual(Array(4).fill('allow'));
  });

  test('two rules that each grant a part grant nothing', () => {
    const split = policyOf([
      { ...DB, id: 'here', addresses: ['10.1.0.1'] },
      { ...DB, id: 'there', ports: [80], addresses: ['10.1.0.2'] },
    ]);
    expect(say(split, tunnel('10.1.0.2'))).toBe(
      'deny (no rule): The rule there does not let a tunnel lead to port 5432 of 10.1.0.2.',
    );
  });
});

test('directions say which way', () => {
  const back = policyOf([{ ...DB, directions: ['remote'] }]);
  expect([effect(back, tunnel('localhost')), effect(back, tunnel('localhost', 5432, remote))]).toEqual([
    'deny',
    'allow',
  ]);
  const both = policyOf([{ ...DB, directions: ['local', 'remote'] }]);
  expect([effect(both, tunnel('localhost')), effect(both, tunnel('localhost', 5432, remote))]).toEqual([
    'allow',
    'allow',
  ]);
});

test('hosts, users and times hold as for anything', () => {
  const policy = policyOf([{ ...DB, hosts: ['db-*'], users: ['deploy'], when: { not_after: '2020-01-01T00:00:00Z' } }]);
  const on = (host: string, user = 'deploy'): Forward =>
    tunnel('localhost', 5432, { target: { host, user, address: host, port: 22, tags: [] } });
  expect([on('db-1'), on('web-1'), on('db-1', 'root')].map(action => effect(policy, action))).toEqual([
    'allow',
    'deny',
    'deny',
  ]);
});

describe('rules that restrain are felt where they may be meant', () => {
  const and = (rule: object): Policy =>
    policyOf([
      { ...DB, addresses: ['*'], directions: ['local', 'remote'] },
      { id: 'no', ...rule },
    ]);
  const deny = (rule: object) => ({ effect: 'deny', actions: ['forward'], ...rule });
  const DENIED = 'deny /rules/no: The rule no denies it.';
  const DOUBT = `ask /rules/no: It may be what the rule no denies. ${ALLOWED.slice(6)}`;

  test.each<[string, object, Forward, string]>([
    ['all', deny({}), tunnel('10.0.0.1'), DENIED],
    ['all the other way', deny({}), tunnel('10.0.0.1', 5432, remote), DENIED],
    ['every action', { effect: 'deny' }, tunnel('10.0.0.1'), DENIED],
    ['an address', deny({ addresses: ['10.0.0.0/8'] }), tunnel('10.0.0.1'), DENIED],
    ['an address that a name may be', deny({ addresses: ['169.254.169.254'] }), tunnel('db.internal'), DOUBT],
    ['a name that an address may have', deny({ addresses: ['db.internal'] }), tunnel('10.0.0.1'), DOUBT],
    ['a name', deny({ addresses: ['db.internal'] }), tunnel('db.internal'), DENIED],
    ['another name', deny({ addresses: ['db.internal'] }), tunnel('web.internal'), ALLOWED],
    ['another address', deny({ addresses: ['10.0.0.0/8'] }), tunnel('192.0.2.1'), ALLOWED],
    ['a port', deny({ ports: ['5000-6000'] }), tunnel('192.0.2.1'), DENIED],
    ['another port', deny({ ports: [22] }), tunnel('192.0.2.1'), ALLOWED],
    ['a direction', deny({ directions: ['remote'] }), tunnel('192.0.2.1', 5432, remote), DENIED],
    ['another direction', deny({ directions: ['remote'] }), tunnel('192.0.2.1'), ALLOWED],
    ['another action', { effect: 'deny', actions: ['exec'] }, tunnel('192.0.2.1'), ALLOWED],
    [
      'who asks',
      { effect: 'ask', actions: ['forward'], ports: [5432], addresses: ['10.0.0.0/8'] },
      tunnel('10.0.0.1'),
      `ask /rules/no: The rule no asks first. ${ALLOWED.slice(6)}`,
    ],
    [
      'who asks for what a name may be',
      { effect: 'ask', actions: ['forward'], ports: [5432], addresses: ['10.0.0.0/8'] },
      tunnel('db.internal'),
      `ask /rules/no: The rule no asks first. ${ALLOWED.slice(6)}`,
    ],
    [
      'who asks for another port',
      { effect: 'ask', actions: ['forward'], ports: [80], addresses: ['10.0.0.0/8'] },
      tunnel('10.0.0.1'),
      ALLOWED,
    ],
  ])('%s', (_what, rule, action, said) => {
    expect(say(and(rule), action)).toBe(said);
  });
});

test('without rules, what tools allows is granted', () => {
  const open = compile(JSON.stringify({ version: '1', default: 'deny', tools: { ssh_tunnel_start: {} } }), 'p.json');
  expect(effect(open, tunnel('10.0.0.1'))).toBe('allow');
  const shut = compile(JSON.stringify({ version: '1', default: 'deny' }), 'p.json');
  expect(effect(shut, tunnel('localhost'))).toBe('deny');
});

test('a rule of commands grants no tunnel, and one of tunnels no command', () => {
  expect(say(policyOf([{ id: 'r', effect: 'allow', commands: 'any' }]), tunnel('localhost'))).toBe(
    'deny (no rule): No rule grants a tunnel on web-1.',
  );
  const call = { id: 'c', grant: 'local', tool: 'ssh_exec', input: {}, at: 0 };
  const { target } = tunnel('localhost');
  const run = { kind: 'exec', target, program: { text: 'true' }, env: {}, timeoutMs: 1 } as const;
  expect(decide(policyOf([DB]), { ...call, action: run }, {}).effect).toBe('deny');
  expect(decide(policyOf([DB]), { ...call, action: { kind: 'connect', target } }, {}).effect).toBe('allow');
});

test('limits of the rule count', () => {
  const limits = [{ counter: 'tunnels', concurrent: true, max: 2, scope: 'host' }];
  const decision = decide(
    policyOf([{ ...DB, limits }]),
    { id: 'c', grant: 'local', tool: 'ssh_tunnel_start', input: {}, action: tunnel('localhost'), at: 0 },
    { host: 'web-1' },
  );
  expect(decision).toMatchObject({ effect: 'allow', charges: [{ amount: 1, max: 2, span: { kind: 'concurrent' } }] });
});

describe('a document', () => {
  const problemsOf = (rule: object): readonly string[] => {
    try {
      policyOf([{ id: 'r', effect: 'allow', ...rule }]);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidFile)) throw error;
      return error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
    }
  };

  test.each<[string, object, string]>([
    [
      'names ports',
      { actions: ['forward'] },
      '/rules/0/actions has forward without ports: write where tunnels may lead, as in [5432]',
    ],
    [
      'names ports where it asks',
      { effect: 'ask', actions: ['forward'], addresses: ['10.0.0.1'] },
      '/rules/0/actions has forward without ports: write where tunnels may lead, as in [5432]',
    ],
    [
      'names directions of tunnels',
      { commands: ['uptime'], directions: ['local'] },
      '/rules/0/directions is about tunnels: name forward in actions',
    ],
    [
      'names directions that there are',
      { ...DB, directions: ['dynamic'] },
      '/rules/0/directions/0 must be "local" or "remote", and is "dynamic"',
    ],
    [
      'names addresses of something',
      { commands: ['uptime'], addresses: ['10.0.0.1'] },
      '/rules/0/addresses is about new hosts and tunnels: name configure or forward in actions',
    ],
    [
      'names tags of hosts',
      { ...DB, tags: ['web'] },
      '/rules/0/tags is about hosts to be added: name configure in actions',
    ],
    [
      'lets hosts be added somewhere',
      { actions: ['configure', 'forward'], ports: [22], hosts: ['x-*'], addresses: ['*'] },
      '/rules/0/addresses has "*": new hosts lie in networks, or in domains that are named in full',
    ],
    ['has ports that are ports', { ...DB, ports: [0] }, '/rules/0/ports/0 must be at least 1'],
  ])('%s', (_what, rule, problem) => {
    expect(problemsOf(rule)).toEqual([problem]);
  });

  test('judges its own tests', () => {
    const test = (to_host: string, expected: string, more = {}) => ({
      tool: 'ssh_tunnel_start',
      host: 'web-1',
      args: { direction: 'local', to_host, to_port: 5432, ...more },
      expect: expected,
    });
    const whole =
      (...tests: object[]) =>
      () =>
        policyOf([DB], { tests });
    expect(whole(test('LocalHost.', 'allow'), test('db', 'deny'), test('127.1', 'deny'))).not.toThrow();
    expect(whole(test('localhost', 'deny', { direction: 'remote' }))).not.toThrow();
    expect(whole(test('localhost', 'deny'))).toThrow('should be deny, and is allow by /rules/db');
  });

  test('is warned of what leads too far', () => {
    const text = (rule: object): string =>
      JSON.stringify({
        version: '1',
        default: 'deny',
        tools: { ssh_tunnel_start: {}, ssh_tunnel_stop: {} },
        rules: [{ ...DB, ...rule }],
      });
    const warned = (rule: object) =>
      lint(text(rule), 'p')
        .map(formatProblem)
        .map(line => line.split(' ').slice(1).join(' '));
    expect(warned({})).toEqual([]);
    expect(warned({ ports: ['1-65535'], addresses: ['0.0.0.0/0'], directions: ['local', 'remote'] })).toEqual([
      '/rules/0/ports lets tunnels lead to everything that listens there',
      '/rules/0/addresses lets tunnels lead to any address, cloud metadata among them',
      '/rules/0/directions lets everybody on the host connect to what this machine reaches',
    ]);
    expect(warned({ addresses: ['*'] })).toHaveLength(1);
  });

  test('is told of a rule that says nothing new, and of no other', () => {
    const doubts = (...rules: object[]): readonly string[] =>
      lint(
        JSON.stringify({
          ...{ version: '1', default: 'deny', tools: { ssh_tunnel_start: {}, ssh_tunnel_stop: {} } },
          rules: rules.map((rule, index) => ({ ...DB, id: `r${index}`, ...rule })),
        }),
        'p',
      ).map(({ pointer, message }) => `${pointer} ${message}`);
    expect(doubts({}, { addresses: ['10.0.0.1'] })).toEqual([]);
    expect(doubts({}, { directions: ['remote'], addresses: ['::1'] })).toHaveLength(1);
    expect(doubts({ ports: [5432, 80] }, {})).toEqual(['/rules/1/id says nothing that the rule r0 does not say']);
    expect(doubts({}, { addresses: ['127.0.0.0/8'] })).toEqual([
      '/rules/1/id says nothing that the rule r0 does not say',
    ]);
  });
});

test('what no single rule grants whole is never allowed, and what a rule denies never is, whatever they are', () => {
  let seed = 11;
  const next = (most: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const one = <T>(all: readonly T[]): T | undefined => all[next(all.length)];
  const HOSTS = ['localhost', '127.0.0.1', '10.1.0.9', '10.2.0.9', 'db.internal', 'web.internal', '::1', 'fd00::1'];
  const ENTRIES = [...HOSTS, '10.0.0.0/8', '10.1.0.0/16', '*.internal', 'fd00::/8', '0.0.0.0/0', '127.0.0.0/8'];
  const literal = (host: string): boolean => ipOf(host) !== undefined;
  const within = (entry: string, host: string): boolean => {
    const NETS: Record<string, readonly string[]> = {
      '10.0.0.0/8': ['10.1.0.9', '10.2.0.9'],
      '10.1.0.0/16': ['10.1.0.9'],
      '*.internal': ['db.internal', 'web.internal'],
      'fd00::/8': ['fd00::1'],
      '0.0.0.0/0': ['127.0.0.1', '10.1.0.9', '10.2.0.9'],
      '127.0.0.0/8': ['127.0.0.1'],
    };
    return entry === host || (NETS[entry]?.includes(host) ?? false);
  };
  const sort = (entry: string): boolean => /[0-9:]$/.test(entry);
  const OWN = ['localhost', '127.0.0.0/8', '::1'];
  for (let round = 0; round < 500; round++) {
    const rules = Array.from({ length: 1 + next(4) }, (_, index) => {
      const denies = next(3) === 0;
      return {
        id: `r${index}`,
        effect: denies ? 'deny' : 'allow',
        actions: ['forward'],
        ...(denies && next(2) === 0 ? {} : { ports: [one([80, 5432]) ?? 80] }),
        ...(next(3) === 0 ? {} : { addresses: [one(ENTRIES) ?? '', one(ENTRIES) ?? ''] }),
        ...(next(2) === 0 ? {} : { directions: [one(['local', 'remote'])] }),
      };
    });
    const to = one(HOSTS) ?? '';
    const port = one([80, 5432]) ?? 80;
    const direction = next(2) === 0 ? 'local' : 'remote';
    const meant = (rule: (typeof rules)[number]): boolean =>
      (rule.ports?.includes(port) ?? true) &&
      (rule.directions ?? (rule.effect === 'deny' ? ['local', 'remote'] : ['local'])).includes(direction);
    const places = (rule: (typeof rules)[number]): readonly string[] | undefined =>
      rule.addresses ?? (rule.effect === 'deny' ? undefined : OWN);
    const granted = rules.some(
      rule => rule.effect === 'allow' && meant(rule) && places(rule)?.some(entry => within(entry, to)),
    );
    const denies = rules.filter(rule => rule.effect === 'deny' && meant(rule));
    const denied = denies.some(rule => places(rule)?.some(entry => within(entry, to)) ?? true);
    const doubted = denies.some(rule => places(rule)?.some(entry => sort(entry) !== literal(to)) ?? false);
    const expected = denied || !granted ? 'deny' : doubted ? 'ask' : 'allow';
    expect([rules, to, port, direction, effect(policyOf(rules), tunnel(to, port, { direction }))]).toEqual([
      ...[rules, to, port, direction, expected],
    ]);
  }
});
