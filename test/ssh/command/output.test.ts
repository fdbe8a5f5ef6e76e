import { describe, expect, test } from 'vitest';
import { Capture } from '../../../src/ssh/command/output.ts';
import { Redaction } from '../../../src/text/redact.ts';

const state = async (promise: Promise<unknown>): Promise<'settled' | 'pending'> =>
  Promise.race([
    promise.then(() => 'settled' as const),
    new Promise<'pending'>(resolve => setImmediate(() => resolve('pending'))),
  ]);

describe('a captured stream', () => {
  test('is hashed as received and read as safe text', () => {
    const output = new Capture();
    output.receive(Buffer.from('\x1b[31mred\x1b[0m\r\n'));
    output.receive(Buffer.from([0xe2, 0x82]));
    output.receive(Buffer.from([0xac, 0xff]));
    output.finish();
    expect(output.read(0, 100)).toEqual({ text: 'red\n€\ufffd', from: 0, next: 10, dropped: 0, more: false });
    expect(output.length).toBe(10);
    expect(output.received()).toEqual({
      bytes: 18,
      sha256: '7f642b66eaa3a90610157db233c1b43966ada2dffcd344568769debf47ee603d',
    });
  });

  test('what an unfinished sequence held is there after the end', () => {
    const output = new Capture();
    output.receive(Buffer.from('a\x1b]0;b'));
    expect(output.read(0, 100).text).toBe('a');
    output.finish();
    expect(output.read(0, 100).text).toBe('a\\u{1b}]0;b');
  });

  test('keeps a bounded part of a flood, and counts all of it', () => {
    const output = new Capture(10_000);
    const line = Buffer.from('y\n'.repeat(5000));
    for (let round = 0; round < 100; round++) output.receive(line);
    expect(output.length).toBe(1_000_000);
    expect(output.received().bytes).toBe(1_000_000);
    expect(output.read(0, 1_000_000).next).toBe(2500);
    expect(output.read(2500, 1_000_000)).toMatchObject({ from: 992_500, dropped: 990_000, next: 1_000_000 });
  });
});

describe('a stream with a secret in it', () => {
  const redaction = new Redaction();
  redaction.add('correct-horse');

  test('is freed of it across chunks, after what hides in it was made visible', () => {
    const output = new Capture(10_000, redaction);
    expect(output.receive(Buffer.from('pass: correct'))).toBe('pass: ');
    expect(output.receive(Buffer.from('\x1b[1m-hor'))).toBe('');
    expect(output.receive(Buffer.from('se\x1b[m\ncor'))).toBe('[redacted]\n');
    expect(output.finish()).toBe('cor');
    expect(output.read(0, 100).text).toBe('pass: [redacted]\ncor');
  });

  test('has no hash by which the secret could be guessed', () => {
    const output = new Capture(10_000, redaction);
    output.receive(Buffer.from('correct-horse correct-horse\n'));
    expect(output.received()).toEqual({ bytes: 28, redacted: 2 });
  });
});

test('binary data is known as such, however short', () => {
  const output = new Capture();
  output.receive(Buffer.from('text'));
  expect(output.binary).toBe(false);
  output.receive(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]));
  expect(output.binary).toBe(true);
});

describe('waiting for growth', () => {
  test('ends at once when there is more already', async () => {
    const output = new Capture();
    output.receive(Buffer.from('abc'));
    expect(await state(output.grown(2))).toBe('settled');
  });

  test('ends when bytes after the cursor come, not before', async () => {
    const output = new Capture();
    const grown = output.grown(3);
    output.receive(Buffer.from('abc'));
    expect(await state(grown)).toBe('pending');
    output.receive(Buffer.from('d'));
    expect(await state(grown)).toBe('settled');
  });

  test('ends when the stream does', async () => {
    const output = new Capture();
    const grown = output.grown(0);
    expect(await state(grown)).toBe('pending');
    output.finish();
    expect(await state(grown)).toBe('settled');
    expect(await state(output.grown(99))).toBe('settled');
  });
});
