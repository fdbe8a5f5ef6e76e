import { createHash } from 'node:crypto';
import { canonical } from '../text/canonical.ts';
import { pointerToken } from '../text/json-source.ts';
import { compileTerms } from './approval.ts';
import { type ApprovalTerms, type Because, becauseOf, type Denial, denial } from './decision.ts';
import type { RawDocument, RawTool } from './document.ts';
import { compileDenyIf, compileRequire, type Group, type Naming } from './group.ts';
import { compileHostSets, type HostSets } from './host-sets.ts';
import { compileLimit, type Limit } from './limit.ts';
import type { Networks } from './networks.ts';
import type { Rulebook } from './rules/book.ts';

/** A compiled, frozen document; `digest` is `sha256:` over its canonical JSON, or `(none)` when there is no document. */
export type Policy = {
  readonly digest: string;
  readonly rulesOf: (tool: string) => ToolRules;
  /** Every limit of the document, once. */
  readonly limits: readonly Limit[];
  /** What may be done over SSH; without it, whatever the tools allow. */
  readonly book?: Rulebook;
  /** The sets of hosts that it names. */
  readonly sets?: HostSets;
  /** Where hosts may be; anywhere without it. */
  readonly networks?: Networks;
};

/** All that a document says about one tool, ready to be judged by. */
export type ToolRules = {
  /** Whether `tools/list` names the tool. */
  readonly visible: boolean;
  /** Refuses every call, whatever its arguments. */
  readonly barred: Denial | undefined;
  /** `require`, then `deny_if`. */
  readonly groups: readonly Group[];
  readonly limits: readonly Limit[];
  /** The answer when nothing above refuses. */
  readonly effect: 'allow' | 'ask';
  readonly because: Because;
  /** How somebody is asked, where it asks. */
  readonly terms?: ApprovalTerms;
};

const OPEN: ToolRules = Object.freeze({
  visible: true,
  barred: undefined,
  groups: Object.freeze([]),
  limits: Object.freeze([]),
  effect: 'allow',
  because: becauseOf('(default allow)', 'The policy allows the tools that it does not list.'),
});

const bar = (visible: boolean, rule: string, reason: string): ToolRules =>
  Object.freeze({ ...OPEN, visible, barred: denial(rule, reason) });

const HIDDEN = bar(false, '(hidden)', 'The policy hides this tool.');
const UNLISTED = bar(false, '(default deny)', 'The policy does not list this tool, and denies what it does not list.');
const UNWRITTEN = bar(
  true,
  '(no policy)',
  'There is no policy, so nothing is allowed; sallyport init writes a first one.',
);

/** What holds without a document: every tool is shown, and every call refused with the command that writes one. */
export const NO_POLICY: Policy = Object.freeze({
  digest: '(none)',
  rulesOf: () => UNWRITTEN,
  limits: Object.freeze([]),
});

/** Compiles a document that is known to be sound; `value` is the JSON it was read from, `book` its rules. */
export const compileDocument = (document: RawDocument, value: unknown, book: Rulebook | undefined): Policy => {
  const name = naming();
  const everywhere = (document.all_tools?.limits ?? []).map(limit =>
    compileLimit(limit, name(`/all_tools/limits/${pointerToken(limit.counter)}`)),
  );
  const rules = new Map(
    Object.entries(document.tools ?? {}).map(([tool, raw]) => [tool, compileTool(tool, raw, everywhere, name)]),
  );
  const hide = document.hide ?? [];
  for (const tool of hide) rules.set(tool, HIDDEN);
  const unlisted =
    document.default === 'deny' ? UNLISTED : Object.freeze({ ...OPEN, limits: Object.freeze(everywhere) });
  const rulesOf = hide.includes('*') ? () => HIDDEN : (tool: string) => rules.get(tool) ?? unlisted;
  const digest = `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`;
  const limits = new Set([...everywhere, ...[...rules.values()].flatMap(one => one.limits), ...(book?.limits ?? [])]);
  return Object.freeze({
    digest,
    rulesOf,
    limits: Object.freeze([...limits]),
    ...(book === undefined ? {} : { book }),
    ...(document.hosts === undefined ? {} : { sets: compileHostSets(document.hosts) }),
    ...(document.networks === undefined ? {} : { networks: document.networks }),
  });
};

const compileTool = (tool: string, raw: RawTool, everywhere: readonly Limit[], name: Naming): ToolRules => {
  const at = `/tools/${pointerToken(tool)}`;
  const asks = raw.action === 'require_approval' ? 'action' : raw.approval === undefined ? undefined : 'approval';
  const groups = [
    ...(raw.require ?? []).map(group => compileRequire(tool, group, `${at}/require`, name)),
    ...(raw.deny_if ?? []).map(group => compileDenyIf(tool, group, `${at}/deny_if`, name)),
  ];
  const limits = (raw.limits ?? []).map(limit =>
    compileLimit(limit, name(`${at}/limits/${pointerToken(limit.counter)}`)),
  );
  const rate = rateLimit(tool, raw, name(`${at}/rate_limit`));
  return Object.freeze({
    visible: true,
    barred:
      raw.action === 'deny'
        ? denial(`${at}/action`, raw.reason ?? `The policy denies every call of ${tool}.`)
        : undefined,
    groups: Object.freeze(groups),
    limits: Object.freeze([...everywhere, ...limits, ...rate]),
    effect: asks === undefined ? 'allow' : 'ask',
    because:
      asks === undefined
        ? becauseOf(at, raw.reason ?? `The policy lists ${tool}.`)
        : becauseOf(`${at}/${asks}`, raw.reason ?? `${tool} needs approval.`),
    ...(asks === undefined ? {} : { terms: compileTerms(raw.approval) }),
  });
};

/** The other spelling of a limit, in seconds, counted as the gateway's own documents name it. */
const rateLimit = (tool: string, { rate_limit: rate }: RawTool, rule: string): readonly Limit[] =>
  rate === undefined
    ? []
    : [compileLimit({ counter: `${tool}_rate`, window: `${rate.window}s`, max: rate.max, scope: 'grant' }, rule)];

/** Ids in the order of the document: the second of a name is `…-2`. */
const naming = (): Naming => {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return id => {
    let number = counts.get(id) ?? 1;
    let name = number === 1 ? id : `${id}-${number}`;
    while (taken.has(name)) name = `${id}-${++number}`;
    counts.set(id, number + 1);
    taken.add(name);
    return name;
  };
};
