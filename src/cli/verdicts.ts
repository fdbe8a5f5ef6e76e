import type { Action, Configure, Run, Transfer } from '../call.ts';
import type { Effect } from '../policy/decision.ts';
import { bookOf, type Rulebook } from '../policy/rules/book.ts';
import { mayMean } from '../policy/rules/configure.ts';
import { notUnderstood } from '../policy/rules/explain.ts';
import { DONE, meansFile } from '../policy/rules/files.ts';
import { grantCommand, grantFile, type Part, partsOf, type Refused } from '../policy/rules/grant.ts';
import { judge, sceneOf } from '../policy/rules/judge.ts';
import { restrain } from '../policy/rules/restrain.ts';
import type { Rule } from '../policy/rules/rule.ts';
import { hindrance, type Scene } from '../policy/rules/scene.ts';
import { needsOf } from '../policy/rules/transfer.ts';
import { readLine } from '../shell/line.ts';
import type { Simple } from '../shell/script.ts';
import { write } from '../shell/write.ts';

/** What one rule by itself says to a call: it is what the rule means, it may be, or it is not, and `why` not. */
export type Verdict = {
  readonly rule: string;
  readonly effect: Effect;
  readonly answer: 'hit' | 'possible' | 'no';
  /** Of a text with several commands, those that the rule grants, and the files that it lets be opened; `why` is about the others. */
  readonly grants?: readonly string[];
  readonly why?: string;
};

type Answer = Omit<Verdict, 'rule' | 'effect'>;

/** What every rule says, in the document's order; undefined for an action that tools alone gate. */
export const verdictsOn = (book: Rulebook, action: Action, at: number): readonly Verdict[] | undefined => {
  if (action.kind === 'observe' || action.kind === 'stop') return undefined;
  return book.rules.map(rule => ({
    rule: rule.at,
    effect: rule.effect,
    ...(elsewhere(rule, action, at) ?? answerOf(rule, action, at)),
  }));
};

type Placed = Exclude<Action, { kind: 'observe' | 'stop' }>;

const no = (why: string): Answer => ({ answer: 'no', why });

const elsewhere = (rule: Rule, action: Placed, at: number): Answer | undefined => {
  const { target } = action;
  const place = action.kind === 'configure' && rule.effect !== 'deny' ? { ...target, tags: [] } : target;
  if (!rule.covers(place)) return no('It is about other hosts or users.');
  return rule.inForce(at) ? undefined : no('It is not in force at this time.');
};

const answerOf = (rule: Rule, action: Placed, at: number): Answer => {
  if (action.kind === 'configure' && rule.effect === 'deny') return ofNewcomer(rule, action);
  if (action.kind === 'transfer') return ofTransfer(rule, action);
  if (action.kind !== 'exec' || isOwnLine(action)) return wholeAnswer(rule, action, at);
  const restraint = rule.effect === 'allow' ? undefined : restraintOf(rule, action, at);
  if (rule.effect === 'deny') return restraint ?? missed(rule, action, at);
  const granted = grantOf(rule, action, at);
  return granted.answer === 'no' && restraint !== undefined ? restraint : granted;
};

const ofNewcomer = (rule: Rule, action: Configure): Answer => {
  const meant = rule.does('configure') ? mayMean(rule, action) : 'no';
  if (meant === 'no') return no(NOT_DENIED);
  return meant === 'yes' ? { answer: 'hit' } : { answer: 'possible', why: POSSIBLE };
};

/** Of the path as it is asked for; a tree's entries are judged one by one. */
const ofTransfer = (rule: Rule, action: Transfer): Answer => {
  const { remotePath: path } = action;
  const [access] = needsOf(action);
  if (!rule.does(access)) return no(`It does not say which files may be ${DONE[access]}.`);
  const isMeant = rule.effect === 'deny' ? meansFile(rule, access, path) : rule.files(path);
  if (isMeant) return { answer: 'hit', grants: [`${access} ${path}`] };
  if (!path.startsWith('/'))
    return { answer: 'possible', why: 'Where the home of the account lies is known on the host alone.' };
  return no(`It is about other files: ${rule.paths?.join(', ')}.`);
};

/** What a session does by itself, and what only begins something. */
const wholeAnswer = (rule: Rule, action: Placed, at: number): Answer => {
  const ruling = judge(bookOf([rule]), action, at);
  if (ruling === undefined || (ruling.effect === 'deny' && ruling.because[0].rule !== rule.at))
    return no(rule.effect === 'deny' ? NOT_DENIED : (ruling?.because[0].reason ?? NOT_DENIED));
  return { answer: 'hit' };
};

const NOT_DENIED = 'Nothing in it is what the rule denies.';
const POSSIBLE = 'It may be what the rule means.';

const isOwnLine = ({ session, program }: Run): boolean =>
  session !== undefined && 'text' in program && readLine(program.text).kind !== 'run';

const sceneFor = (rule: Rule, action: Run, at: number): Scene => sceneOf(bookOf([rule]).at(action.target), at, action);

/** An ask is felt as a deny is: as soon as a match is possible. */
const restraintOf = (rule: Rule, action: Run, at: number): Answer | undefined => {
  const { denied, doubtful } = restrain(sceneFor({ ...rule, effect: 'deny' }, action, at));
  if (denied !== undefined) return { answer: 'hit' };
  return doubtful.size > 0 ? { answer: 'possible', why: POSSIBLE } : undefined;
};

const missed = (rule: Rule, action: Run, at: number): Answer => {
  const { why } = grantOf({ ...rule, effect: 'allow' }, action, at);
  return no(why === undefined ? NOT_DENIED : `${NOT_DENIED} ${why}`);
};

const grantOf = (rule: Rule, action: Run, at: number): Answer => {
  if (rule.commands === undefined && !rule.does('read') && !rule.does('write')) return no('It is not about commands.');
  const scene = sceneFor(rule, action, at);
  if (rule.commands === 'any') return ofAnything(scene, rule);
  if (scene.analysis.kind === 'unknown') return no(notUnderstood(scene.analysis));
  const parts = partsOf(scene.analysis.script, scene.stdin).map(part => ({ part, said: grantCommand(scene, part) }));
  const files = scene.files.filter(file => grantFile(scene, file).size > 0);
  const grants = [
    ...parts.flatMap(({ part, said }) => ('hit' in said ? [] : [textOf(part.simple)])),
    ...files.map(({ access, path, target }) => `${access} ${path ?? target.text}`),
  ];
  const failed = parts.flatMap(({ part, said }) => ('hit' in said ? [{ part, said }] : []));
  if (grants.length === 0) return no(furthest(failed));
  const near = failed.filter(({ said }) => said.word > 0);
  return { answer: 'hit', grants, ...(near.length === 0 ? {} : { why: furthest(near) }) };
};

const ofAnything = (scene: Scene, rule: Rule): Answer => {
  const why = hindrance(scene, rule);
  return why === undefined ? { answer: 'hit' } : no(sentence(why));
};

const textOf = ({ words }: Simple): string =>
  write({ pipelines: [{ join: ';', commands: [{ words, redirects: [] }] }] });

type Failed = { readonly part: Part; readonly said: Refused };

/** Of the commands that the rule does not grant, the one of which it understood most. */
const furthest = (failed: readonly Failed[]): string => {
  const [first, ...more] = failed;
  if (first === undefined) return NOT_DENIED;
  const { part, said } = more.reduce((best, each) => (each.said.word > best.said.word ? each : best), first);
  const { words } = part.simple;
  const program = JSON.stringify(words[0].text);
  if (said.word === 0) return `It does not name the program ${program}.`;
  const place = said.word < words.length ? `word ${said.word + 1}` : said.word === words.length ? 'at its end' : 'here';
  return sentence(`${program}, ${place}: ${said.why}${said.synopsis === undefined ? '' : ` (${said.synopsis})`}`);
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
