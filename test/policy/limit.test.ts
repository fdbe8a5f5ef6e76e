import { describe, expect, test } from 'vitest';
import { compileLimit, type RawLimit, windowMsOf } from '../../src/policy/limit.ts';
import { callFor } from '../support/calls.ts';

const SESSION = 'ses_AAAAAAAAAAAAAAAAAAAAAA';
const taken = (raw: Partial<RawLimit>, call = callFor('ssh_status', {}), host?: string) =>
  compileLimit({ counter: 'c', window: 'minute', max: 10, scope: 'grant', ...raw }, '/rule').take(call, host);
const keyOf = (...args: Parameters<typeof taken>): string => {
  const charge = taken(...args);
  if ('effect' in charge) throw new Error(charge.because[0].reason);
  return charge.key;
};

test.each([
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
  ['1s', 1000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['366d', 31_622_400_000],
  ['367d', undefined],
  ['0m', undefined],
  ['01m', undefined],
  ['1.5h', undefined],
  ['-1m', undefined],
  ['10', undefined],
  ['10 m', undefined],
  ['minutes', undefined],
  ['toString', undefined],
  ['', undefined],
])('a window of %j is %s ms', (text, ms) => {
  expect(windowMsOf(text)).toBe(ms);
});

test('a limit is charged as it is written', () => {
  expect(taken({ counter: 'exec', max: 3, window: '10m' })).toEqual({
    rule: '/rule',
    key: '[600000,"grant","exec","local"]',
    amount: 1,
    max: 3,
    span: { kind: 'window', windowMs: 600_000 },
    reason: 'The limit of 3 per 10m for this grant is reached.',
  });
  expect(taken({ window: undefined, concurrent: true, scope: 'server', on_deny: 'Later.' })).toEqual({
    rule: '/rule',
    key: '["concurrent","server","c",true]',
    amount: 1,
    max: 10,
    span: { kind: 'concurrent' },
    reason: 'Later.',
  });
});

describe('two calls share a budget', () => {
  const exec = callFor('ssh_exec', { host: 'web-1', command: 'true' });
  test.each<[string, [Partial<RawLimit>, typeof exec, string?], [Partial<RawLimit>, typeof exec, string?], boolean]>([
    ['when the window is the same in other words', [{ window: 'minute' }, exec], [{ window: '60s' }, exec], true],
    ['whatever the maximum', [{ max: 1 }, exec], [{ max: 2 }, exec], true],
    ['whatever the tool', [{}, exec], [{}, callFor('ssh_status', {})], true],
    ['not when the window differs', [{ window: 'minute' }, exec], [{ window: 'hour' }, exec], false],
    ['not when one is concurrent', [{}, exec], [{ window: undefined, concurrent: true }, exec], false],
    ['not when the scope differs', [{ scope: 'grant' }, exec], [{ scope: 'server' }, exec], false],
    ['not when the counter differs', [{ counter: 'a' }, exec], [{ counter: 'b' }, exec], false],
    ['not when a counter imitates a key', [{ counter: 'a","local"]' }, exec], [{ counter: 'a' }, exec], false],
    ['not of two grants', [{}, exec], [{}, { ...exec, grant: 'ci' }], false],
    ['not when a grant is named as a host', [{ scope: 'host' }, exec], [{}, { ...exec, grant: 'web-1' }], false],
    ['of two grants on one host', [{ scope: 'host' }, exec], [{ scope: 'host' }, { ...exec, grant: 'ci' }], true],
    ['not of two hosts', [{ scope: 'host' }, exec, 'web-1'], [{ scope: 'host' }, exec, 'db-1'], false],
    [
      'not of no host and a host called null',
      [{ scope: 'host' }, callFor('ssh_status', {})],
      [{ scope: 'host' }, exec, 'null'],
      false,
    ],
    ['of all grants on the server', [{ scope: 'server' }, exec], [{ scope: 'server' }, { ...exec, grant: 'ci' }], true],
  ])('%s', (_title, one, other, shared) => {
    expect(keyOf(...one) === keyOf(...other)).toBe(shared);
  });
});

test.each([
  [
    'a line of a session',
    callFor('ssh_session_send', { session_id: SESSION, input: 'ls' }, { host: 'web-1' }),
    'web-1',
    SESSION,
  ],
  ['the end of a session', callFor('ssh_session_end', { session_id: SESSION }), 'web-1', SESSION],
  ['the reading of a session', callFor('ssh_session_read', { session_id: SESSION }), 'web-1', SESSION],
  ['a session that nobody knows', callFor('ssh_session_end', { session_id: SESSION }), undefined, null],
  ['a command outside of sessions', callFor('ssh_exec', { host: 'web-1', command: 'ls' }), 'web-1', null],
  ['the handle of a command', callFor('ssh_cancel_command', { command_id: SESSION }), 'web-1', null],
  ['a call without a host', callFor('ssh_status', {}), undefined, null],
])('scope session: %s', (_title, call, host, session) => {
  expect(keyOf({ scope: 'session' }, call, host)).toBe(JSON.stringify([60_000, 'session', 'c', 'local', session]));
});

const counted = (value: unknown) =>
  taken({ increment_from: 'args.size' }, callFor('ssh_exec', { host: 'h', size: value }));
test.each([
  [0, 0],
  [3, 3],
  [10, 10],
  [2.1, 3],
  [Number.MIN_VALUE, 1],
])('an amount of %d takes %d', (value, amount) => {
  expect(counted(value)).toMatchObject({ amount });
});

test.each([
  [undefined, 'args.size must be a number of at least 0: it is counted.'],
  [null, 'args.size must be a number of at least 0: it is counted.'],
  ['3', 'args.size must be a number of at least 0: it is counted.'],
  [-1, 'args.size must be a number of at least 0: it is counted.'],
  [Number.NaN, 'args.size must be a number of at least 0: it is counted.'],
  [Number.POSITIVE_INFINITY, 'args.size must be a number of at least 0: it is counted.'],
  [[3], 'args.size must be a number of at least 0: it is counted.'],
  [11, 'This can never fit in the limit of 10 per minute for this grant.'],
  [10.5, 'This can never fit in the limit of 10 per minute for this grant.'],
])('an amount of %j is refused for good', (value, reason) => {
  expect(counted(value)).toEqual({ effect: 'deny', code: 'POLICY_DENIED', because: [{ rule: '/rule', reason }] });
});

test('a limit of nothing refuses in its own words', () => {
  expect(taken({ max: 0, on_deny: 'Never.' })).toMatchObject({ effect: 'deny', because: [{ reason: 'Never.' }] });
});

test('what is left can be read for a grant and for the server, and not where it depends on the call', () => {
  const standing = (scope: RawLimit['scope']) =>
    compileLimit({ counter: 'c', window: 'minute', max: 10, scope }, '/rule').standing('local')?.key;
  expect([standing('grant'), standing('server')]).toEqual([keyOf({}), keyOf({ scope: 'server' })]);
  expect([standing('host'), standing('session')]).toEqual([undefined, undefined]);
});
