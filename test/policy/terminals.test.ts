import { describe, expect, test } from 'vitest';
import type { Action, Open, Program, Type, Typed } from '../../src/call.ts';
import { newSessionId } from '../../src/call.ts';
import { InvalidFile } from '../../src/errors.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import { policyOf, runOf } from './rules-support.ts';

const session = newSessionId(bytes => Buffer.alloc(bytes));
const size = { cols: 80, rows: 24 };

const decision = (policy: Policy, action: Action, tool = 'ssh_session_send') =>
  decide(policy, { id: 'c', grant: 'local', tool, input: {}, action, at: 0 }, {});
const verdict = (policy: Policy, action: Action): string => {
  const { effect, because } = decision(policy, action);
  return `${effect} ${because[0].rule}`;
};

const { target } = runOf({ host: 'web-1' });
const program = (text: string, host = 'web-1'): Open => {
  const asked: Program = { text };
  return { kind: 'open', mode: 'program', target: runOf({ host }).target, size, program: asked, asked };
};
const shell = (host = 'web-1'): Open => ({ kind: 'open', mode: 'terminal', target: runOf({ host }).target, size });
const type = (text: string, typed: Typed): Type => ({
  ...{ kind: 'type', mode: 'program', target, session },
  ...{ asked: { text }, typed },
});

const TOP = {
  id: 'top',
  effect: 'allow',
  actions: ['exec', 'input'],
  commands: ['top [-d <int>]'],
  input: ['q', 'up', 'ctrl-c'],
};
const SQL = { id: 'sql', effect: 'allow', actions: ['exec', 'input'], commands: ['psql <name>'], input: 'any' };
const LOOK = { id: 'look', effect: 'allow', commands: ['journalctl -f'] };
const HOST_SHELL = { id: 'shell', effect: 'allow', hosts: ['web-*'], actions: ['shell'] };

describe('a program on a terminal', () => {
  const policy = policyOf([TOP, SQL, LOOK]);

  test.each([
    ['top -d 5', 'allow /rules/top'],
    ['journalctl -f', 'allow /rules/look'],
    ['top -c', 'deny (no rule)'],
    ['top $(id)', 'deny (no rule)'],
    ['bash', 'deny (no rule)'],
  ])('%s is judged as the command that it is: %s', (text, answer) => {
    expect(verdict(policy, program(text))).toBe(answer);
  });

  test('runs in its canonical form, and keeps what was asked for to be judged by', () => {
    const answer = decision(policy, program('top  -d 5 # often'));
    expect(answer).toMatchObject({
      action: { program: { canonical: "'top' '-d' '5'" }, asked: { text: 'top  -d 5 # often' }, mode: 'program' },
    });
    expect(answer.effect === 'allow' && Object.keys(answer.action).sort()).toEqual([
      'asked',
      'kind',
      'mode',
      'program',
      'size',
      'target',
    ]);
  });

  test('is denied and asked for as a command is', () => {
    const strict = policyOf([
      TOP,
      SQL,
      { id: 'no', effect: 'deny', commands: ['psql prod'] },
      { id: 'ask', effect: 'ask', commands: ['top'] },
    ]);
    expect(verdict(strict, program('psql prod'))).toBe('deny /rules/no');
    expect(verdict(strict, type('psql prod', { text: 'q' }))).toBe('deny /rules/no');
    expect(verdict(strict, program('top'))).toBe('ask /rules/ask');
    expect(verdict(strict, type('top', { text: 'q' }))).toBe('ask /rules/ask');
  });
});

describe('what is typed to a program', () => {
  const policy = policyOf([TOP, SQL, LOOK]);

  test.each<readonly [string, Typed, string]>([
    ['top', { text: 'q' }, 'allow /rules/top'],
    ['top', { keys: ['up', 'up', 'q'] }, 'allow /rules/top'],
    ['top', { text: '\u0003' }, 'allow /rules/top'],
    ['top', { keys: ['k'] }, 'deny (no rule)'],
    ['top', { text: 'qq1' }, 'deny (no rule)'],
    ['top', { text: 'q\n' }, 'deny (no rule)'],
    ['top', { text: '\u001b[A' }, 'deny (no rule)'],
    ['top', { text: 'q', keys: ['enter'] }, 'deny (no rule)'],
    ['top', { size: { cols: 9, rows: 9 } }, 'allow /rules/top'],
    ['psql app', { text: 'select 1;\n' }, 'allow /rules/sql'],
    ['journalctl -f', { keys: ['q'] }, 'deny (no rule)'],
    ['journalctl -f', { size: { cols: 9, rows: 9 } }, 'allow /rules/look'],
    ['bash', { keys: ['q'] }, 'deny (no rule)'],
    ['bash', { size: { cols: 9, rows: 9 } }, 'deny (no rule)'],
  ])('%s %j: %s', (text, typed, answer) => {
    expect(verdict(policy, type(text, typed))).toBe(answer);
  });

  test('changes nothing of the action, and a refusal names no key', () => {
    expect(decision(policy, type('top', { text: 'q' }))).toMatchObject({ action: type('top', { text: 'q' }) });
    const refused = decision(policy, type('top', { text: 'hunter2', keys: ['f1'] }));
    expect(refused.because[0].reason).toBe(
      'The program is granted by /rules/top, and no rule that grants it lists every key of this in input.',
    );
  });

  test('needs one rule that grants the program and lists the keys, not two that do half of it', () => {
    const split = policyOf([
      { ...TOP, input: ['up'] },
      { id: 'other', effect: 'allow', actions: ['exec', 'input'], commands: ['less <path:/srv/**>'], input: 'any' },
    ]);
    expect(verdict(split, type('top', { keys: ['q'] }))).toBe('deny (no rule)');
    expect(verdict(split, type('top', { keys: ['up'] }))).toBe('allow /rules/top');
  });

  test('is denied by a rule that denies input, which a new size is not', () => {
    const closed = policyOf([TOP, { id: 'hands-off', effect: 'deny', hosts: ['web-1'], actions: ['input'] }]);
    expect(verdict(closed, type('top', { keys: ['q'] }))).toBe('deny /rules/hands-off');
    expect(verdict(closed, type('top', { size }))).toBe('allow /rules/top');
    expect(verdict(closed, program('top'))).toBe('allow /rules/top');
  });

  test('to a pipeline must be granted for each program of it', () => {
    const both = policyOf([TOP, { id: 'cat', effect: 'allow', commands: ['cat'], stdin: true }]);
    expect(verdict(both, program('top | cat'))).toBe('allow /rules/top');
    expect(verdict(both, type('top | cat', { keys: ['q'] }))).toBe('deny (no rule)');
  });

  test('takes from the limits of the rule that grants it', () => {
    const limited = policyOf([{ ...TOP, limits: [{ counter: 'keys', window: 'minute', max: 9, scope: 'session' }] }]);
    expect(decision(limited, type('top', { keys: ['q'] }))).toMatchObject({
      charges: [{ amount: 1, key: expect.stringContaining(session) }],
    });
  });
});

describe('the login shell', () => {
  const closed = { id: 'closed', effect: 'deny', hosts: ['web-9'], actions: ['shell'] };
  const asking = { id: 'asking', effect: 'ask', hosts: ['web-8'], actions: ['shell'] };
  const policy = policyOf([
    LOOK,
    HOST_SHELL,
    closed,
    asking,
    { id: 'all', effect: 'allow', hosts: ['db'], commands: 'any' },
  ]);
  const typing = (host: string): Type => ({
    kind: 'type',
    mode: 'terminal',
    target: runOf({ host }).target,
    session,
    typed: { text: 'x' },
  });

  test.each([
    ['web-1', 'allow /rules/shell'],
    ['web-9', 'deny /rules/closed'],
    ['web-8', 'ask /rules/asking'],
    ['db', 'deny (no rule)'],
    ['other', 'deny (no rule)'],
  ])('on %s is a shell, to be opened and to be typed into alike: %s', (host, answer) => {
    expect(verdict(policy, shell(host))).toBe(answer);
    expect(verdict(policy, typing(host))).toBe(answer);
  });

  test('is opened as it was asked for', () => {
    expect(decision(policy, shell())).toMatchObject({ effect: 'allow', action: shell() });
  });

  test('is denied by a rule that denies everything', () => {
    const shut = policyOf([HOST_SHELL, { id: 'shut', effect: 'deny' }]);
    expect(verdict(shut, shell())).toBe('deny /rules/shut');
  });

  test('is gated by tools alone where there are no rules', () => {
    const free = compile('{"version": "1", "default": "allow"}', 'p.json');
    const actions = [shell(), typing('web-1'), program('id'), type('id', { text: 'x' })];
    expect(actions.map(one => verdict(free, one))).toEqual(Array(4).fill('allow (default allow)'));
  });
});

describe('a document', () => {
  const problemsOf = (rules: readonly object[], tests: readonly object[] = []): readonly string[] => {
    try {
      policyOf(rules, { tests });
      return [];
    } catch (error) {
      if (!(error instanceof InvalidFile)) throw error;
      return error.problems.map(({ pointer, message }) => `${pointer} ${message}`);
    }
  };

  test.each([
    [{ ...TOP, input: ['q', 'ctrl-C'] }, 'must be a character, or the name of a key'],
    [{ ...TOP, input: undefined }, 'has input without keys'],
    [{ ...TOP, actions: ['input'], commands: undefined }, 'has input without exec'],
    [{ ...TOP, actions: ['exec'] }, 'is about keys typed to a program'],
  ])('%j is not loaded', (rule, message) => {
    expect(problemsOf([rule])).toEqual([expect.stringContaining(message)]);
  });

  test('is tested on sessions of every kind', () => {
    const start = { tool: 'ssh_session_start' };
    const send = { tool: 'ssh_session_send', session: { mode: 'program', command: 'top' } };
    expect(
      problemsOf(
        [TOP, HOST_SHELL],
        [
          { ...start, args: { mode: 'program', command: 'top -d 1' }, expect: 'allow', rule: '/rules/top' },
          { ...start, args: { mode: 'program', argv: ['id'] }, expect: 'deny' },
          { ...start, args: { mode: 'terminal' }, expect: 'allow', rule: '/rules/shell' },
          { ...start, host: 'db', args: { mode: 'terminal' }, expect: 'deny' },
          { ...start, args: { mode: 'managed' }, expect: 'allow' },
          { ...send, args: { input: 'q' }, expect: 'allow' },
          { ...send, args: { keys: ['ctrl-c'] }, expect: 'allow', rule: '/rules/top' },
          { ...send, args: { keys: ['k'] }, expect: 'deny' },
          { tool: 'ssh_session_send', session: { mode: 'terminal' }, args: { input: 'rm -rf /' }, expect: 'allow' },
          { tool: 'ssh_session_send', session: { mode: 'managed' }, args: { input: 'top' }, expect: 'allow' },
        ],
      ),
    ).toEqual([]);
  });
});
