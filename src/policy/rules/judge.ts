import type { Action, Open, Program, Run, Target, Type } from '../../call.ts';
import { fromArgv } from '../../shell/argv.ts';
import { fileActionsOf } from '../../shell/file-action.ts';
import { readLine } from '../../shell/line.ts';
import { read } from '../../shell/read.ts';
import type { Analysis, Script } from '../../shell/script.ts';
import { ACTIONS } from './action.ts';
import type { Page, Rulebook } from './book.ts';
import { canonicalOf } from './canonical.ts';
import { judgeConfigure } from './configure.ts';
import { isPlainValue } from './environment.ts';
import { fileNotGranted, notGranted, notUnderstood } from './explain.ts';
import { judgeForward } from './forward.ts';
import { type GrantedCommand, grantCommand, grantFile, partsOf } from './grant.ts';
import { deniesTyping, keysTyped, notTyped, pageFor } from './keyboard.ts';
import { restrain } from './restrain.ts';
import type { Rule } from './rule.ts';
import { type Doubt, deniedBy, grantedAsAsked, grantedBy, type Ruling, ungranted } from './ruling.ts';
import { hindrance, type Scene } from './scene.ts';
import { HOMEWARD, judgeLine, type OwnLine } from './session-line.ts';
import { judgeTransfer } from './transfer.ts';

/** Judges an action by the rules; undefined for one that tools alone gate: looking, and stopping. */
export const judge = (book: Rulebook, action: Action, at: number): Ruling | undefined => {
  switch (action.kind) {
    case 'exec':
      return judgeRun(book.at(action.target), at, action);
    case 'open':
      return judgeOpen(book.at(action.target), at, action);
    case 'type':
      return judgeType(book.at(action.target), at, action);
    case 'connect':
      return judgeStart(book.at(action.target), at, undefined, `No rule grants anything on ${action.target.host}.`);
    case 'transfer':
      return judgeTransfer(book.at(action.target), at, action);
    case 'forward':
      return judgeForward(book.at(action.target), at, action);
    case 'configure':
      return judgeConfigure(book, action, at);
    case 'observe':
    case 'stop':
      return undefined;
  }
};

/** A program on a terminal is judged as the command that it is, and its login shell as what it is by name. */
const judgeOpen = (page: Page, at: number, action: Open): Ruling => {
  const { host } = action.target;
  switch (action.mode) {
    case 'managed':
      return judgeStart(page, at, 'exec', `No rule grants any command on ${host}.`);
    case 'program': {
      const ruling = judgeRun(page, at, runOf(action.target, action.program));
      return ruling.effect === 'deny' ? ruling : changed(ruling, ruling.change.program);
    }
    case 'terminal':
      return judgeShell(page, at, action.target);
  }
};

/** What is typed to a program is judged by the rules that grant it and list these keys; a new size alone, as the program. */
const judgeType = (page: Page, at: number, action: Type): Ruling => {
  if (action.mode === 'terminal') return judgeShell(page, at, action.target);
  const names = keysTyped(action.typed);
  const denies = names.length === 0 ? undefined : page.restraints.find(rule => deniesTyping(rule) && rule.inForce(at));
  if (denies !== undefined) return deniedBy(denies);
  const run = runOf(action.target, action.asked);
  const whole = judgeRun(page, at, run);
  if (whole.effect === 'deny' || names.length === 0) return changed(whole, undefined);
  const ruling = judgeRun(pageFor(page, names), at, run);
  return ruling.effect === 'deny' ? notTyped(whole.because) : changed(ruling, undefined);
};

/** A login shell is all that the account may do: whoever denies or asks for that is felt. */
const judgeShell = (page: Page, at: number, target: Target): Ruling => {
  const isMeant = (rule: Rule): boolean => rule.does('shell') && rule.inForce(at);
  const restraints = page.restraints.filter(isMeant);
  const denies = restraints.find(({ effect }) => effect === 'deny');
  if (denies !== undefined) return deniedBy(denies);
  const granting = new Set(page.grants.filter(isMeant));
  if (granting.size === 0) return ungranted(`No rule grants a login shell on ${target.host}.`);
  return grantedAsAsked(granting, { asking: new Set(restraints), doubtful: new Set() });
};

const runOf = (target: Target, program: Program): Run => ({ kind: 'exec', target, program, env: {}, timeoutMs: 0 });

/** The ruling about another action, of which only what runs can change. */
const changed = (ruling: Ruling, program: Program | undefined): Ruling =>
  ruling.effect === 'deny' ? ruling : { ...ruling, change: program === undefined ? {} : { program } };

/** What happens on a host; that one may be added says nothing of what may be done there. */
const THERE = ACTIONS.filter(action => action !== 'configure');

/** What begins something is granted where anything may follow, and denied where everything is. */
const judgeStart = (page: Page, at: number, action: 'exec' | undefined, why: string): Ruling => {
  const isMeant = (rule: Rule): boolean =>
    (action === undefined ? THERE.some(rule.does) : rule.does(action)) && rule.inForce(at);
  const isAll = (rule: Rule): boolean => rule.commands === 'any' && (action !== undefined || THERE.every(rule.does));
  const denies = page.restraints.find(rule => rule.effect === 'deny' && isMeant(rule) && isAll(rule));
  if (denies !== undefined) return deniedBy(denies);
  const first = page.grants.find(isMeant);
  if (first === undefined) return ungranted(why);
  return {
    effect: 'allow',
    because: [{ rule: first.at, reason: `The rule ${first.id} grants something there.` }],
    limits: [],
    obligations: {},
    change: {},
  };
};

/** A command text as the rules look at it. */
export const sceneOf = (page: Page, at: number, action: Run): Scene => {
  const { program, cwd, home, env, stdin, detach, session } = action;
  const analysis = analyse(program);
  const atHome = cwd === undefined || cwd === '~' || cwd === home;
  const isIn = ({ directories }: Rule): boolean =>
    (atHome && directories(undefined)) || (cwd !== undefined && isPlainValue(cwd) && directories(cwd));
  return {
    page,
    at,
    analysis,
    ...filesOf(analysis, program, cwd),
    env,
    kept: session !== undefined,
    stdin: stdin !== undefined,
    detach: detach === true,
    isIn,
  };
};

const analyse = (program: Run['program']): Analysis => {
  if ('argv' in program) return fromArgv(program.argv);
  return read('text' in program ? program.text : program.canonical);
};

const filesOf = (
  analysis: Analysis,
  program: Run['program'],
  cwd: string | undefined,
): Pick<Scene, 'files' | 'mayRedirect'> => {
  if (analysis.kind === 'known')
    return { files: fileActionsOf(analysis.script, cwd?.startsWith('/') ? cwd : undefined), mayRedirect: false };
  return { files: [], mayRedirect: 'text' in program && /[<>]/.test(program.text) };
};

const judgeRun = (page: Page, at: number, action: Run): Ruling => {
  const line = ownLine(action);
  const isHomeward = line?.kind === 'cd' && line.to === 'home';
  const scene = sceneOf(page, at, isHomeward ? { ...action, program: HOMEWARD } : action);
  const { denied, ...doubt } = restrain(scene);
  if (denied !== undefined) return deniedBy(denied);
  return line === undefined ? judgeText(scene, action, doubt) : judgeLine(scene, action, line, doubt);
};

const ownLine = ({ session, program }: Run): OwnLine | undefined => {
  if (session === undefined || !('text' in program)) return undefined;
  const reading = readLine(program.text);
  return reading.kind === 'run' ? undefined : reading;
};

/** Every simple command and every redirection must be granted, by whichever rule; rules for any command grant the whole text. */
export const judgeText = (scene: Scene, action: Run, doubt: Doubt): Ruling => {
  const anything = scene.page.anything.filter(rule => rule.inForce(scene.at) && hindrance(scene, rule) === undefined);
  const { analysis } = scene;
  const certain = analysis.kind === 'known' ? grantScript(scene, analysis.script) : notUnderstood(analysis);
  if (typeof certain === 'string')
    return anything.length === 0 ? ungranted(certain) : grantedBy(action, new Set(anything), doubt);
  const rules = new Set([...certain.rules, ...anything]);
  return grantedBy(action, rules, doubt, { canonical: certain.canonical });
};

type CertainText = { readonly rules: ReadonlySet<Rule>; readonly canonical: string };

const grantScript = (scene: Scene, script: Script): CertainText | string => {
  const rules = new Set<Rule>();
  const commands: GrantedCommand[] = [];
  for (const part of partsOf(script, scene.stdin)) {
    const answer = grantCommand(scene, part);
    if ('hit' in answer) return notGranted(part.simple, answer);
    for (const rule of answer.rules) rules.add(rule);
    commands.push(answer);
  }
  for (const file of scene.files) {
    const granting = grantFile(scene, file);
    if (granting.size === 0) return fileNotGranted(file);
    for (const rule of granting) rules.add(rule);
  }
  return {
    rules,
    canonical: canonicalOf(
      script,
      commands.map(({ written }) => written),
    ),
  };
};
