import { expect, test } from 'vitest';
import { logTo } from '../../src/cli/log.ts';
import type { LogLevel } from '../../src/cli/options.ts';
import { manualClock } from '../support/clock.ts';

const logged = (level: LogLevel, say: (log: ReturnType<typeof logTo>) => void): string => {
  const written: string[] = [];
  say(logTo({ clock: manualClock(), stderr: { write: text => void written.push(text), isTTY: false } }, level));
  return written.join('');
};

test.each([
  { level: 'error', said: ['error'] },
  { level: 'warn', said: ['error', 'warn'] },
  { level: 'info', said: ['error', 'warn', 'info'] },
  { level: 'debug', said: ['error', 'warn', 'info', 'debug'] },
] as const)('at $level it says $said', ({ level, said }) => {
  const text = logged(level, log => {
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log(each, each);
  });
  expect(text.match(/\w+(?=\s+sallyport:)/g)?.toSorted()).toEqual([...said].toSorted());
});

test('a line has its time, its level, its sentence and its fields', () => {
  expect(logged('info', log => log('warn', 'it is late', { host: 'web', ms: 3 }))).toBe(
    '2026-01-01T00:00:00.000Z warn  sallyport: it is late {"host":"web","ms":3}\n',
  );
});

test('one record is one line, whatever a host put into it', () => {
  const text = logged('warn', log => log('warn', 'a\nb\u001b[2Jc\u202ed', { server: 'SSH\r\n\u009b31m' }));
  expect(text).toBe(
    '2026-01-01T00:00:00.000Z warn  sallyport: a\\nb\\u{1b}[2Jc\\u{202e}d {"server":"SSH\\r\\n\\u{9b}31m"}\n',
  );
});
