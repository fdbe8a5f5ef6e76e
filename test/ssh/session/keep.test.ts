import { describe, expect, test } from 'vitest';
import type { Run } from '../../../src/call.ts';
import { differenceOf, readEnvironment, withChanges } from '../../../src/ssh/session/environment.ts';
import { readGround } from '../../../src/ssh/session/ground.ts';
import { type Kept, settle } from '../../../src/ssh/session/keep.ts';

const target = { host: 'web', user: 'deploy', address: '192.0.2.1', port: 22, tags: [] };
const action = (env: Run['env'] = {}): Run => ({
  kind: 'exec',
  target,
  program: { text: 'true' },
  cwd: '/srv',
  env,
  timeoutMs: 1000,
});
const kept: Kept = { cwd: '/srv', previous: '/old', env: { A: '1' }, gone: new Set(['LANG']) };
const once = new Map([
  ['PATH', '/bin'],
  ['LANG', 'C'],
]);
const keeping = { folder: '/tmp', once, twice: new Map([...once, ['PATH', '/front:/bin']]) };
const answer = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\0'), 'latin1');

describe('what a host says a line did', () => {
  test('is taken over as the difference to what the line was given', () => {
    const said = answer(
      'hello',
      '/srv/x\n',
      '/srv',
      'PATH=/front:/bin',
      'A=2',
      'B=',
      'PWD=/srv/x',
      '_=/usr/bin/env',
      'end',
    );
    expect(settle(kept, action({ A: '1' }), keeping, said)).toEqual({
      kept: { cwd: '/srv/x', previous: '/srv', env: { A: '2', B: '' }, gone: new Set(['LANG']) },
      note: undefined,
    });
  });

  test('may have taken variables away, or set again what was taken away', () => {
    const said = answer('', '/srv\n', '', 'LANG=C', 'end');
    expect(settle(kept, action({ A: '1' }), keeping, said).kept).toEqual({
      cwd: '/srv',
      previous: '/old',
      env: { LANG: 'C' },
      gone: new Set(['PATH']),
    });
  });

  test.each([
    ['nothing', answer()],
    ['nothing but what startup files say', answer('hello\n', '')],
    ['no end', answer('', '/x\n', '', 'A=2')],
    ['an end within a value', answer('', '/x\n', '', 'A=end')],
    ['more after its end', answer('', '/x\n', '', 'A=2', 'end', 'B=1')],
  ])('changes nothing when it is %s', (_what, said) => {
    const settled = settle(kept, action({ A: '1' }), keeping, said);
    expect(settled.kept).toBe(kept);
    expect(settled.note).toMatch(/did not come back/);
  });

  test.each(['', 'x', '../x', '/a\u001b[31m', '/a\nb', '/a\xe2\x80\xaeb', '/\xff'])(
    'is not followed to the directory %j',
    place => {
      const settled = settle(kept, action(), keeping, answer('', `${place}\n`, '', 'PATH=/bin', 'end'));
      expect([settled.kept.cwd, settled.note]).toEqual([
        '/srv',
        'The name of its directory cannot be shown as it is, and so was not kept.',
      ]);
    },
  );
});

describe('the ground of a session', () => {
  const whole = ['hello\n', '/home/me\n', '/tmp', 'once', 'A=1', 'F=x', '', 'twice', 'A=2', 'end'];
  test('is the directory, and with a fit shell both environments and a folder', () => {
    expect(readGround(answer(...whole))).toEqual({
      cwd: '/home/me',
      keeping: {
        folder: '/tmp',
        once: new Map([
          ['A', '1'],
          ['F', 'x'],
        ]),
        twice: new Map([['A', '2']]),
      },
    });
  });

  test.each([
    ['without the rest', whole.slice(0, 2)],
    ['cut off', whole.slice(0, -1)],
    ['without the second environment', [...whole.slice(0, 7), 'end']],
    ['with a folder that cannot be shown', whole.with(2, '/t\u001b')],
    ['with a relative folder', whole.with(2, 'tmp')],
  ])('is the directory alone when the answer comes %s', (_how, parts) => {
    expect(readGround(answer(...parts))).toEqual({ cwd: '/home/me' });
  });

  test.each([[[]], [['hello']], [['hello', '']], [['', 'home\n', '/tmp']], [['', '/a\u001b\n']]])(
    'is none when the answer is %j',
    parts => {
      expect(readGround(answer(...parts))).toBeUndefined();
    },
  );
});

describe('an environment', () => {
  test('is what has a plain name', () => {
    expect(readEnvironment(['A=1', 'B=', 'C=a=b\nc', '1D=x', 'BASH_FUNC_f%%=() { :; }', 'E', ''])).toEqual(
      new Map([
        ['A', '1'],
        ['B', ''],
        ['C', 'a=b\nc'],
      ]),
    );
  });

  test('differs by bytes, and what is no UTF-8 is only named', () => {
    const before = readEnvironment(['A=1', 'B=\xff', 'C=x', 'SHLVL=1']);
    const after = readEnvironment(['A=\xc3\xa9', 'B=\xff', 'D=\xfe', 'SHLVL=2', 'IFS=x', 'SSH_CLIENT=y']);
    expect(differenceOf(before, after)).toEqual({ set: { A: 'é' }, unset: ['C'], odd: ['D'] });
  });

  test('with changes is what a line is given', () => {
    expect(
      withChanges(
        new Map([
          ['A', '1'],
          ['B', '2'],
        ]),
        { C: 'é', A: '3' },
        new Set(['B']),
      ),
    ).toEqual(
      new Map([
        ['A', '3'],
        ['C', '\xc3\xa9'],
      ]),
    );
  });
});
