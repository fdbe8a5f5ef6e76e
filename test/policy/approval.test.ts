import { describe, expect, test } from 'vitest';
import { InvalidFile } from '../../src/errors.ts';
import { meets, strictestTerms } from '../../src/policy/approval.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { callFor } from '../support/calls.ts';

const UNSAID = { by: 'operator', approvers: 1, expiresMs: 300_000, uses: 1, ttlMs: 300_000 } as const;

const termsOf = (document: object, command = 'systemctl restart nginx') => {
  const policy = compile(JSON.stringify({ version: '1', default: 'allow', ...document }), 'p.json');
  const decision = decide(policy, callFor('ssh_exec', { host: 'web', command }), {});
  return decision.effect === 'ask' ? decision.terms : decision.effect;
};
const asks = (id: string, approval?: object) => ({
  id,
  effect: 'ask',
  commands: ['systemctl restart <name>'],
  ...(approval === undefined ? {} : { approval }),
});

describe('who is asked, and for how much', () => {
  test.each<{ title: string; document: object; terms: unknown }>([
    { title: 'a rule that says nothing asks an operator', document: { rules: [asks('a')] }, terms: UNSAID },
    {
      title: 'a tool that says nothing asks an operator',
      document: { tools: { ssh_exec: { action: 'require_approval' } } },
      terms: UNSAID,
    },
    {
      title: 'what a rule says is what is asked for',
      document: { rules: [asks('a', { by: 'client', expires: '10m', uses: 3, ttl: 'hour' })] },
      terms: { by: 'client', approvers: 1, expiresMs: 600_000, uses: 3, ttlMs: 3_600_000 },
    },
    {
      title: 'of two rules the stricter holds, member by member',
      document: {
        rules: [
          asks('a', { by: 'client', expires: '1m', uses: 3, ttl: '1h' }),
          asks('b', { by: 'operator', approvers: 2, expires: '1h', uses: 2, ttl: '2m' }),
        ],
      },
      terms: { by: 'operator', approvers: 2, expiresMs: 60_000, uses: 2, ttlMs: 120_000 },
    },
    {
      title: 'of a tool and a rule too',
      document: {
        tools: { ssh_exec: { approval: { by: 'operator', uses: 9 } } },
        rules: [asks('a', { by: 'client', uses: 5 })],
      },
      terms: { ...UNSAID, uses: 5 },
    },
    {
      title: 'a rule that allows adds nothing to one that asks',
      document: { rules: [{ id: 'all', effect: 'allow', commands: 'any' }, asks('a', { by: 'client' })] },
      terms: { ...UNSAID, by: 'client' },
    },
  ])('$title', ({ document, terms }) => {
    expect(termsOf(document)).toEqual(terms);
  });

  test('a deny that may be meant asks an operator', () => {
    const rules = [
      { id: 'all', effect: 'allow', commands: 'any' },
      { id: 'no', effect: 'deny', commands: ['systemctl restart sshd'] },
    ];
    expect(termsOf({ rules }, 'systemctl restart $x')).toEqual(UNSAID);
  });

  test('the strictest of any terms is the same in every order', () => {
    const all = [
      { ...UNSAID, by: 'client', uses: 7 },
      { ...UNSAID, approvers: 3, expiresMs: 1 },
      { ...UNSAID, ttlMs: 2 },
    ] as const;
    const strictest = { by: 'operator', approvers: 3, expiresMs: 1, uses: 1, ttlMs: 2 };
    expect(strictestTerms(all)).toEqual(strictest);
    expect(strictestTerms(all.toReversed())).toEqual(strictest);
    expect(strictestTerms([])).toEqual(UNSAID);
  });

  test.each([
    { given: { ...UNSAID }, asked: { ...UNSAID, by: 'client' as const }, is: true },
    { given: { ...UNSAID, by: 'client' as const }, asked: { ...UNSAID }, is: false },
    { given: { ...UNSAID }, asked: { ...UNSAID, approvers: 2 }, is: false },
    { given: { ...UNSAID, approvers: 2 }, asked: { ...UNSAID }, is: true },
  ])('a yes of $given.approvers by $given.by does for $asked.approvers by $asked.by: $is', ({ given, asked, is }) => {
    expect(meets(given, asked)).toBe(is);
  });
});

test.each<{ approval: object; says: string }>([
  {
    approval: { by: 'client', approvers: 2 },
    says: '/rules/0/approval/approvers are operators: a client has one voice, so write "by": "operator"',
  },
  { approval: { approvers: 11 }, says: '/rules/0/approval/approvers must be at most 10' },
  { approval: { expires: '2d' }, says: '/rules/0/approval/expires must be at most a day' },
  { approval: { ttl: '25h' }, says: '/rules/0/approval/ttl must be at most a day' },
  { approval: { uses: 0 }, says: '/rules/0/approval/uses must be at least 1' },
])('$approval is a problem with its place', ({ approval, says }) => {
  const document = JSON.stringify({ version: '1', default: 'deny', rules: [asks('a', approval)] });
  let problems: readonly string[] = [];
  try {
    compile(document, 'p.json');
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    problems = error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
  }
  expect(problems).toEqual([says]);
});
