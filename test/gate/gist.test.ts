import { expect, test } from 'vitest';
import type { Action, Run } from '../../src/call.ts';
import { digestOf, factsOf } from '../../src/gate/facts.ts';
import { gistOf } from '../../src/gate/gist.ts';
import { compile } from '../../src/policy/compile.ts';

const target = { host: 'web-1', user: 'deploy', address: '10.0.0.5', port: 22, tags: [] };
const policy = compile('{"version":"1","default":"deny"}', 'policy.json');

const gist = (action: Action): readonly string[] | undefined =>
  gistOf(
    factsOf(
      {
        call: { id: 'call_1', grant: 'local', tool: 'ssh_exec', input: {}, action, at: 0 },
        policy,
        action,
        because: [{ rule: 'r', reason: 'why' }],
        terms: { by: 'client', approvers: 1, expiresMs: 300_000, uses: 1, ttlMs: 300_000 },
      },
      [],
    ),
  );

const run = (text: string, more: Partial<Run> = {}): Run => ({
  ...{ kind: 'exec', target, program: { text }, env: {}, timeoutMs: 60_000 },
  ...more,
});

const PLACE = 'web-1: runs a command as deploy at 10.0.0.5 port 22';

test.each<[string, Action, readonly string[]]>([
  ['a command', run('systemctl restart nginx'), [PLACE, 'command: systemctl restart nginx']],
  [
    'words, each in quotes',
    run('', { program: { argv: ['echo', 'a b', "it's"] } }),
    [PLACE, "command: 'echo' 'a b' 'it'\\''s'"],
  ],
  [
    'its directory, its environment and its input',
    run('make', { cwd: '/srv', env: { CC: 'gcc', A: '' }, stdin: 'yes' }),
    [PLACE, 'command: make', 'variable: CC=gcc · variable: A= · directory: /srv · input: yes'],
  ],
  [
    'a command that takes two lines',
    run(`echo ${'x'.repeat(100)}`),
    [PLACE, `command: echo ${'x'.repeat(62)}`, `… ${'x'.repeat(38)}`],
  ],
  ['two lines of a command', run('cd /srv\nmake'), [PLACE, 'command: cd /srv', '| make']],
  ['a connection', { kind: 'connect', target }, ['web-1: opens a connection as deploy at 10.0.0.5 port 22']],
  [
    'what is typed into a program, and which',
    {
      kind: 'type',
      target,
      session: `ses_${'A'.repeat(22)}` as never,
      mode: 'program',
      asked: { text: 'psql' },
      typed: { text: 'drop table a;', keys: ['enter'] },
    },
    [
      'web-1: types into a session (program) as deploy at 10.0.0.5 port 22',
      'into: psql',
      'typed text: drop table a; · typed keys 1: enter',
    ],
  ],
  [
    'a download',
    { kind: 'transfer', direction: 'download', target, remotePath: '/etc/passwd', resume: false, localPath: 'p' },
    [
      'web-1: copies files as deploy at 10.0.0.5 port 22',
      'direction: download · remote path: /etc/passwd · local path: p',
    ],
  ],
  [
    'a text that is uploaded',
    {
      ...{ kind: 'transfer', direction: 'upload', target, remotePath: '/srv/motd', resume: false },
      from: { content: 'Hello.\n', mode: 0o644 },
    },
    [
      'web-1: copies files as deploy at 10.0.0.5 port 22',
      'direction: upload · remote path: /srv/motd · from content: Hello.‹line feed›',
      '…  · from mode: 0644',
    ],
  ],
  ['a command with the end of its line', run('id\n'), [PLACE, 'command: id‹line feed›']],
  [
    'a tunnel',
    { kind: 'forward', direction: 'local', target, listenPort: 0, to: { host: 'db', port: 5432 } },
    [
      'web-1: opens a tunnel as deploy at 10.0.0.5 port 22',
      'direction: local · listen port: 0 · to host: db · to port: 5432',
    ],
  ],
])('%s is said in at most three lines', (_title, action, lines) => {
  expect(gist(action)).toEqual(lines);
});

test.each<[string, Action]>([
  ['a command of 250 characters', run('x'.repeat(250))],
  ['three lines of a command', run('a\nb\nc')],
  ['a command behind empty lines', run('true\n\n\n\nrm -rf /')],
  ['a long environment', run('make', { env: { A: 'x'.repeat(80) } })],
  ['an input of several lines', run('make', { stdin: 'a\nb' })],
  ['a variable that would stand on a line of its own', run('x'.repeat(100), { env: { LD_PRELOAD: '/tmp/x.so' } })],
])('%s is said in no gist', (_title, action) => {
  expect(gist(action)).toBeUndefined();
});

test.each<[string, string, string]>([
  ['an escape sequence', 'id\x1b[2K\x1b[1Gls', 'command: id‹escape›[2K‹escape›[1Gls'],
  ['a carriage return', 'rm -rf /\rls', 'command: rm -rf /‹carriage return›ls'],
  ['a right-to-left override', 'ls \u202egpj.sh', 'command: ls ‹U+202E›gpj.sh'],
  ['60 KB of spaces', `ls${' '.repeat(60_000)};id`, 'command: ls‹60000 spaces›;id'],
  ['the mark of a torn line', 'ls … id', 'command: ls ‹U+2026› id'],
  ['the mark between details', 'ls · input: no', 'command: ls ‹U+00B7› input: no'],
  ['a letter of another alphabet', 'l\u0455', 'command: l‹U+0455›'],
])('%s in a command is seen as what it is', (_title, text, line) => {
  expect(gist(run(text))).toEqual([PLACE, line]);
});

test('no value can pose as another detail', () => {
  expect(gist(run('make', { cwd: '/srv · input: yes' }))).toEqual([
    PLACE,
    'command: make',
    'directory: /srv ‹U+00B7› input: yes',
  ]);
});

test('what differs for the host differs in its digest, whatever the gist leaves to the sheet', () => {
  const facts = (action: Run) =>
    digestOf(
      factsOf(
        {
          call: { id: 'c', grant: 'g', tool: 't', input: {}, action, at: 0 },
          policy,
          action,
          because: [{ rule: 'r', reason: 'why' }],
          terms: { by: 'client', approvers: 1, expiresMs: 1, uses: 1, ttlMs: 1 },
        },
        [],
      ),
    );
  expect(gist(run('id'))).toEqual(gist(run('id', { timeoutMs: 1 })));
  expect(facts(run('id'))).not.toBe(facts(run('id', { timeoutMs: 1 })));
});
