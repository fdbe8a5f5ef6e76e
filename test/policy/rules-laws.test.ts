import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/call.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import { type Decision, EFFECTS } from '../../src/policy/decision.ts';
import { read } from '../../src/shell/read.ts';
import { lawCall, lawRule, lawRules, spell } from './rules-documents.ts';
import { type LawCall, type LawRule, rulesOracle } from './rules-oracle.ts';

const SEED = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.SALLYPORT_TEST_RUNS ?? 10_000);
console.info(`rules' laws: SALLYPORT_TEST_SEED=${SEED}`);

const law = <Args extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof Args]: fc.Arbitrary<Args[K]> },
  holds: (...args: Args) => void,
  share = 10,
): void => {
  fc.assert(fc.property(...arbitraries, holds), { seed: SEED, numRuns: Math.ceil(RUNS / share) });
};

const compiled = (rules: readonly LawRule[]): Policy =>
  compile(JSON.stringify({ version: '1', default: 'allow', rules }), 'p.json');
const answer = (policy: Policy, call: LawCall, spelling = 0): Decision<Run> => {
  const { host, user, at, cwd, env, stdin } = call;
  const action: Run = {
    kind: 'exec',
    target: { host, user, address: host, port: 22, tags: [] },
    program: { text: spell(call.text, spelling) },
    env: Object.fromEntries(env.map(name => [name, '1'])),
    timeoutMs: 600_000,
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdin ? { stdin: 'x' } : {}),
  };
  return decide(policy, { id: 'c', grant: 'local', tool: 'ssh_exec', input: {}, action, at }, { host });
};
const ids = ({ because }: Decision): readonly string[] =>
  because.map(({ rule }) => rule.replace('/rules/', '')).toSorted();
const rank = ({ effect }: Decision): number => EFFECTS.indexOf(effect);
const spelling = fc.nat();

describe('the rules keep their laws', { timeout: Math.max(120_000, 5 * RUNS) }, () => {
  test('they decide what the one-page oracle decides, however the text is spelled', () => {
    const seen = new Map<string, number>();
    law<[readonly LawRule[], LawCall[], number]>(
      [lawRules, fc.array(lawCall, { minLength: 4, maxLength: 4 }), spelling],
      (rules, calls, turn) => {
        const policy = compiled(rules);
        for (const call of calls) {
          const decision = answer(policy, call, turn);
          const said = rulesOracle(rules, call);
          const kind = `${said.effect} ${said.runs ?? (said.deciding[0] === '(no rule)' ? 'no rule' : 'denied')}`;
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
          if (decision.effect === 'deny') {
            expect([decision.effect, said.deciding.includes(ids(decision)[0] ?? '')]).toEqual([said.effect, true]);
            continue;
          }
          expect({ effect: decision.effect, deciding: ids(decision) }).toEqual({
            effect: said.effect,
            deciding: said.deciding.toSorted(),
          });
          expect('canonical' in decision.action.program ? 'canonical' : 'sent').toBe(said.runs);
        }
      },
      4,
    );
    if (RUNS >= 10_000) for (const kind of KINDS) expect([kind, (seen.get(kind) ?? 0) > 20]).toEqual([kind, true]);
  });

  test('uncertainty_never_grants [G4]', () => {
    law<[readonly LawRule[], LawCall]>([lawRules, lawCall], (rules, call) => {
      const narrow = rules.filter(rule => Array.isArray(rule.commands) || rule.paths !== undefined);
      const unknown = { ...call, text: { ...call.text, unknown: true } };
      expect(answer(compiled(narrow), unknown).effect).toBe('deny');
    });
  });

  test('what runs is what was granted, word by word [G5]', () => {
    law<[readonly LawRule[], LawCall, number]>([lawRules, lawCall, spelling], (rules, call, turn) => {
      const decision = answer(compiled(rules), call, turn);
      if (decision.effect === 'deny' || !('canonical' in decision.action.program)) return;
      const analysis = read(decision.action.program.canonical);
      if (analysis.kind === 'unknown') throw new Error(analysis.construct);
      const words = analysis.script.pipelines.map(({ commands }) =>
        commands.map(one => one.words.map(({ text }) => text)),
      );
      expect(words).toEqual(call.text.pipelines.map(pipeline => pipeline.map(one => one.words)));
    });
  });

  test('deny_trumps_all [G3]', () => {
    law<[readonly LawRule[], LawCall]>([lawRules, lawCall], (rules, call) => {
      for (const closed of [{ actions: ['exec'] }, {}])
        expect(answer(compiled([...rules, { id: 'no', effect: 'deny', ...closed }]), call).effect).toBe('deny');
    });
  });

  test('silence_is_deny [G2]', () => {
    law<[LawCall]>([lawCall], call => {
      expect(ids(answer(compiled([]), call))).toEqual(['(no rule)']);
    });
  });

  test('one_more_restraint_never_loosens, and one more allow never restrains', () => {
    law<[readonly LawRule[], LawCall, Omit<LawRule, 'id'>]>([lawRules, lawCall, lawRule], (rules, call, more) => {
      const [before, after] = [
        answer(compiled(rules), call),
        answer(compiled([...rules, { id: 'more', ...more }]), call),
      ];
      if (more.effect === 'deny') expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
      if (more.effect === 'allow') expect(rank(after)).toBeLessThanOrEqual(rank(before));
      if (more.effect === 'ask' && before.effect !== 'deny') expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
    });
  });

  test('order changes nothing, and neither do duplicates', () => {
    law<[readonly LawRule[], LawCall, number]>([lawRules, lawCall, spelling], (rules, call, turn) => {
      const facts = (decision: Decision<Run>) =>
        decision.effect === 'deny' ? decision.effect : [decision.effect, decision.action, decision.obligations];
      const twice = [...rules, ...rules.map(rule => ({ ...rule, id: `${rule.id}-again` }))].reverse();
      expect(facts(answer(compiled(twice), call, turn))).toEqual(facts(answer(compiled(rules), call, turn)));
    });
  });

  test('every_decision_says_why', () => {
    law<[readonly LawRule[], LawCall]>([lawRules, lawCall], (rules, call) => {
      for (const { rule, reason } of answer(compiled(rules), call).because) {
        expect(rule).toMatch(/^(\/rules\/r\d|\(no rule\))$/);
        expect(reason).toMatch(/^[A-Z"].*[.>)]$/s);
      }
    });
  });
});

const KINDS = ['allow canonical', 'allow sent', 'ask canonical', 'ask sent', 'deny denied', 'deny no rule'];
