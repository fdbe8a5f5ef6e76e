import { InvalidFile, type Problem } from '../errors.ts';
import { inOrder, type JsonSource, readJson } from '../text/json-source.ts';
import { didYouMean } from '../text/nearest.ts';
import { check } from '../text/schema-problems.ts';
import { DOCUMENT, type RawDocument } from './document.ts';
import { isObject } from './fields.ts';
import type { Pack } from './packs/pack.ts';
import { compileDocument, type Policy } from './policy.ts';
import { bookOf } from './rules/book.ts';
import { compileRules } from './rules/compile.ts';
import { failedExamples } from './rules/examples.ts';
import type { Rule } from './rules/rule.ts';
import { failedTests } from './rules/tests.ts';
import { KNOWN, type Known, REPLACED_BY } from './tool-names.ts';

/** A document as it was read: what it says, where its parts stand, and what it comes to. */
export type Read = { readonly document: RawDocument; readonly source: JsonSource; readonly policy: Policy };

/** Compiles a policy document; `file` is its name in messages. Throws `InvalidFile` with every problem at once. */
export const compile = (text: string, file: string, known: Known = KNOWN): Policy =>
  readDocument(text, file, known).policy;

/** A document before its examples and tests are run. */
export type Untried = Read & { readonly rules: readonly Rule[]; readonly packs: ReadonlyMap<string, Pack> };

/**
 * Reads a document, and runs the examples and tests that it brings: one that fails makes it as unusable as any other
 * problem. Throws `InvalidFile` with every problem at once; examples and tests are run when there is no other.
 */
export const readDocument = (text: string, file: string, known: Known = KNOWN): Untried => {
  const read = readUntried(text, file, known);
  const { document, source, policy, rules, packs } = read;
  refuse([...failedExamples(document, rules, packs, source), ...failedTests(document, policy, source, known.read)]);
  return read;
};

/** As `readDocument`, without running what the document brings to be run. */
export const readUntried = (text: string, file: string, known: Known = KNOWN): Untried => {
  const source = readJson(text, file);
  if (!source.readable) throw new InvalidFile(source.problems);
  const checked = check(source, DOCUMENT);
  const { rules, packs, problems } = compileRules(source, text);
  refuse([
    ...source.problems,
    ...unknownTools(source, known),
    ...('problems' in checked ? checked.problems : []),
    ...problems,
  ]);
  if (!('value' in checked)) throw new InvalidFile([source.problem([], 'cannot be read')]);
  const policy = compileDocument(checked.value, source.value, rules === undefined ? undefined : bookOf(rules));
  return { document: checked.value, source, policy, rules: rules ?? [], packs };
};

const refuse = (problems: readonly Problem[]): void => {
  if (problems.length > 0) throw new InvalidFile(inOrder(problems));
};

/** A name that no tool has would be a rule that never speaks. */
const unknownTools = (source: JsonSource, known: Known): readonly Problem[] => {
  const { tools, hide, tests }: { tools?: unknown; hide?: unknown; tests?: unknown } = isObject(source.value)
    ? source.value
    : {};
  const listed = Object.keys(isObject(tools) ? tools : {})
    .filter(name => !known.tools.includes(name))
    .map(name => source.problem(['tools', name], misnomer(name, known), 'name'));
  const hidden = (Array.isArray(hide) ? hide : []).flatMap((name: unknown, index) =>
    typeof name !== 'string' || name === '*' || known.tools.includes(name)
      ? []
      : [source.problem(['hide', index], misnomer(name, known))],
  );
  const tested = (Array.isArray(tests) ? tests : []).flatMap((test: unknown, index) =>
    !isObject(test) || typeof test.tool !== 'string' || known.tools.includes(test.tool)
      ? []
      : [source.problem(['tests', index, 'tool'], misnomer(test.tool, known))],
  );
  return [...listed, ...hidden, ...tested];
};

const misnomer = (name: string, { tools, aliases = REPLACED_BY }: Known): string => {
  const ours = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  if (ours !== undefined) return `is not a tool of this server: use ${ours}`;
  if (name === '*') return 'stands for every tool only in hide; what holds for every tool stands in all_tools';
  return `is not a tool of this server${didYouMean(name, tools) || `; the tools are ${tools.join(', ')}`}`;
};
