import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Transfer } from '../../src/call.ts';
import { decide, decideFile, type Policy } from '../../src/policy/decide.ts';
import { EFFECTS } from '../../src/policy/decision.ts';
import type { Access, Asked, FileRule, Verdict, Where } from './files-oracle.ts';
import { askedOracle, fileOracle } from './files-oracle.ts';
import { policyOf, said } from './rules-support.ts';

const SEED = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.SALLYPORT_TEST_RUNS ?? 10_000);
console.info(`files' laws: SALLYPORT_TEST_SEED=${SEED}`);

const law = <Args extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof Args]: fc.Arbitrary<Args[K]> },
  holds: (...args: Args) => void,
  share = 20,
): void => {
  fc.assert(fc.property(...arbitraries, holds), { seed: SEED, numRuns: Math.ceil(RUNS / share) });
};

const some = <T>(...values: readonly [T, ...T[]]) => fc.subarray([...values], { minLength: 1 });
const optional = <T>(value: fc.Arbitrary<T>, freq = 1) => fc.option(value, { nil: undefined, freq });
const TIMES = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'] as const;

const NAMES = ['a', 'b', 'ab', '.x', 'é', '\udcff', '😀'] as const;
const part = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 4, arbitrary: fc.constantFrom('**', '*', '?', 'a*', '*b', '{a,b}', '{.x,é}*') },
);
const pattern = fc.oneof(
  { weight: 8, arbitrary: fc.array(part, { minLength: 1, maxLength: 4 }).map(parts => `/${parts.join('/')}`) },
  { weight: 1, arbitrary: fc.constant('/**') },
);
const fileRule = fc
  .record({
    effect: fc.constantFrom('allow', 'allow', 'allow', 'ask', 'deny'),
    actions: some('read', 'write', 'list', 'delete'),
    paths: fc.array(pattern, { minLength: 1, maxLength: 3 }),
    open: fc.nat(9),
    hosts: optional(some('web-1', 'db-1')),
    when: optional(
      fc.oneof(
        fc.record({ not_before: fc.constantFrom(...TIMES) }),
        fc.record({ not_after: fc.constantFrom(...TIMES) }),
      ),
    ),
  })
  .map(({ open, paths, actions, ...rule }): Omit<FileRule, 'id'> => {
    const every = rule.effect === 'deny' && open === 0;
    return JSON.parse(JSON.stringify({ ...rule, ...(every ? {} : { actions, paths }) }));
  });
const rules = fc
  .array(fileRule, { maxLength: 6 })
  .map(all => all.map((rule, index): FileRule => ({ id: `r${index}`, ...rule })));
const path = fc
  .array(fc.constantFrom(...NAMES), { maxLength: 4 })
  .chain(parts =>
    fc.constantFrom(`/${parts.join('/')}`, `/${parts.join('/')}`, `/${parts.join('//')}/`, `/./${parts.join('/')}`),
  );
const access = fc.constantFrom('read', 'write', 'list', 'delete');
const place = {
  host: fc.constantFrom('web-1', 'web-1', 'db-1'),
  at: fc.constantFrom('2025-12-31T00:00:00Z', '2026-02-01T00:00:00Z', '2026-07-01T00:00:00Z').map(Date.parse),
};
const where = fc.record(place);
const asked = fc.record({
  ...place,
  direction: fc.constantFrom('upload', 'download'),
  path: fc.oneof({ weight: 5, arbitrary: path }, { weight: 1, arbitrary: path.map(each => `~${each}`) }),
  tree: fc.boolean(),
  deletes: fc.boolean(),
});

const callOf = ({ host, at, path: remotePath, direction, tree, deletes }: Asked) => {
  const target = { host, user: 'deploy', address: host, port: 22, tags: [] };
  const shape = tree ? { tree: { links: 'skip', deleteExtra: deletes } } : {};
  const action = {
    kind: 'transfer',
    target,
    remotePath,
    resume: false,
    direction,
    localPath: 'x',
    ...shape,
  } as Transfer;
  return {
    id: 'c',
    grant: 'local',
    tool: direction === 'upload' ? 'ssh_upload' : 'ssh_download',
    input: {},
    action,
    at,
  };
};
type Answer = { readonly effect: Verdict['effect']; readonly because: readonly { readonly rule: string }[] };

const fileAnswer = (policy: Policy, { host, at }: Where, what: Access, real: string): Answer =>
  decideFile(policy, callOf({ host, at, path: real, direction: 'download', tree: false, deletes: false }), what, real);
const ids = ({ because }: Answer): readonly string[] =>
  because.map(({ rule }) => rule.replace('/rules/', '')).toSorted();
const rank = ({ effect }: Answer): number => EFFECTS.indexOf(effect);

const agree = (answer: Answer, verdict: Verdict): void => {
  if (answer.effect === 'deny')
    expect([answer.effect, verdict.deciding.includes(ids(answer)[0] ?? '')]).toEqual([verdict.effect, true]);
  else expect([answer.effect, ids(answer)]).toEqual([verdict.effect, verdict.deciding.toSorted()]);
};

describe('the rules keep their laws about files', { timeout: Math.max(60_000, 5 * RUNS) }, () => {
  test('a real path is decided as the one-page oracle decides', () => {
    const seen = new Map<string, number>();
    law<[readonly FileRule[], Where, Access, string[]]>(
      [rules, where, access, fc.array(path, { minLength: 4, maxLength: 4 })],
      (all, at, what, reals) => {
        const policy = policyOf(all);
        for (const real of reals) {
          const isPlain = !real.startsWith('//');
          const verdict = fileOracle(all, at, what, real);
          const wanted: Verdict =
            isPlain || verdict.effect === 'deny' ? verdict : { effect: 'deny', deciding: ['(no rule)'] };
          const kind = `${wanted.effect} ${wanted.deciding[0] === '(no rule)' ? 'no rule' : 'rule'}`;
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
          agree(fileAnswer(policy, at, what, real), wanted);
        }
      },
    );
    if (RUNS >= 10_000) for (const kind of KINDS) expect([kind, (seen.get(kind) ?? 0) > 20]).toEqual([kind, true]);
  });

  test('a transfer is decided by its path as asked as the one-page oracle decides', () => {
    law<[readonly FileRule[], Asked]>([rules, asked], (all, one) => {
      if (one.path.startsWith('//')) return;
      agree(decide(policyOf(all), callOf(one), {}), askedOracle(all, one));
    });
  });

  test('what a rule denies or asks for by its real path is never let through by that path without it', () => {
    law<[readonly FileRule[], Asked]>([rules, asked], (all, one) => {
      if (!one.path.startsWith('/')) return;
      const policy = policyOf(all);
      const [need]: readonly [Access] = one.direction === 'upload' ? ['write'] : one.tree ? ['list'] : ['read'];
      const real = fileAnswer(policy, one, need, one.path);
      const early = decide(policy, callOf(one), {});
      if (real.effect === 'ask') expect(early.effect).not.toBe('allow');
      if (real.effect === 'deny' && ids(real)[0] !== '(no rule)') expect(early.effect).toBe('deny');
      if (real.effect === 'allow' && !one.tree) expect(early.effect).toBe('allow');
    });
  });

  test('one_more_restraint_never_loosens, and one more allow never restrains', () => {
    law<[readonly FileRule[], Omit<FileRule, 'id'>, Where, Access, string]>(
      [rules, fileRule, where, access, path],
      (all, more, at, what, real) => {
        const before = fileAnswer(policyOf(all), at, what, real);
        const after = fileAnswer(policyOf([...all, { id: 'more', ...more }]), at, what, real);
        if (more.effect === 'deny') expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
        if (more.effect === 'allow') expect(rank(after)).toBeLessThanOrEqual(rank(before));
        if (more.effect === 'ask' && before.effect !== 'deny') expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
      },
    );
  });

  test('order changes nothing, and neither do duplicates', () => {
    law<[readonly FileRule[], Asked, Access]>([rules, asked, access], (all, one, what) => {
      const twice = [...all, ...all.map(rule => ({ ...rule, id: `${rule.id}-again` }))].reverse();
      const both = (policy: Policy) => [
        fileAnswer(policy, one, what, one.path).effect,
        decide(policy, callOf(one), {}).effect,
      ];
      expect(both(policyOf(twice))).toEqual(both(policyOf(all)));
    });
  });

  test('silence_is_deny, and what is not a plain absolute path is never granted', () => {
    const odd = fc.constantFrom('..', 'a/../b', '\0', 'a\nb', '\u0085', '\x7f');
    law<[readonly FileRule[], Where, Access, string, string]>(
      [rules, where, access, path, odd],
      (all, at, what, real, strange) => {
        expect(ids(fileAnswer(policyOf([]), at, what, real))).toEqual(['(no rule)']);
        for (const each of [`${real}/${strange}`, real.replace(/^\/+/, ''), `/${real}/${strange}/x`])
          expect([each, fileAnswer(policyOf(all), at, what, each).effect]).toEqual([each, 'deny']);
      },
    );
  });

  test('a redirection is decided as a transfer to the same file is', () => {
    law<[readonly FileRule[], string]>([rules, path], (all, real) => {
      if (/[^/a-z.]/.test(real) || real === '/' || real.startsWith('//')) return;
      const files = all
        .map(({ hosts: _hosts, when: _when, ...rule }) => rule)
        .filter(({ actions }) => actions !== undefined);
      const policy = policyOf([{ id: 'echo', effect: 'allow', commands: ['echo'] }, ...files]);
      const at = { host: 'web-1', at: Date.parse('2026-02-01T00:00:00Z') };
      expect(said(policy, `echo > ${real}`).split(' ')[0]).toBe(fileAnswer(policy, at, 'write', real).effect);
      expect(said(policy, `echo < ${real}`).split(' ')[0]).toBe(
        fileAnswer(policy, at, 'read', real).effect === 'deny' ? 'deny' : said(policy, `echo < ${real}`).split(' ')[0],
      );
    });
  });
});

const KINDS = ['allow rule', 'ask rule', 'deny rule', 'deny no rule'];
