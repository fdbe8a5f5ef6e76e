import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/call.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, NO_POLICY, type Policy } from '../../src/policy/decide.ts';
import { type Charge, type Decision, EFFECTS } from '../../src/policy/decision.ts';
import { callFor } from '../support/calls.ts';
import { condition, document, fixedLimit, grouped, limit, type Row, type Subject, subject } from './documents.ts';
import { type Asked, oracle, type Verdict } from './oracle.ts';

const SEED = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.SALLYPORT_TEST_RUNS ?? 10_000);
console.info(`laws: SALLYPORT_TEST_SEED=${SEED}`);

const compiled = (raw: Row): Policy => compile(JSON.stringify(raw), 'policy.json');
const answer = (policy: Policy, { tool: name, input, host }: Subject): Decision =>
  decide(policy, callFor(name, input, host === undefined ? {} : { host }), { host });
const asked = ({ tool: name, input, host }: Subject): Asked => {
  const session = typeof input.session_id === 'string' && name !== 'ssh_status' ? input.session_id : null;
  return { tool: name, input, grant: 'local', host: host ?? null, session };
};
const listed = (raw: Row): Row => (typeof raw.tools === 'object' && raw.tools !== null ? { ...raw.tools } : {});
const withTool = (raw: Row, name: string, more: (entry: Row) => Row): Row => {
  const tools = listed(raw);
  return { ...raw, tools: { ...tools, [name]: more({ ...(tools[name] ?? {}) }) } };
};
const added = (into: Row, key: string, one: unknown): Row => ({ ...into, [key]: [...[into[key] ?? []].flat(), one] });
const rank = ({ effect }: Decision): number => EFFECTS.indexOf(effect);
const facts = (decision: Decision): unknown => ({
  effect: decision.effect,
  ...(decision.effect === 'deny' ? { code: decision.code } : { charges: sums(decision.charges).toSorted() }),
});
const sums = (charges: readonly Charge[]): string[] => charges.map(({ key, amount, max }) => `${key} ${amount}/${max}`);

/** Both answers in the oracle's words: it knows the kind of rule that refuses, and amounts, but neither ids nor keys. */
const told = (decision: Decision, said: Verdict): string => {
  if (decision.effect === 'deny') {
    const [{ rule }] = decision.because;
    return `deny ${said.effect === 'deny' && rule.includes(said.rule) ? said.rule : rule}`;
  }
  return [decision.effect, ...decision.charges.map(({ amount, max }) => `${amount} of ${max}`).toSorted()].join(' ');
};
const wanted = (said: Verdict): string =>
  said.effect === 'deny'
    ? `deny ${said.rule}`
    : [said.effect, ...said.charges.map(each => each.replace(/: .*/, '')).toSorted()].join(' ');

const law = <Args extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof Args]: fc.Arbitrary<Args[K]> },
  holds: (...args: Args) => void,
  share = 20,
): void => {
  fc.assert(fc.property(...arbitraries, holds), { seed: SEED, numRuns: Math.ceil(RUNS / share) });
};

describe('the policy keeps its laws', { timeout: 60_000 }, () => {
  test('it decides what the one-page oracle decides', () => {
    const seen = new Set<string>();
    law<[Row, Subject[]]>(
      [document, fc.array(subject, { minLength: 4, maxLength: 4 })],
      (raw, subjects) => {
        const policy = compiled(raw);
        for (const one of subjects) {
          const decision = answer(policy, one);
          seen.add(`${decision.effect} ${decision.because[0].rule.replace(/-.*/, '')}`);
          const said = oracle(JSON.parse(JSON.stringify(raw)), asked(one));
          if (told(decision, said) !== wanted(said)) expect(told(decision, said)).toBe(wanted(said));
        }
      },
      4,
    );
    expect(seen.size).toBeGreaterThan(RUNS < 10_000 ? 5 : 40);
  });

  test('two calls share a budget exactly when the oracle says so', () => {
    law<[Row, Subject, Subject]>([document, subject, subject], (raw, one, other) => {
      const policy = compiled(raw);
      const [a, b] = [answer(policy, one), answer(policy, other)];
      const [c, d] = [one, other].map(each => oracle(JSON.parse(JSON.stringify(raw)), asked(each)));
      if (a.effect === 'deny' || b.effect === 'deny' || c?.effect === 'deny' || d?.effect === 'deny') return;
      const shared = a.charges.filter(({ key }) => b.charges.some(charge => charge.key === key));
      const names = d?.charges.map(each => each.replace(/.*?: /, ''));
      expect(shared).toHaveLength(c?.charges.filter(each => names?.includes(each.replace(/.*?: /, ''))).length ?? -1);
    });
  });

  test('deny_trumps_all [G3]', () => {
    law<[Row, Subject]>([document, subject], (raw, one) => {
      const unconditional = withTool(raw, one.tool, found =>
        added(found, 'deny_if', { conditions: [], on_deny: 'No.' }),
      );
      const denied = withTool(raw, one.tool, found => ({ ...found, action: 'deny' }));
      for (const stricter of [unconditional, denied, added(raw, 'hide', one.tool)])
        expect(answer(compiled(stricter), one).effect).toBe('deny');
    });
  });

  test('silence_is_the_default', () => {
    law<[Row, Subject]>([document, subject], (raw, one) => {
      const { [one.tool]: _silent, ...tools } = listed(raw);
      const silent = { version: '1', default: raw.default, tools };
      const [effect, rule] = raw.default === 'deny' ? ['deny', '(default deny)'] : ['allow', '(default allow)'];
      const decision = answer(compiled(silent), one);
      expect([decision.effect, decision.because[0].rule]).toEqual([effect, rule]);
      expect(answer(NO_POLICY, one).because[0].rule).toBe('(no policy)');
    });
  });

  test('a_broken_rule_denies [G4]', () => {
    const broken = (): never => {
      throw new Error('this argument cannot be read');
    };
    const trap = new Proxy({}, { get: broken, has: broken, ownKeys: broken, getOwnPropertyDescriptor: broken });
    const inputs: readonly Input[] = [
      trap,
      {
        get a() {
          return broken();
        },
        b: trap,
      },
    ];
    law<[Row, Subject, Row]>([document, subject, condition], (raw, one, rule) => {
      const onBroken = { ...rule, path: 'args.a' };
      const ways: readonly ((found: Row) => Row)[] = [
        found => added(found, 'require', onBroken),
        found => added(found, 'deny_if', { conditions: [onBroken] }),
        found =>
          added(found, 'limits', { counter: 'n', window: 'day', max: 9, scope: 'grant', increment_from: 'args.a' }),
      ];
      for (const way of ways) {
        const policy = compiled(withTool(raw, one.tool, way));
        for (const input of inputs)
          expect(decide(policy, { ...callFor(one.tool, one.input), input }, {}).effect).toBe('deny');
      }
    });
  });

  test('order_changes_nothing, and neither do duplicates', () => {
    const turned = (found: unknown): unknown => {
      if (Array.isArray(found)) return [...found, ...found].reverse().map(turned);
      if (typeof found !== 'object' || found === null) return found;
      return Object.fromEntries(
        Object.entries(found)
          .reverse()
          .map(([key, member]) => [key, turned(member)]),
      );
    };
    law<[Row, Subject]>(
      [document, subject],
      (raw, one) => {
        const other = compile(JSON.stringify(turned(raw)), 'policy.json');
        expect(facts(answer(other, one))).toEqual(facts(answer(compiled(raw), one)));
      },
      5,
    );
  });

  test('one_more_rule_never_loosens', () => {
    law<[Row, Subject, Row, Row, Row, Row]>(
      [document, subject, grouped(1), grouped(0), limit, fixedLimit],
      (raw, one, requirement, refusal, budget, overall) => {
        const before = answer(compiled(raw), one);
        const opens = raw.default === 'deny' && listed(raw)[one.tool] === undefined;
        const ways: readonly Row[] = [
          added(raw, 'hide', one.tool),
          { ...raw, all_tools: added({ ...(raw.all_tools ?? {}) }, 'limits', overall) },
          ...(opens
            ? []
            : [
                withTool(raw, one.tool, found => added(found, 'require', requirement)),
                withTool(raw, one.tool, found => added(found, 'deny_if', refusal)),
                withTool(raw, one.tool, found => added(found, 'limits', budget)),
                withTool(raw, one.tool, found => ({ approval: {}, ...found })),
              ]),
        ];
        for (const stricter of ways) {
          const after = answer(compiled(stricter), one);
          expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
          if (before.effect === 'deny' || after.effect === 'deny') continue;
          for (const charge of before.charges) {
            const kept = after.charges.find(({ key }) => key === charge.key);
            expect(kept?.amount).toBeGreaterThanOrEqual(charge.amount);
            expect(kept?.max).toBeLessThanOrEqual(charge.max);
          }
        }
      },
    );
  });

  test('every_decision_says_why', () => {
    law<[Row, Subject]>(
      [document, subject],
      (raw, one) => {
        const decision = answer(compiled(raw), one);
        for (const { rule, reason } of decision.because) {
          expect(rule).toMatch(/^(\/(tools|all_tools)\/.+|\(hidden\)|\(default deny\)|\(default allow\))$/);
          expect(reason.length).toBeGreaterThan(0);
        }
        if (decision.effect === 'deny') return;
        for (const charge of decision.charges) {
          expect(charge.rule).toMatch(/^\/(tools\/[a-z_]+|all_tools)\/(limits\/.+|rate_limit)$/);
          expect(charge.reason).toMatch(/^The limit of \d+ .* is reached\.$/);
          expect(Number.isInteger(charge.amount) && charge.amount <= charge.max).toBe(true);
        }
      },
      5,
    );
  });
});
