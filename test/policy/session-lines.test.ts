import { describe, expect, test } from 'vitest';
import { isSessionId } from '../../src/call.ts';
import { readLine } from '../../src/shell/line.ts';
import { q } from '../../src/shell/quote.ts';
import { type Command, policyOf, runs, said } from './rules-support.ts';

const session = 'ses_AAAAAAAAAAAAAAAAAAAAAA';
if (!isSessionId(session)) throw new Error('the form of a handle');
const HOME = '/home/deploy';

/** A line of a session that is at home, or elsewhere. */
const line = (text: string, cwd = HOME, env: Record<string, string> = {}): Command => ({
  text,
  session,
  cwd,
  home: HOME,
  env,
});

describe('a managed session under rules', () => {
  const policy = policyOf([
    { id: 'home', effect: 'allow', commands: ['uptime', 'ls [-l]'], env: ['TZ'] },
    { id: 'app', effect: 'allow', commands: ['ls [-l]', 'make'], cwd: ['/srv/app/**'], env: ['CI'] },
    { id: 'careful', effect: 'ask', commands: ['reboot'], cwd: ['/var/log'] },
    { id: 'shut', effect: 'deny', hosts: ['shut'] },
  ]);

  test.each([
    [line('ls -l'), 'allow /rules/home', { canonical: "'ls' '-l'" }],
    [line('ls', '/srv/app/x'), 'allow /rules/app', { canonical: "'ls'" }],
    [line('make', '/srv/app'), 'allow /rules/app', { canonical: "'make'" }],
    [line('cd /srv/app'), 'allow /rules/app', { text: "cd -- '/srv/app'" }],
    [line('cd x', '/srv/app'), 'allow /rules/app', { text: "cd -- '/srv/app/x'" }],
    [line('cd ..', '/srv/app/x/y'), 'allow /rules/app', { text: "cd -- '/srv/app/x'" }],
    [line("cd './it'\\''s'/.", '/srv/app'), 'allow /rules/app', { text: "cd -- '/srv/app/it'\\''s'" }],
    [line('cd ../../srv/app'), 'allow /rules/app', { text: "cd -- '/srv/app'" }],
    [line('cd', '/srv/app'), 'allow /rules/home', { text: 'cd' }],
    [line('cd ~', '/srv/app'), 'allow /rules/home', { text: 'cd' }],
    [line('cd /home/deploy', '/srv/app'), 'allow /rules/home', { text: "cd -- '/home/deploy'" }],
    [line('cd /var/log'), 'allow /rules/careful', { text: "cd -- '/var/log'" }],
    [line('pwd', '/etc'), 'allow /rules/home', { text: 'pwd' }],
    [line('unset TZ', HOME, { TZ: 'UTC' }), 'allow /rules/home', { text: 'unset TZ' }],
    [line("export TZ=UTC CI='1 2'"), 'allow /rules/home', { text: "export TZ=UTC CI='1 2'" }],
    [line('uptime', HOME, { TZ: 'UTC' }), 'allow /rules/home', { canonical: "'uptime'" }],
  ])('%j: %s', (command, answer, program) => {
    expect(said(policy, command)).toBe(answer);
    expect(runs(policy, command)).toEqual(program);
  });

  test.each([
    [
      line('uptime', '/srv/app'),
      '"uptime" is not granted: the rule home does not cover the directory it would run in.',
    ],
    [line('make'), '"make" is not granted: the rule app does not cover the directory it would run in.'],
    [line('cd /etc'), 'No rule for commands has cwd for "/etc".'],
    [line('cd ..', '/srv/app'), 'No rule for commands has cwd for "/srv".'],
    [line('cd /srv/app/../../etc'), 'No rule for commands has cwd for "/etc".'],
    [line('cd $HOME'), 'Nothing is expanded where rules judge: write the value itself.'],
    [line('cd /srv/*'), 'Nothing is expanded where rules judge: write the value itself.'],
    [line('cd -', '/srv/app'), 'Name the directory: where cd - leads is not judged.'],
    [line('cd /srv/app && make'), undefined],
    [line('export LD_PRELOAD=/tmp/x'), 'No rule passes on the variable LD_PRELOAD.'],
    [line('export TZ=UTC PATH=/tmp'), 'No rule passes on the variable PATH.'],
    [line('export TZ=$(id)'), 'Nothing is expanded where rules judge: write the value itself.'],
    [
      line('unset TZ LANG', HOME, { TZ: 'UTC' }),
      'LANG is not set by this session; env -u LANG runs a program without it.',
    ],
    [line('uptime', HOME, { CI: '1' }), undefined],
    [
      line('cd /srv/app', HOME, { LD_PRELOAD: '/tmp/x' }),
      'No rule passes on the variable LD_PRELOAD, which the session keeps: unset it.',
    ],
  ])('%j is refused', (command, reason) => {
    expect(said(policy, command)).toBe('deny (no rule)');
    if (reason !== undefined) expect(runs(policy, command)).toBe(reason);
  });

  test('where everything is denied, so is every line', () => {
    for (const text of ['pwd', 'cd /srv/app', 'export TZ=UTC', 'unset TZ', 'uptime'])
      expect(said(policy, { ...line(text), host: 'shut' })).toBe('deny /rules/shut');
  });

  test('where nothing may run, a session does nothing by itself either', () => {
    const files = policyOf([{ id: 'logs', effect: 'allow', actions: ['read'], paths: ['/var/log/**'] }]);
    for (const text of ['pwd', 'cd', 'cd /var/log', 'export TZ=UTC'])
      expect(said(files, line(text))).toBe('deny (no rule)');
  });

  test('what denies or asks is felt by a line of the session too', () => {
    const strict = policyOf([
      { id: 'any', effect: 'allow', commands: 'any' },
      { id: 'cd', effect: 'deny', commands: ['cd {/etc,/etc/ssh}'] },
    ]);
    expect(said(strict, line('cd /etc'))).toBe('deny /rules/cd');
    expect(said(strict, line('cd "$X"'))).toBe('ask /rules/cd');
  });

  test('a rule for any command lets the session do whatever it would do without rules', () => {
    const free = policyOf([{ id: 'any', effect: 'allow', commands: 'any' }]);
    for (const text of [
      'cd "$X"',
      'cd -',
      'export A=$(id)',
      'ls $X',
      'export PATH=/x',
      'unset HOME',
      'cd /x && export A=1',
    ])
      expect(runs(free, line(text, '/srv'))).toEqual({ text });
    expect(runs(free, line('cd x', '/srv'))).toEqual({ text: "cd -- '/srv/x'" });
  });
});

describe('what lines of any text left in a session', () => {
  const kept = { PATH: '/x', LD_PRELOAD: '/x.so', LINES: 'a\nb' };

  test('does not stop the next ones where any text may run', () => {
    const free = policyOf([{ id: 'any', effect: 'allow', commands: 'any', env: ['TZ'] }]);
    for (const text of ['uptime', 'cd /x', 'cd /x && ls', 'export A=1', 'unset PATH'])
      expect(said(free, line(text, '/srv', kept))).toBe('allow /rules/any');
    const { session: _session, ...once } = line('uptime', HOME, kept);
    expect(said(free, once)).toBe('deny (no rule)');
  });

  test('is passed on to no command that words grant', () => {
    const both = policyOf([
      { id: 'word', effect: 'allow', commands: ['uptime'] },
      { id: 'any', effect: 'allow', commands: 'any' },
    ]);
    expect(runs(both, line('uptime'))).toEqual({ canonical: "'uptime'" });
    expect(runs(both, line('uptime', HOME, { PATH: '/x' }))).toEqual({ text: 'uptime' });
    const words = policyOf([{ id: 'word', effect: 'allow', commands: ['uptime'] }]);
    expect(said(words, line('uptime'))).toBe('allow /rules/word');
    expect(said(words, line('uptime', HOME, { PATH: '/x' }))).toBe('deny (no rule)');
  });
});

test('a directory written anew is read back by the session as that very directory', () => {
  for (const directory of ['/a b', "/it's", '/back\\slash', '/!', '/$HOME', '/`id`', '/*', '/~', '/-', '/#x', '/é'])
    expect(readLine(`cd -- ${q(directory)}`)).toMatchObject({ kind: 'cd', to: { literal: directory } });
});
