/*
 * The rules on one page, from the reference alone: for rules whose synopses are literal words, and commands whose words
 * are known because a generator wrote them. No indexes, no parser, nothing of src. rules-laws.test.ts compares the two.
 */

/** A rule as the generator writes it. */
export type LawRule = {
  readonly id: string;
  readonly effect: 'allow' | 'ask' | 'deny';
  readonly hosts?: readonly string[];
  readonly users?: readonly string[];
  readonly actions?: readonly string[];
  readonly commands?: 'any' | readonly string[];
  readonly paths?: readonly string[];
  readonly stdin?: boolean;
  readonly alone?: boolean;
  readonly env?: readonly string[];
  readonly cwd?: readonly string[];
  readonly when?: { readonly not_before?: string; readonly not_after?: string };
  readonly timeout?: string;
};

export type LawCommand = { readonly words: readonly string[]; readonly to?: string; readonly from?: string };
/** Pipelines of commands; `unknown` says that something in it is expanded. */
export type LawText = { readonly pipelines: readonly (readonly LawCommand[])[]; readonly unknown: boolean };
export type LawCall = {
  readonly text: LawText;
  readonly host: string;
  readonly user: string;
  readonly at: number;
  readonly cwd?: string;
  readonly env: readonly string[];
  readonly stdin: boolean;
};
/** `deciding` are the ids of all rules that grant, ask, or may deny; of a deny, those that might be named. */
export type LawVerdict = {
  readonly effect: 'allow' | 'ask' | 'deny';
  readonly deciding: readonly string[];
  readonly runs?: 'canonical' | 'sent';
};

export const rulesOracle = (rules: readonly LawRule[], call: LawCall): LawVerdict => {
  const about = rules.filter(rule => isAbout(rule, call));
  const commands = call.text.pipelines.flat();
  const files = commands.flatMap(({ to, from }) => [
    ...(to === undefined ? [] : [{ action: 'write', path: to }]),
    ...(from === undefined ? [] : [{ action: 'read', path: from }]),
  ]);
  const does = (rule: LawRule, action: string): boolean =>
    (rule.actions ?? (rule.commands !== undefined || rule.effect !== 'deny' ? ['exec'] : EVERYTHING)).includes(action);
  const isAny = (rule: LawRule): boolean => does(rule, 'exec') && !Array.isArray(rule.commands);
  const names = (rule: LawRule, words: readonly string[]): boolean =>
    does(rule, 'exec') && Array.isArray(rule.commands) && rule.commands.includes(words.join(' '));
  const resembles = (rule: LawRule, words: readonly string[]): boolean =>
    does(rule, 'exec') &&
    Array.isArray(rule.commands) &&
    rule.commands.some(text => text.replace(/^\/bin\//, '') === words.join(' '));
  const meansFile = (rule: LawRule, file: { action: string; path: string }): boolean =>
    does(rule, file.action) && (rule.paths === undefined || rule.paths.includes(file.path));

  const certainly = (rule: LawRule): boolean =>
    isAny(rule) ||
    (!call.text.unknown &&
      (commands.some(({ words }) => names(rule, words)) || files.some(file => meansFile(rule, file))));
  const possibly = (rule: LawRule): boolean =>
    certainly(rule) ||
    (call.text.unknown &&
      ((does(rule, 'exec') && Array.isArray(rule.commands)) ||
        (files.length > 0 && (does(rule, 'read') || does(rule, 'write'))))) ||
    commands.some(({ words }) => starts(words).some(each => resembles(rule, each)));

  const denying = about.filter(rule => rule.effect === 'deny' && certainly(rule));
  if (denying.length > 0) return { effect: 'deny', deciding: denying.map(({ id }) => id) };

  const grants = about.filter(({ effect }) => effect !== 'deny');
  const fits = (rule: LawRule): boolean =>
    call.env.every(
      name => name !== 'LD_X' && ((isAny(rule) && rule.env === undefined) || rule.env?.includes(name) === true),
    ) && (isAny(rule) && rule.cwd === undefined ? true : (rule.cwd ?? ['~']).includes(call.cwd ?? '~'));
  const anything = grants.filter(rule => isAny(rule) && fits(rule));
  const grantsCommand = (rule: LawRule, command: LawCommand, first: boolean): boolean =>
    names(rule, command.words) &&
    fits(rule) &&
    (rule.stdin === true || (first && !call.stdin && command.from === undefined)) &&
    (rule.alone !== true || (commands.length === 1 && files.length === 0));
  const each = call.text.unknown
    ? [[]]
    : [
        ...call.text.pipelines.flatMap(pipeline =>
          pipeline.map((command, index) => grants.filter(rule => grantsCommand(rule, command, index === 0))),
        ),
        ...files.map(file => grants.filter(rule => meansFile(rule, file))),
      ];
  const certain = each.every(some => some.length > 0);
  if (!certain && anything.length === 0) return { effect: 'deny', deciding: ['(no rule)'] };
  const granting = new Set([...(certain ? each.flat() : []), ...anything]);
  const doubting = about.filter(rule => rule.effect !== 'allow' && possibly(rule));
  const deciding = [...new Set([...granting, ...doubting])].map(({ id }) => id);
  const asks = doubting.length > 0 || [...granting].some(({ effect }) => effect === 'ask');
  return { effect: asks ? 'ask' : 'allow', deciding, runs: certain ? 'canonical' : 'sent' };
};

const EVERYTHING = ['exec', 'shell', 'input', 'read', 'write', 'list', 'delete', 'forward', 'configure'];

const isAbout = ({ hosts, users, when }: LawRule, { host, user, at }: LawCall): boolean =>
  (hosts === undefined || hosts.some(each => each === host || (each === 'web-*' && host.startsWith('web-')))) &&
  (users === undefined || users.includes(user)) &&
  at >= Date.parse(when?.not_before ?? '2000-01-01T00:00:00Z') &&
  at <= Date.parse(when?.not_after ?? '2100-01-01T00:00:00Z');

/** What a command may start: itself by its last name, and behind `sudo` and `nice` the rest. */
const starts = ([name = '', ...more]: readonly string[]): readonly (readonly string[])[] => {
  const base = name.replace(/^.*\//, '');
  const inner = (base === 'sudo' || base === 'nice') && more.length > 0 ? starts(more) : [];
  return [[base, ...more], ...inner];
};
