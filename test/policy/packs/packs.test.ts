import { describe, expect, test } from 'vitest';
import { PACKS } from '../../../src/policy/packs/index.ts';
import { expandPack, type Pack, readCommands } from '../../../src/policy/packs/pack.ts';
import { type Commands, commandsOf, grant } from '../../../src/policy/synopsis/commands.ts';
import { read } from '../../../src/shell/read.ts';
import { commandsOf as simpleOf } from '../../../src/shell/script.ts';

const callOf = ({ name, parameter }: Pack): string =>
  parameter === undefined ? `@${name}` : `@${name}(${parameter.example})`;

const ruleOf = (...commands: readonly string[]): Commands => {
  const outcome = readCommands(commands, false, PACKS);
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes, undefined, 1));
  return commandsOf(outcome.listed);
};

/** Whether every command of the text is granted; a filter is judged as the receiving end of a pipe. */
const grants = (rule: Commands, text: string, shaped: boolean): boolean => {
  const analysis = read(text);
  return (
    analysis.kind === 'known' && simpleOf(analysis.script).every(({ words }) => grant(rule, { words, shaped }).hit)
  );
};

describe.each([...PACKS.values()].map(pack => [`@${pack.name}`, pack] as const))('%s', (_, pack) => {
  const rule = ruleOf(callOf(pack));
  const shaped = pack.sets.every(({ stdin }) => stdin === true);

  test.each(pack.match)('grants %s', text => {
    expect(grants(rule, text, shaped)).toBe(true);
  });

  test.each(pack.not_match)('refuses %s', text => {
    expect(grants(rule, text, shaped)).toBe(false);
    expect(grants(rule, text, false)).toBe(false);
  });

  test('opens no other command of its rule', () => {
    expect(pack.sets.flatMap(({ commands }) => commands).filter(text => text.includes('<command>'))).toEqual([]);
  });
});

test('all packs in one rule refuse what each of them refuses, unless another one grants it', () => {
  const all = [...PACKS.values()];
  const together = ruleOf(...all.map(callOf));
  const rules = all.map(pack => ({ pack, rule: ruleOf(callOf(pack)) }));
  const opened = all.flatMap(pack =>
    pack.not_match.filter(
      text => grants(together, text, false) && !rules.some(({ rule }) => grants(rule, text, false)),
    ),
  );
  expect(opened).toEqual([]);
});

test.each([
  ['@nothing', `There is no pack @nothing. There are ${[...PACKS.keys()].map(name => `@${name}`).join(' ')}.`],
  ['@Logs', 'Write a pack as @name or @name(value).'],
  ['@logs(/var/log', 'Write a pack as @name or @name(value).'],
  ['@inspect(/x)', '@inspect takes no value.'],
  ['@files-read', '@files-read takes folders: @files-read(/srv/app).'],
  ['@files-read()', '@files-read takes folders: @files-read(/srv/app).'],
  ['@files-read(srv)', '@files-read takes folders: @files-read(/srv/app).'],
  ['@files-read(/srv/../etc)', '@files-read takes folders: @files-read(/srv/app).'],
  ['@files-read(/srv/*)', '@files-read takes folders: @files-read(/srv/app).'],
  ['@files-read(/a,{/b})', '@files-read takes folders: @files-read(/srv/app).'],
  ['@systemd-restart(-x)', '@systemd-restart takes names: @systemd-restart(nginx,app).'],
  ['@systemd-restart(a b)', '@systemd-restart takes names: @systemd-restart(nginx,app).'],
])('%s is refused', (call, message) => {
  expect(expandPack(call, PACKS)).toBe(message);
});

test('a pack is called with several values, or with none when it has one of its own', () => {
  expect(
    ['cat /srv/a/x', 'cat /etc/nginx/x', 'cat /etc/x'].map(text =>
      grants(ruleOf('@files-read(/srv/a, /etc/nginx)'), text, false),
    ),
  ).toEqual([true, true, false]);
  expect(grants(ruleOf('@logs'), 'cat /var/log/syslog', false)).toBe(true);
  expect(grants(ruleOf('@files-read(/)'), 'cat /etc/passwd', false)).toBe(true);
});

test('every mistake of a list is told, with its entry', () => {
  expect(readCommands(['uptime', '@nothing', 'ls <file>'], false, new Map())).toEqual({
    mistakes: [
      { entry: 1, column: 1, message: 'There is no pack @nothing. There are .' },
      {
        entry: 2,
        column: 4,
        message:
          'There is no placeholder <file>. There are <int> <name> <duration> <path> <relpath> <re> <any> <command>.',
      },
    ],
  });
});
