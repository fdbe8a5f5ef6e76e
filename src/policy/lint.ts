import type { Problem } from '../errors.ts';
import { inOrder, type JsonSource, type Path } from '../text/json-source.ts';
import { didYouMean } from '../text/nearest.ts';
import { readDocument } from './compile.ts';
import { MOVERS } from './decide.ts';
import type { RawCondition, RawDocument } from './document.ts';
import { isAnchored } from './pattern.ts';
import type { Policy } from './policy.ts';
import { type ActionName, actionsOf } from './rules/action.ts';
import { lintPacks, lintRules, lintSets } from './rules/lint.ts';
import type { Rule } from './rules/rule.ts';
import type { RawRule } from './rules/schema.ts';
import { KNOWN, type Known, STOPS } from './tool-names.ts';

/** The arguments of each tool, by name. */
export type Arguments = Readonly<Record<string, readonly string[]>>;

type Placed = {
  readonly tool: string;
  readonly list: 'require' | 'deny_if';
  readonly at: Path;
  readonly condition: RawCondition;
};

type Reading = {
  readonly document: RawDocument;
  readonly policy: Policy;
  readonly source: JsonSource;
  readonly rules: readonly Rule[];
  readonly known: Known;
  readonly conditions: readonly Placed[];
};

/** What is around a document, as far as it is known: the names of the configured hosts, and what time it is, in milliseconds since 1970. */
export type Around = { readonly hosts?: readonly string[] | undefined; readonly at?: number };

/**
 * What a sound document says that its author should think about; with the tools' arguments, also conditions on one that
 * does not exist, and with what is around it, also hosts that do not and rules that are over. Throws `InvalidFile` where
 * `compile` does.
 */
export const lint = (
  text: string,
  file: string,
  known: Known = KNOWN,
  takes: Arguments = {},
  around: Around = {},
): readonly Problem[] => {
  const { document, source, policy, rules } = readDocument(text, file, known);
  const reading = { document, policy, source, rules, known, conditions: conditionsOf(document) };
  return inOrder([
    ...unconfined(reading),
    ...hinderedStops(reading),
    ...countedStops(reading),
    ...unanchored(reading),
    ...unknownArguments(reading, takes),
    ...uncountable(reading, takes),
    ...idle(reading),
    ...ofRules(reading, around),
  ]);
};

const ofRules = ({ document, source, rules }: Reading, { hosts, at }: Around): readonly Problem[] => {
  const said = (document.rules ?? []).map((raw, index) => ({ raw, commands: rules[index]?.commands }));
  const reading = { rules: said, sets: document.hosts ?? {}, packs: document.packs ?? {}, source, hosts, at };
  return [...lintSets(reading), ...lintPacks(reading), ...lintRules(reading)];
};

const conditionsOf = (document: RawDocument): readonly Placed[] =>
  Object.entries(document.tools ?? {}).flatMap(([tool, raw]) =>
    (['require', 'deny_if'] as const).flatMap(list =>
      (raw[list] ?? []).flatMap((group, index): Placed[] => {
        const at = ['tools', tool, list, index];
        return 'conditions' in group
          ? group.conditions.map((condition, each) => ({ tool, list, at: [...at, 'conditions', each], condition }))
          : [{ tool, list, at, condition: group }];
      }),
    ),
  );

type Power = {
  /** What the tool can do once it is allowed. */
  readonly may: string;
  /** The tool whose calls make use of it, and the arguments by which a `require` confines them. */
  readonly by: string;
  readonly paths: readonly string[];
};

const POWERS: Readonly<Record<string, Power>> = {
  ssh_exec: { may: 'run any command', by: 'ssh_exec', paths: ['args.command', 'args.argv'] },
  ssh_session_start: { may: 'open a session for any command', by: 'ssh_session_send', paths: ['args.input'] },
  ssh_session_send: { may: 'run any command in a session', by: 'ssh_session_send', paths: ['args.input'] },
  ssh_upload: { may: 'write any file', by: 'ssh_upload', paths: ['args.remote_path'] },
  ssh_download: { may: 'read any file', by: 'ssh_download', paths: ['args.remote_path'] },
  ssh_tunnel_start: { may: 'reach any address', by: 'ssh_tunnel_start', paths: ['args.to_host'] },
};

const unconfined = ({ document, policy, source, known, conditions }: Reading): readonly Problem[] => {
  if (document.rules !== undefined) return [];
  const allowed = (tool: string): boolean => known.tools.includes(tool) && policy.rulesOf(tool).barred === undefined;
  const confined = ({ by, paths }: Power): boolean =>
    conditions.some(({ tool, list, condition }) => tool === by && list === 'require' && paths.includes(condition.path));
  return Object.entries(POWERS)
    .filter(([tool, power]) => allowed(tool) && allowed(power.by) && !confined(power))
    .map(([tool, { may }]) =>
      source.problem(placeOf(document, tool), `${tool} is unrestricted: it may ${may}, on every host`, 'name'),
    );
};

const hinderedStops = (reading: Reading): readonly Problem[] =>
  Object.entries(STOPS).flatMap(([tool, starter]) => {
    const hindrance = hindranceOf(reading, tool, starter);
    if (hindrance === undefined) return [];
    const message = `${tool} is ${hindrance}: what it cannot stop runs on until its timeout`;
    return [reading.source.problem(placeOf(reading.document, tool), message, 'name')];
  });

/** What stands between an agent and a stop; one that nobody listed matters only when its start is allowed. */
const hindranceOf = ({ document, policy, known }: Reading, tool: string, starter: string): string | undefined => {
  const { visible, barred, effect } = policy.rulesOf(tool);
  const raw = document.tools?.[tool];
  const spoken = raw !== undefined || document.hide?.includes(tool) === true;
  const starts = known.tools.includes(starter) && policy.rulesOf(starter).barred === undefined;
  if (barred !== undefined) return spoken || starts ? (visible ? 'denied' : 'hidden or not listed') : undefined;
  if (effect === 'ask') return 'subject to approval';
  if (document.rules !== undefined && everyGrantEnds(document.rules)) return undefined;
  return raw?.rate_limit !== undefined || (raw?.limits ?? []).length > 0 ? 'limited' : undefined;
};

/** With a timeout on all that is granted, nothing runs on for long when a limited stop has to wait. */
const everyGrantEnds = (rules: readonly RawRule[]): boolean =>
  rules.every(rule => rule.effect === 'deny' || rule.timeout !== undefined || !actionsOf(rule).includes('exec'));

/** A budget over all tools is also one over stopping, and may be used up by what is to be stopped. */
const countedStops = ({ document, policy, source }: Reading): readonly Problem[] => {
  const stops = Object.keys(STOPS).filter(tool => policy.rulesOf(tool).barred === undefined);
  const message = `counts ${stops.join(', ')} too: an agent that has used it up cannot stop what it began`;
  return stops.length === 0
    ? []
    : (document.all_tools?.limits ?? []).map((_limit, index) =>
        source.problem(['all_tools', 'limits', index], message),
      );
};

const unanchored = ({ conditions, source }: Reading): readonly Problem[] =>
  conditions.flatMap(({ at, condition: { op, value } }) =>
    op === 'regex' && typeof value === 'string' && !isAnchored(value)
      ? [source.problem([...at, 'value'], 'matches anywhere in the text; ^(?:…)$ would match the whole of it')]
      : [],
  );

/** A misspelled argument is never given, so a `deny_if` on it would never refuse. */
const unknownArguments = ({ conditions, source }: Reading, takes: Arguments): readonly Problem[] =>
  conditions.flatMap(({ tool, at, condition: { path } }) => {
    const names = argumentsOf(tool, takes);
    const name = path.split('.')[1] ?? '';
    if (names === undefined || names.includes(name)) return [];
    return [source.problem([...at, 'path'], `${tool} has no argument ${name}${didYouMean(name, names)}`)];
  });

/** What conditions and limits can read of a call: its arguments, and of a transfer the bytes that it moves. */
const argumentsOf = (tool: string, takes: Arguments): readonly string[] | undefined => {
  const names = takes[tool];
  return names !== undefined && MOVERS.includes(tool) ? [...names, 'size'] : names;
};

/** What a limit adds up must be given. */
const uncountable = ({ document, source }: Reading, takes: Arguments): readonly Problem[] =>
  Object.entries(document.tools ?? {}).flatMap(([tool, { limits = [] }]) =>
    limits.flatMap(({ increment_from: path }, index) => {
      const names = argumentsOf(tool, takes);
      const name = path?.split('.')[1] ?? '';
      if (path === undefined || names === undefined || names.includes(name)) return [];
      const message = `${tool} has no argument ${name}${didYouMean(name, names)}: what is not given cannot be counted, and is refused`;
      return [source.problem(['tools', tool, 'limits', index, 'increment_from'], message)];
    }),
  );

/** What a tool has to be granted by some rule to be of any use. */
const NEEDS: Readonly<Record<string, readonly ActionName[]>> = {
  ssh_upload: ['write'],
  ssh_download: ['read', 'list'],
  ssh_tunnel_start: ['forward'],
};

const idle = ({ document, policy, rules, source }: Reading): readonly Problem[] =>
  document.rules === undefined
    ? []
    : Object.entries(NEEDS).flatMap(([tool, actions]) => {
        const isListed = document.tools?.[tool] !== undefined && policy.rulesOf(tool).barred === undefined;
        const isGranted = rules.some(rule => rule.effect !== 'deny' && actions.some(rule.does));
        const message = `${tool} can do nothing: no rule grants ${actions.join(' or ')}`;
        return isListed && !isGranted ? [source.problem(['tools', tool], message, 'name')] : [];
      });

const placeOf = ({ tools, hide }: RawDocument, tool: string): Path => {
  const hidden = hide?.indexOf(tool) ?? -1;
  if (hidden >= 0) return ['hide', hidden];
  return tools?.[tool] === undefined ? ['default'] : ['tools', tool];
};
