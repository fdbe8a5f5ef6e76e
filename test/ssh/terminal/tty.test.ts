import { describe, expect, test } from 'vitest';
import { type Foreground, readReport, type TtyReport } from '../../../src/ssh/terminal/tty.ts';
import { stateOf } from '../../../src/ssh/terminal/tty-state.ts';

const SHELL = 100;
const process = (name: string, more: Partial<Foreground> = {}): Foreground => ({
  ...{ pid: 200, state: 'S', wchan: 'wait_woken', call: '0', name },
  ...more,
});
const bash = process('bash', { pid: SHELL });
const dash = process('dash', { pid: SHELL });
const report = (settings: string, ...foreground: readonly Foreground[]): TtyReport => ({
  echo: settings.includes('-echo') ? false : settings.includes('echo') ? true : undefined,
  lines: settings.includes('raw') ? false : settings.includes('lines') ? true : undefined,
  machine: 'x86_64',
  foreground,
});
const PLAIN = { alternate: false, applicationCursor: false, applicationKeypad: false };

describe('the state of a terminal', () => {
  test.each([
    ['a shell that edits its line', report('raw -echo', bash), PLAIN, 'prompt'],
    ['a shell that edits none', report('lines echo', dash), PLAIN, 'prompt'],
    ['read of a shell that edits', report('lines echo', bash), PLAIN, 'waiting_input'],
    ['read -s', report('lines -echo', bash), PLAIN, 'password'],
    ['a loop in a shell', report('lines echo', { ...bash, state: 'R', wchan: '0' }), PLAIN, 'running'],
    ['cat', report('lines echo', process('cat')), PLAIN, 'waiting_input'],
    ['sleep', report('lines echo', process('sleep', { wchan: 'hrtimer_nanosleep', call: '230' })), PLAIN, 'running'],
    ['a writer that is held up', report('lines echo', process('yes', { call: '1' })), PLAIN, 'running'],
    ['the same where calls are hidden', report('lines echo', process('cat', { call: '-' })), PLAIN, 'waiting_input'],
    ['one that is stopped', report('lines echo', process('cat', { state: 'T' })), PLAIN, 'running'],
    [
      'a pipeline whose head reads',
      report('lines echo', process('cat'), process('sort', { wchan: 'pipe_read' })),
      PLAIN,
      'waiting_input',
    ],
    [
      'sudo, whose sleep is hidden',
      report('lines -echo', process('sudo', { wchan: '0', call: '-' })),
      PLAIN,
      'password',
    ],
    ['one that is waking', report('lines echo', process('yes', { wchan: '0', call: 'running' })), PLAIN, 'running'],
    ['another’s program', report('lines echo', process('x', { wchan: '0', call: '-' })), PLAIN, 'unknown'],
    [
      'echo off while something works',
      report('lines -echo', process('sleep', { wchan: 'hrtimer_nanosleep' })),
      PLAIN,
      'running',
    ],
    ['echo off where nothing is seen', report('lines -echo'), PLAIN, 'password'],
    ['lines where nothing is seen', report('lines echo'), PLAIN, 'unknown'],
    ['vim', report('raw -echo', process('vim')), { ...PLAIN, alternate: true }, 'fullscreen'],
    ['top', report('raw -echo', process('top')), { ...PLAIN, applicationCursor: true }, 'fullscreen'],
    ['python', report('raw -echo', process('python3')), PLAIN, 'waiting_input'],
    ['ssh to somewhere else', report('raw -echo', process('ssh')), PLAIN, 'unknown'],
    ['no settings', report(''), PLAIN, 'unknown'],
    ['no answer', undefined, PLAIN, 'unknown'],
    ['no answer, and a painted screen', undefined, { ...PLAIN, alternate: true }, 'fullscreen'],
  ] as const)('%s', (_what, said, modes, state) => {
    expect(stateOf(said, modes, SHELL)).toBe(state);
  });

  test('a shell that is the program of a session waits for input as any other', () => {
    expect(stateOf(report('raw -echo', bash), PLAIN, undefined)).toBe('waiting_input');
  });
});

describe('the answer of a host', () => {
  const lines = [
    'noise',
    'n set speed 38400 baud; intr = ^C; min = 1; -icanon -echo isig icrnl;',
    'n machine x86_64',
    'n process 12 S wait_woken 0 a name \u001b[31m(with) blanks',
    'n process 0 S x 0 bad',
    'n process 13 R 0 -',
  ];

  test('is read by its nonce, with names made safe', () => {
    expect(readReport([...lines, 'n end', ''].join('\n'), 'n')).toEqual({
      echo: false,
      lines: false,
      machine: 'x86_64',
      foreground: [
        { pid: 12, state: 'S', wchan: 'wait_woken', call: '0', name: 'a name (with) blanks' },
        { pid: 13, state: 'R', wchan: '0', call: '-', name: '' },
      ],
    });
  });

  test.each([
    ['cut off', lines],
    ['of somebody else', [...lines, 'm end']],
    ['empty', []],
  ])('that is %s says nothing', (_what, some) => {
    expect(readReport(some.join('\n'), 'n')).toBeUndefined();
  });
});
