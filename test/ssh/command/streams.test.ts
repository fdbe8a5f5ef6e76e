import { describe, expect, test } from 'vitest';
import { Streams, type Tee } from '../../../src/ssh/command/streams.ts';
import { Redaction } from '../../../src/text/redact.ts';

const streams = (maxOutputBytes = 1_000_000, keepBytes = 4096, tee?: Tee): Streams =>
  new Streams({ keepBytes, maxOutputBytes, redaction: new Redaction(), ...(tee === undefined ? {} : { tee }) });

describe('both streams in the order of arrival', () => {
  test('are one text with cursors of its own', () => {
    const both = streams();
    for (const [stream, text] of [
      ['stdout', 'one\n'],
      ['stderr', 'TWO\n'],
      ['stdout', 'three\n'],
    ] as const)
      both.take(stream, Buffer.from(text));
    expect(both.both.read(0, 100)).toEqual({ text: 'one\nTWO\nthree\n', from: 0, next: 14, dropped: 0, more: false });
    expect(both.both.read(4, 4)).toEqual({ text: 'TWO\n', from: 4, next: 8, dropped: 0, more: true });
    expect([both.stdout.read(0, 100).text, both.stderr.read(0, 100).text]).toEqual(['one\nthree\n', 'TWO\n']);
  });

  test.each(['stdout', 'stderr'] as const)('are %s itself, as long as the other is silent', stream => {
    const both = streams();
    both.take(stream, Buffer.from('a'.repeat(10_000)));
    expect(both.both.length).toBe(10_000);
    expect(both.both.read(0, 20_000)).toEqual(both[stream].read(0, 20_000));
  });

  test('keep their cursors when the other one begins late, and what is kept is bounded', () => {
    const both = streams();
    both.take('stderr', Buffer.from('e'.repeat(10_000)));
    both.take('stdout', Buffer.from('o'.repeat(10_000)));
    both.take('stderr', Buffer.from('!'));
    expect(both.both.length).toBe(20_001);
    expect(both.both.read(0, 99_999)).toMatchObject({ text: 'e'.repeat(1024), next: 1024, more: true });
    expect(both.both.read(1024, 99_999)).toMatchObject({ text: `${'o'.repeat(3071)}!`, from: 16_929, dropped: 15_905 });
  });

  test('are whole characters, whoever writes between their bytes', () => {
    const both = streams();
    both.take('stdout', Buffer.from([0xe2, 0x82]));
    both.take('stderr', Buffer.from('x'));
    both.take('stdout', Buffer.from([0xac, 0x0d]));
    both.finish();
    expect(both.both.read(0, 100).text).toBe('x€\n');
  });

  test('tell who waits of every growth and of the end', async () => {
    const both = streams();
    const first = both.both.grown(0);
    both.take('stderr', Buffer.from('e'));
    await first;
    const second = both.both.grown(1);
    both.take('stdout', Buffer.from('o'));
    await second;
    const end = both.both.grown(2);
    both.finish();
    await end;
    expect(both.both.read(0, 10).text).toBe('eo');
  });
});

describe('a limit of both together', () => {
  test('is met by its last byte, and passed by the next', () => {
    const both = streams(10);
    expect(both.take('stdout', Buffer.from('12345'))).toBe(true);
    expect(both.take('stderr', Buffer.from('67890'))).toBe(true);
    expect([both.limit, both.discarded]).toEqual([undefined, 0]);
    expect(both.take('stdout', Buffer.from('x'))).toBe(false);
    expect(both.limit).toEqual({ maxBytes: 10, discarded: 1 });
    expect(both.both.read(0, 100).text).toBe('1234567890');
  });

  test('cuts the chunk that passes it, is told once, and counts what comes after', () => {
    const seen: string[] = [];
    const both = streams(4, 4096, (stream, text, raw) => seen.push(`${stream} ${text} ${raw.length}`));
    expect(both.take('stdout', Buffer.from('123456'))).toBe(false);
    expect(both.take('stderr', Buffer.from('789'))).toBe(true);
    both.discard(100);
    expect(both.limit).toEqual({ maxBytes: 4, discarded: 105 });
    expect(both.stdout.received()).toMatchObject({ bytes: 4 });
    expect(seen).toEqual(['stdout 1234 4']);
  });
});
