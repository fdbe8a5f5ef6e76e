import { readUntried, type Untried } from '../policy/compile.ts';
import { failedExamples } from '../policy/rules/examples.ts';
import { decisionOn, type Outcome, runTests } from '../policy/rules/tests.ts';
import { pointerOf } from '../text/json-source.ts';
import { SERVED } from '../tools/known.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, writeJson } from './io.ts';
import { policyNamed } from './policy-validate.ts';

/** One `match` or `not_match` of a rule or a pack. */
type Example = {
  readonly passed: boolean;
  readonly pointer: string;
  readonly expect: 'match' | 'not_match';
  readonly command: string;
  readonly reason?: string;
};

/** Which rules, and which tools with conditions, are reached by a test, or by an example of their own that is to match, and which by none. */
type Coverage = { readonly reached: readonly string[]; readonly unreached: readonly string[] };

/** What a document's own tests and examples come to; `passed` and `failed` count the tests. */
export type Report = {
  readonly tests: readonly Outcome[];
  readonly passed: number;
  readonly failed: number;
  readonly examples: { readonly passed: number; readonly failed: readonly Example[] };
  readonly coverage?: Coverage;
};

/** Runs the tests and examples of a document that is sound otherwise; throws `InvalidFile` for any other. */
export const testDocument = (text: string, file: string, coverage: boolean): Report => {
  const read = readUntried(text, file);
  const tests = runTests(read.document.tests ?? [], read.policy, SERVED.read);
  const examples = examplesOf(read);
  const failed = examples.filter(({ passed }) => !passed);
  const passed = tests.filter(test => test.passed).length;
  return {
    tests,
    passed,
    failed: tests.length - passed,
    examples: { passed: examples.length - failed.length, failed },
    ...(coverage ? { coverage: coverageOf(read, examples) } : {}),
  };
};

/** `policy test`: the document's tests in its order, and its examples; 1 when one fails. */
export const policyTest = async (io: Io, request: Request): Promise<number> => {
  const { file, text } = policyNamed(io, request);
  const report = testDocument(text, file, request.flags.has('coverage'));
  if (request.options.json) writeJson(io, report);
  else tell(io, report);
  return report.failed + report.examples.failed.length === 0 ? EXIT.ok : EXIT.no;
};

const tell = (io: Io, { tests, passed, failed, examples, coverage }: Report): void => {
  for (const [index, test] of tests.entries()) {
    const { expect, decision, rule, reason } = test;
    print(io, `${test.passed ? 'ok    ' : 'FAILED'} /tests/${index} ${expect}`);
    if (!test.passed) print(io, `       is ${decision} by ${rule}: ${reason}`);
  }
  for (const { pointer, reason } of examples.failed) print(io, `FAILED ${pointer} ${reason ?? ''}`);
  print(io, `tests: ${passed} passed, ${failed} failed`);
  print(io, `examples: ${examples.passed} passed, ${examples.failed.length} failed`);
  if (coverage === undefined) return;
  const { reached, unreached } = coverage;
  print(io, `coverage: ${reached.length} of ${reached.length + unreached.length} rules and tools`);
  for (const rule of unreached) print(io, `  no test or example reaches ${rule}`);
};

const examplesOf = ({ document, rules, packs, source }: Untried): readonly Example[] => {
  const { rules: raws = [], packs: own = {} } = document;
  const failures = new Map(failedExamples(document, rules, packs, source).map(each => [each.pointer, each.message]));
  const holders = [
    ...raws.map((raw, index) => ({ raw, path: ['rules', index] })),
    ...Object.entries(own).map(([name, raw]) => ({ raw, path: ['packs', name] })),
  ];
  return holders.flatMap(({ raw, path }) =>
    (['match', 'not_match'] as const).flatMap(expect =>
      (raw[expect] ?? []).map((command, index): Example => {
        const pointer = pointerOf([...path, expect, index]);
        const reason = failures.get(pointer);
        return { passed: reason === undefined, pointer, expect, command, ...(reason === undefined ? {} : { reason }) };
      }),
    ),
  );
};

/** What of a tool's entry a test can reach: limits are untouched in tests. */
const JUDGES = ['action', 'approval', 'require', 'deny_if'] as const;

const coverageOf = ({ document, policy, rules }: Untried, examples: readonly Example[]): Coverage => {
  const tests = document.tests ?? [];
  const reached = new Set<string>([
    ...tests.flatMap(test => decisionOn(test, policy, SERVED.read).because.map(({ rule }) => rule)),
    ...tests.map(({ tool }) => pointerOf(['tools', tool])),
    ...examples
      .filter(({ passed, expect }) => passed && expect === 'match')
      .flatMap(({ pointer }) => rules[Number(/^\/rules\/(\d+)\//.exec(pointer)?.[1])]?.at ?? []),
  ]);
  const judging = Object.entries(document.tools ?? {}).filter(([, raw]) => JUDGES.some(key => raw[key] !== undefined));
  const all = [...rules.map(({ at }) => at), ...judging.map(([name]) => pointerOf(['tools', name]))];
  const isReached = (rule: string): boolean => reached.has(rule);
  return { reached: all.filter(isReached), unreached: all.filter(rule => !isReached(rule)) };
};
