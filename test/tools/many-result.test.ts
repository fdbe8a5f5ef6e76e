import { expect, test } from 'vitest';
import { newCommandId } from '../../src/call.ts';
import { FAILURES, Failure, type FailureCode } from '../../src/errors.ts';
import type { Standing } from '../../src/ssh/command/end.ts';
import { Capture } from '../../src/ssh/command/output.ts';
import type { Command } from '../../src/ssh/fleet.ts';
import type { Part } from '../../src/tools/each.ts';
import { manyFailure, manyResult, manyText } from '../../src/tools/many-result.ts';
import { RESULT_CHARS } from '../../src/tools/shown.ts';
import { dice } from '../shell/random.ts';

const holding = (text: string): Capture => {
  const capture = new Capture(1024 * 1024);
  capture.receive(Buffer.from(text));
  return capture;
};

const EXITED: Standing = { end: { how: 'exited', code: 0 }, durationMs: 12.3 };

const commandOn = (host: string, stdout = '', stderr = '', standing: Standing = EXITED): Command => ({
  id: newCommandId(bytes => Buffer.alloc(bytes)),
  host,
  startedAt: 0,
  stdout: holding(stdout),
  stderr: holding(stderr),
  both: holding(''),
  ended: new Promise(() => undefined),
  state: () => standing,
  stop: () => Promise.reject(new Error('nobody stops it')),
});

const ranOn = (host: string, ...more: [string?, string?, Standing?]): Part<Command> => ({
  host,
  value: commandOn(host, ...more),
});
const failedOn = (host: string, failure: Failure): Part<Command> => ({ host, failure });

const ID = 'cmd_AAAAAAAAAAAAAAAAAAAAAA';

test('every host has its answer in the order asked, and a failure stands in its place', () => {
  const { results } = manyResult([
    ranOn('web-1', 'up\n'),
    failedOn('db-1', new Failure('POLICY_DENIED', 'No rule grants it (rule (no rule)).', { details: { rule: 'x' } })),
    failedOn('web-2', new Failure('RATE_LIMITED', 'Too many.', { details: { retry_after_ms: 500, policy: 'p' } })),
    ranOn('web-3', '', 'no\n', { end: { how: 'exited', code: 3 }, durationMs: 5 }),
  ]);
  expect(results).toEqual([
    { host: 'web-1', command_id: ID, status: 'exited', exit_code: 0, duration_ms: 12, stdout: 'up\n', stderr: '' },
    {
      host: 'db-1',
      error: {
        code: 'POLICY_DENIED',
        message: 'No rule grants it (rule (no rule)).',
        next: FAILURES.POLICY_DENIED.next,
      },
    },
    {
      host: 'web-2',
      error: { code: 'RATE_LIMITED', message: 'Too many.', next: FAILURES.RATE_LIMITED.next, retry_after_ms: 500 },
    },
    { host: 'web-3', command_id: ID, status: 'exited', exit_code: 3, duration_ms: 5, stdout: '', stderr: 'no\n' },
  ]);
  expect(manyText(results)).toBe(
    [
      '4 hosts: 1 exited 0, 1 POLICY_DENIED, 1 RATE_LIMITED, 1 exited 3',
      `exited 0 on web-1 after 12 ms (${ID})`,
      'stdout:',
      'up',
      '',
      `POLICY_DENIED on db-1: No rule grants it (rule (no rule)). ${FAILURES.POLICY_DENIED.next}`,
      `RATE_LIMITED on web-2: Too many. ${FAILURES.RATE_LIMITED.next}`,
      `exited 3 on web-3 after 5 ms (${ID})`,
      'stderr:',
      'no',
      '',
    ].join('\n'),
  );
  expect(manyFailure(results)).toBeUndefined();
});

test('a lost command has what is known of it, and the error', () => {
  const why = new Failure('CONNECTION_LOST', 'The link fell.');
  const { results } = manyResult([ranOn('web-1', 'half', '', { end: { how: 'lost', why }, durationMs: 1 })]);
  expect(results[0]).toMatchObject({ status: 'lost', stdout: 'half', error: { code: 'CONNECTION_LOST' } });
  expect(manyFailure(results)?.code).toBe('CONNECTION_LOST');
});

test('a command that turned out never to have been sent is a failure in its place', () => {
  const why = new Failure('UNREACHABLE', 'Nobody answers.');
  const { results } = manyResult([ranOn('web-1', '', '', { end: { how: 'lost', why, unsent: true }, durationMs: 1 })]);
  expect(results[0]).toMatchObject({ host: 'web-1', error: { code: 'UNREACHABLE' } });
});

test('the call has failed when it failed on every host, and says how on the first', () => {
  const { results } = manyResult([
    failedOn('a', new Failure('UNREACHABLE', 'Nobody answers.')),
    failedOn('b', new Failure('RATE_LIMITED', 'Too many.', { details: { retry_after_ms: 5 } })),
  ]);
  expect(manyFailure(results)?.text).toBe(
    `UNREACHABLE: It failed on all 2 hosts, on the first so: Nobody answers. ${FAILURES.UNREACHABLE.next}`,
  );
});

test('what goes on has its cursors, and the reader is told how to follow it', () => {
  const running: Standing = { end: undefined, durationMs: 30_000 };
  const waiting: Standing = { end: undefined, durationMs: 30_000, queued: 5 };
  const { results } = manyResult([ranOn('web-1', 'so far', '', running), ranOn('web-2', '', '', waiting)]);
  expect(results).toMatchObject([
    { status: 'running', stdout: 'so far', stdout_cursor: 6, stderr_cursor: 0 },
    { status: 'running', queued: 5, stdout_cursor: 0 },
  ]);
  const text = manyText(results);
  expect(text).toMatch(/^2 hosts: 1 running, 1 queued\n/);
  expect(text).toContain('What is running goes on: ssh_read_output');
  expect(text).toContain('What is queued was not sent yet');
});

test('a long output among short ones gets all that they leave', () => {
  const long = 'a line of output\n'.repeat(10_000);
  const { results } = manyResult([ranOn('a', 'short\n'), ranOn('b', long), ranOn('c', 'short\n', 'oops\n')]);
  const [a, b, c] = results;
  expect([a?.stdout, c?.stdout, c?.stderr]).toEqual(['short\n', 'short\n', 'oops\n']);
  expect(Object.keys(a ?? {})).not.toContain('stdout_omitted');
  expect(JSON.stringify(b).length).toBeGreaterThan(RESULT_CHARS * 0.85);
  expect(b?.stdout).toContain(`bytes left out; ssh_read_output continues at cursor ${b?.stdout_cursor}]`);
  expect(Buffer.byteLength(long)).toBeGreaterThan(b?.stdout_omitted ?? 0);
});

const PIECES = ['x', '"', '\n', '語', '😀', 'a line of output\n', '\u001b[31m'] as const;
const CODES: readonly FailureCode[] = ['POLICY_DENIED', 'UNREACHABLE', 'RATE_LIMITED', 'HOST_KEY_CHANGED'];

test('whatever hosts write and however many fail, both forms fit, and nobody gets less than its share', () => {
  const { below, pick, once } = dice(5_112_026);
  const text = (): string => pick(PIECES).repeat(below(10 ** below(5)));
  for (let round = 0; round < 150; round += 1) {
    const hosts = Array.from({ length: 1 + below(100) }, (_, index) =>
      `h${index}-${'n'.repeat(once(9) ? 120 : below(20))}`.slice(0, 128),
    );
    const parts = hosts.map(host =>
      once(5)
        ? failedOn(host, new Failure(pick(CODES), 'why '.repeat(1 + below(60))))
        : ranOn(host, text(), once(3) ? text() : ''),
    );
    const { results } = manyResult(parts);
    expect(results.map(({ host }) => host)).toEqual(hosts);
    expect(JSON.stringify({ results }).length).toBeLessThanOrEqual(RESULT_CHARS);
    expect(manyText(results).length).toBeLessThanOrEqual(RESULT_CHARS);
    const sizes = results.map(
      entry => JSON.stringify(entry.stdout ?? '').length + JSON.stringify(entry.stderr ?? '').length,
    );
    const cut = sizes.filter((_, index) => results[index]?.stdout_omitted || results[index]?.stderr_omitted);
    const whole = sizes.filter((_, index) => results[index]?.stdout_omitted === undefined);
    // The line that says what is left out, and characters that are whole, cost a little.
    if (cut.length > 0 && whole.length > 0 && Math.min(...cut) > 480)
      expect(Math.min(...cut)).toBeGreaterThan(Math.max(...whole) / 2);
  }
});

test('a cut output goes on at its cursor: what is shown and what is left out are the whole', () => {
  const parts = Array.from({ length: 90 }, (_, index) => ranOn(`web-${index}`, `語${index}"\n`.repeat(500)));
  for (const [index, entry] of manyResult(parts).results.entries()) {
    const bytes = Buffer.from(`語${index}"\n`.repeat(500));
    const shown = Buffer.from(entry.stdout ?? '');
    expect(bytes.subarray(0, entry.stdout_cursor).toString()).toBe(entry.stdout);
    expect(shown.length + (entry.stdout_omitted ?? 0)).toBe(bytes.length);
    expect(shown.length).toBeGreaterThan(50);
  }
});
