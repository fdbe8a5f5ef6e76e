import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_CHARS, Redaction, Redactor, redacted } from '../../src/text/redact.ts';
import { Safe } from '../../src/text/safe.ts';
import { spellingsOf } from '../../src/text/spellings.ts';

const knowing = (...secrets: string[]): Redaction => {
  const redaction = new Redaction();
  for (const secret of secrets) redaction.add(secret);
  return redaction;
};

/** A stream in pieces that end at the given places, as a command's output takes it. */
const read = (redaction: Redaction, bytes: Uint8Array, cuts: readonly number[] = []): string => {
  const [safe, redactor] = [new Safe(), new Redactor(redaction)];
  const ends = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const parts = [...ends, bytes.length].map((end, index) =>
    redactor.push(safe.bytes(Uint8Array.from(bytes.subarray(ends[index - 1] ?? 0, end)))).toString('utf8'),
  );
  return parts.join('') + redactor.push(Buffer.from(safe.end())).toString('utf8') + redactor.end().toString('utf8');
};

const every = (bytes: Uint8Array): number[] => Array.from(bytes.keys());

const SECRET = 'hunter2 & "Pass/w0rd" §';
const FOUND: readonly (readonly [what: string, text: string | Uint8Array])[] = [
  ['as it is', SECRET],
  ['coloured in the middle', 'hunter2 \x1b[01;31m& "Pass\x1b[m\x1b[K/w0rd" §'],
  ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
  ['in JSON with escaped slashes', 'hunter2 & \\"Pass\\/w0rd\\" §'],
  ['in JSON of ASCII alone', 'hunter2 & \\"Pass/w0rd\\" \\u00a7'],
  ['in JSON for HTML', 'hunter2 \\u0026 \\"Pass/w0rd\\" §'],
  ['in HTML', 'hunter2 &amp; &quot;Pass/w0rd&quot; §'],
  ['quoted by backslashes', 'hunter2\\ \\&\\ \\"Pass/w0rd\\"\\ §'],
  ['in double quotes', 'hunter2 & \\"Pass/w0rd\\" §'],
  ['percent-encoded', encodeURIComponent(SECRET)],
  ['percent-encoded in lower case', encodeURIComponent(SECRET).toLowerCase().replace('pass', 'Pass')],
  ['percent-encoded as a whole URL is', encodeURI(SECRET)],
  ['form-encoded', new URLSearchParams({ a: SECRET }).toString().slice(2)],
  ['percent-encoded byte by byte', Buffer.from(SECRET).toString('hex').replaceAll(/../g, '%$&')],
  ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
  ['in capital hexadecimal', Buffer.from(SECRET).toString('hex').toUpperCase()],
  ['in UTF-16LE', Buffer.from(SECRET, 'utf16le')],
  ['in UTF-16BE', Buffer.from(SECRET, 'utf16le').swap16()],
];

describe('a secret is redacted', () => {
  test.each(FOUND)('%s', (_what, text) => {
    const redaction = knowing(SECRET);
    const bytes = Buffer.concat([
      Buffer.from('>'),
      typeof text === 'string' ? Buffer.from(text) : text,
      Buffer.from('<'),
    ]);
    expect(read(redaction, bytes)).toBe('>[redacted]<');
    for (const cut of every(bytes)) expect(read(redaction, bytes, [cut])).toBe('>[redacted]<');
    expect(read(redaction, bytes, every(bytes))).toBe('>[redacted]<');
  });

  test.each([
    ['base64', ''],
    ['base64', '1'],
    ['base64', '12'],
    ['base64url', ''],
    ['base64url', '1'],
    ['base64url', '12'],
  ] as const)('within something in %s, %j before it', (alphabet, before) => {
    const whole = Buffer.from(`${before}${SECRET}?after`).toString(alphabet);
    const redaction = knowing(SECRET);
    const shown = read(redaction, Buffer.from(whole));
    expect(shown).toMatch(/^.{0,4}\[redacted\].{4,12}$/);
    expect(Buffer.from(shown.replace(/\[redacted\].*/, ''), 'base64').toString('latin1')).not.toContain('hu');
    const wrapped = Buffer.from(whole.replaceAll(/.{7}/g, '$&\r\n'));
    expect(read(redaction, wrapped)).toMatch(/^.{0,4}\[redacted\][\s\S]{4,14}$/);
    for (const cut of every(wrapped)) expect(read(redaction, wrapped, [cut])).toBe(read(redaction, wrapped));
    expect(read(redaction, wrapped, every(wrapped))).toBe(read(redaction, wrapped));
  });

  test('in base64 of UTF-16, as PowerShell takes its commands', () => {
    const whole = Buffer.from(`x ${SECRET} y`, 'utf16le').toString('base64');
    expect(read(knowing(SECRET), Buffer.from(whole))).toMatch(/^.{4,8}\[redacted\].{4,9}$/);
  });

  test.each([
    ["it's-a-secret", "it'\\''s-a-secret"],
    ["it's-a-secret", `it'"'"'s-a-secret`],
    ["it's-a-secret", "it\\'s-a-secret"],
    ['two\nlines here', 'two\r\nlines here'],
    ['tab\there\u0001', 'tab\\there\\u0001'],
  ])('%j written as %j', (secret, text) => {
    expect(read(knowing(secret), Buffer.from(text))).toBe('[redacted]');
  });

  test('each time, with what is around it untouched', () => {
    const redaction = knowing('abcdef', 'secret-two');
    expect(read(redaction, Buffer.from('abcdefabcdef, secret-twosecret-tw abcde\n'))).toBe(
      '[redacted][redacted], [redacted]secret-tw abcde\n',
    );
  });

  test('where two overlap, as one', () => {
    const redaction = knowing('abcdef', 'defghi', 'abcdefgh');
    const bytes = Buffer.from('xabcdefghix abcdefgx');
    expect(read(redaction, bytes)).toBe('x[redacted]x [redacted]gx');
    expect(read(redaction, bytes, every(bytes))).toBe('x[redacted]x [redacted]gx');
  });

  test('as a whole, when another one is its beginning', () => {
    for (const redaction of [knowing('abcdef', 'abcdefgh'), knowing('abcdefgh', 'abcdef')]) {
      const bytes = Buffer.from('abcdefghx abcdefg');
      expect(read(redaction, bytes)).toBe('[redacted]x [redacted]g');
      expect(read(redaction, bytes, every(bytes))).toBe('[redacted]x [redacted]g');
    }
  });

  test('in hexadecimal with every digit on a line of its own', () => {
    const lines = Buffer.from('hunter2').toString('hex').replaceAll(/./g, '$&\n');
    expect(read(knowing('hunter2'), Buffer.from(lines))).toBe('[redacted]\n');
  });

  test('also when it is learned while the stream goes on', () => {
    const redaction = new Redaction();
    const redactor = new Redactor(redaction);
    expect(redactor.push(Buffer.from('sesame-1 ')).toString()).toBe('sesame-1 ');
    redaction.add('sesame-1');
    expect(redactor.push(Buffer.from('sesame-1 ses')).toString()).toBe('[redacted] ');
    expect(redactor.end().toString()).toBe('ses');
    expect(redactor.found).toBe(1);
  });

  test('in a whole text', () => {
    expect(redacted(knowing('abcdef'), 'mysql -pabcdef -uroot')).toBe('mysql -p[redacted] -uroot');
    expect(redacted(new Redaction(), 'mysql -pabcdef')).toBe('mysql -pabcdef');
  });
});

describe('what is not redacted', () => {
  test.each(['short', '', 'über'])('%j, which is too short', secret => {
    const redaction = knowing(secret);
    expect(redaction.empty).toBe(true);
    expect(read(redaction, Buffer.from(`>${secret}<`))).toBe(`>${secret}<`);
  });

  test('six bytes are enough', () => {
    expect(read(knowing('üüü'), Buffer.from('üüü'))).toBe('[redacted]');
  });

  test('the rest of what no host takes as a password', () => {
    const long = Array.from({ length: 500 }, (_, index) => `${index}.`).join('');
    expect(read(knowing(long), Buffer.from(`${long}y`))).toBe(`[redacted]${long.slice(LONGEST_CHARS)}y`);
    expect(read(knowing(`${'a'.repeat(LONGEST_CHARS - 1)}😀`), Buffer.from('a'.repeat(LONGEST_CHARS - 1)))).toBe(
      '[redacted]',
    );
  });

  test('what was learned long before very many others', () => {
    const redaction = knowing('the-very-first', 'in-daily-use');
    for (let index = 0; index < 1500; index += 1) {
      redaction.add(`token-${index}-of-many`);
      if (index % 100 === 0) redaction.add('in-daily-use');
    }
    expect(read(redaction, Buffer.from('the-very-first in-daily-use token-1499-of-many token-900-of-many'))).toBe(
      'the-very-first [redacted] [redacted] [redacted]',
    );
  });
});

test('without anything to redact, the bytes are passed on as they are', () => {
  const bytes = Buffer.from('text');
  expect(new Redactor(new Redaction()).push(bytes)).toBe(bytes);
});

test('line ends without end cannot be held back as the inside of something wrapped', () => {
  const redactor = new Redactor(knowing('abcdef'));
  const hex = Buffer.from('abcdef').toString('hex');
  expect(redactor.push(Buffer.from(`${hex.slice(0, 6)}\n`)).length).toBe(0);
  expect(redactor.push(Buffer.from('\n')).toString()).toBe(`${hex.slice(0, 6)}\n\n`);
});

describe('whatever the stream', () => {
  const secrets = ['hunter2!', 'hunter', 'aaaaaaab', 'ünïcödé/+?', '2!hunt'] as const;
  const pieces = secrets.flatMap(secret => {
    const { plain, wrapped } = spellingsOf(secret);
    return [...plain, ...wrapped].map(bytes => Buffer.from(bytes));
  });
  const piece = fc.oneof(
    fc.constantFrom(...pieces),
    fc.constantFrom('h', 'hu', '2!', 'aaaa', '\n', '\r\n', ' ', '%', '\\u00', '\x1b[1m', 'x', 'NmQ').map(Buffer.from),
    fc.tuple(fc.constantFrom(...pieces), fc.nat(40)).map(([bytes, end]) => bytes.subarray(0, end)),
  );
  const stream = fc.array(piece, { maxLength: 10 }).map(parts => Buffer.concat(parts));

  test('where its chunks are cut does not matter', () => {
    const redaction = knowing(...secrets);
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 10 }), (bytes, cuts) => {
        expect(read(redaction, bytes, cuts)).toBe(read(redaction, bytes));
      }),
      { numRuns: 1500 },
    );
  });

  test('nothing of it stays that could be read as a secret', () => {
    const redaction = knowing(...secrets);
    fc.assert(
      fc.property(stream, bytes => {
        const shown = read(redaction, bytes);
        for (const secret of secrets) expect(shown).not.toContain(secret);
        expect(shown.replaceAll('\n', '')).not.toContain(Buffer.from('hunter').toString('hex'));
      }),
      { numRuns: 1500 },
    );
  });

  test('what has nothing of a secret in it is not changed', () => {
    const redaction = knowing('#secret#');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('#', 's', 'e', 'c', 'r', 'x', '\n') }), text => {
        fc.pre(!text.includes('#secret#'));
        expect(read(redaction, Buffer.from(text))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});
