import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readKey } from '../../src/audit/key.ts';
import { openAudit } from '../../src/audit/log.ts';
import { sealTornTails } from '../../src/audit/recover.ts';
import { type Finding, type Verdict, verify } from '../../src/audit/verify.ts';
import { memoryStore } from '../../src/state/memory.ts';
import type { Head, Store } from '../../src/state/store.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { admitted, ended } from './records.ts';

type Place = {
  readonly folder: string;
  readonly key: KeyObject;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly heads: () => Promise<readonly Head[]>;
  /** Paths of the files, oldest first. */
  readonly files: readonly string[];
};

const CALLS = 3;

/** As many files as asked for, each with a beginning, three calls and an end: eight records. */
const written = async (place: TempFolder, files = 1, close = true): Promise<Place> => {
  const clock = manualClock();
  const store = memoryStore(clock);
  const [folder, keyFile] = [join(place.path, 'audit'), join(place.path, 'audit.key')];
  for (let file = 0; file < files; file++) {
    const audit = await openAudit({ folder, keyFile, clock, store, log: () => undefined, random: randomBytes });
    for (let call = 0; call < CALLS; call++) {
      await audit.admit(admitted(`${file}.${call}`));
      audit.note(ended(`${file}.${call}`));
    }
    await audit.admit(admitted('last'));
    if (close) audit.close();
    clock.advance(10_000);
  }
  const names = readdirSync(folder).sort();
  const key = readKey(keyFile, undefined);
  return { folder, key, store, clock, heads: store.heads, files: names.map(name => join(folder, name)) };
};

const verdictOf = async ({ folder, key, heads }: Place): Promise<Verdict> => verify(folder, key, await heads());

const first = ({ files: [path = ''] }: Place): string => path;
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');
const write = (path: string, lines: readonly string[]): void =>
  writeFileSync(path, lines.map(line => `${line}\n`).join(''));

const LENGTH = 9;

test('a record that nobody touched has neither problems nor notes', async () => {
  await using place = await tempFolder();
  expect(await verdictOf(await written(place, 3))).toEqual({ files: 3, records: 3 * LENGTH, problems: [], notes: [] });
});

test('every byte that is changed, in any way, is found, with its line', async () => {
  await using place = await tempFolder();
  const made = await written(place);
  const path = first(made);
  const bytes = readFileSync(path);
  const heads = await made.heads();
  let line = 1;
  for (let at = 0; at < bytes.length; at++) {
    for (const change of at % 3 === 0 ? [1, 0x80] : [0x20]) {
      const changed = Buffer.from(bytes);
      changed[at] = (bytes[at] ?? 0) ^ change;
      writeFileSync(path, changed);
      const { problems } = await verify(made.folder, made.key, heads);
      expect(problems.map(problem => [at, problem.line])).toEqual([[at, line]]);
    }
    if (bytes[at] === 0x0a) line += 1;
  }
}, 60_000);

test('a cut at every byte is found: the state store knows where the file ended', async () => {
  await using place = await tempFolder();
  const made = await written(place);
  const path = first(made);
  const bytes = readFileSync(path);
  const heads = await made.heads();
  for (let length = bytes.length - 1; length >= 0; length -= length % 7 === 0 ? 1 : 3) {
    truncateSync(path, length);
    const { problems } = await verify(made.folder, made.key, heads);
    const whole = bytes.subarray(0, length).toString().split('\n').length - 1;
    expect(problems).toEqual([
      {
        file: nameOf(path),
        line: whole + 1,
        what: `cut: the file ends with record ${whole}, and record ${LENGTH} was written`,
      },
    ]);
  }
}, 60_000);

const EDITS: readonly {
  readonly title: string;
  readonly edit: (lines: string[]) => readonly string[];
  readonly found: Omit<Finding, 'file'>;
}[] = [
  {
    title: 'a value that is edited',
    edit: lines => lines.map((line, index) => (index === 3 ? line.replace('uptime', 'reboot') : line)),
    found: { line: 4, what: 'edited: this line is not as it was written' },
  },
  {
    title: 'a first line that is edited',
    edit: lines => lines.map((line, index) => (index === 0 ? line.replace('started', 'stopped') : line)),
    found: { line: 1, what: 'edited: this line is not as it was written, or was written with another key' },
  },
  {
    title: 'a record that is taken out',
    edit: lines => lines.toSpliced(4, 1),
    found: { line: 5, what: 'cut: record 5 and what followed it, up to record 6, are missing' },
  },
  {
    title: 'a beginning that is taken out',
    edit: lines => lines.slice(2),
    found: { line: 1, what: 'cut: record 1 and what followed it, up to record 3, are missing' },
  },
  {
    title: 'two records that are swapped',
    edit: lines => lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? ''),
    found: { line: 3, what: 'swapped: record 4 stands where record 3 was' },
  },
  {
    title: 'a record that is repeated',
    edit: lines => lines.toSpliced(5, 0, lines[4] ?? ''),
    found: { line: 6, what: 'repeated: record 5 stands where record 6 was' },
  },
  {
    title: 'an empty line',
    edit: lines => lines.toSpliced(5, 0, ''),
    found: { line: 6, what: 'edited: this line is not as it was written' },
  },
  {
    title: 'a forged line at the end',
    edit: lines => [...lines, '{"v":1,"seq":10,"event":"admitted","prev":"","mac":""}'],
    found: { line: 10, what: 'edited: this line is not as it was written' },
  },
  {
    title: 'zeros in the middle',
    edit: lines => lines.map((line, index) => (index === 4 ? '\u0000'.repeat(line.length) : line)),
    found: { line: 5, what: 'edited: this line is not as it was written' },
  },
  {
    title: 'zeros at the end',
    edit: lines => lines.map((line, index) => (index === 8 ? '\u0000'.repeat(line.length) : line)),
    found: { line: 9, what: 'cut: the file ends with record 8, and record 9 was written' },
  },
];

describe('what is done to one file', () => {
  test.each(EDITS)('$title is named with its line', async ({ edit, found }) => {
    await using place = await tempFolder();
    const made = await written(place, 2);
    write(first(made), edit(linesOf(first(made))));
    expect((await verdictOf(made)).problems).toEqual([{ file: nameOf(first(made)), ...found }]);
  });

  test('everything that is appended to a closed file is found', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    appendFileSync(first(made), 'x\n');
    expect((await verdictOf(made)).problems).toMatchObject([
      { line: LENGTH + 1, what: 'edited: this line is not as it was written' },
    ]);
  });

  test('another key is told from an edit as far as it can be', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    const { problems } = await verify(made.folder, createSecretKey(randomBytes(32)), await made.heads());
    expect(problems).toMatchObject([{ line: 1, what: expect.stringContaining('another key') }]);
  });

  test('a record that was written anew with the right key is not the one that the state store knows', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    const heads = [{ file: nameOf(first(made)), seq: 3, mac: 'A'.repeat(43) }];
    expect((await verify(made.folder, made.key, heads)).problems).toEqual([
      { file: nameOf(first(made)), line: 3, what: 'swapped: this is not the record 3 that was written' },
    ]);
  });

  test('a file in whose place a link stands is not read', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    renameSync(first(made), join(place.path, 'aside'));
    symlinkSync(join(place.path, 'aside'), first(made));
    expect((await verdictOf(made)).problems).toEqual([
      { file: nameOf(first(made)), line: 0, what: 'swapped: this is not a plain file' },
    ]);
  });
});

describe('what is done to several files', () => {
  test('two files that are swapped are both named', async () => {
    await using place = await tempFolder();
    const made = await written(place, 2);
    const [one = '', two = ''] = made.files;
    renameSync(one, `${one}.x`);
    renameSync(two, one);
    renameSync(`${one}.x`, two);
    expect((await verdictOf(made)).problems).toEqual(
      [one, two].map(path => ({
        file: nameOf(path),
        line: 1,
        what: 'swapped: this file was written under another name',
      })),
    );
  });

  test('a record of one file in the other is named in both', async () => {
    await using place = await tempFolder();
    const made = await written(place, 2);
    const [one = '', two = ''] = made.files;
    const [a, b] = [linesOf(one), linesOf(two)];
    write(one, a.toSpliced(4, 1, b[4] ?? ''));
    write(two, b.toSpliced(4, 1, a[4] ?? ''));
    expect((await verdictOf(made)).problems).toEqual(
      [one, two].map(path => ({ file: nameOf(path), line: 5, what: 'swapped: record 5 is one of another file' })),
    );
  });

  test('a file that is deleted is missed', async () => {
    await using place = await tempFolder();
    const made = await written(place, 2);
    rmSync(first(made));
    expect((await verdictOf(made)).problems).toEqual([
      { file: nameOf(first(made)), line: 0, what: `missing: a file of at least ${LENGTH} records is gone` },
    ]);
  });

  test('a file that the state store does not know is noted, for its end is vouched for by nothing', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    expect(await verify(made.folder, made.key, [])).toEqual({
      files: 1,
      records: LENGTH,
      problems: [],
      notes: [
        { file: nameOf(first(made)), line: LENGTH + 1, what: 'unvouched: the state store does not know its end' },
      ],
    });
  });

  test('what is not a file of the record is left alone', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    writeFileSync(join(made.folder, 'README.txt'), 'mine');
    mkdirSync(join(made.folder, 'old'));
    expect((await verdictOf(made)).problems).toEqual([]);
  });
});

describe('torn tails', () => {
  const torn = async (place: TempFolder): Promise<Place> => {
    const made = await written(place, 1, false);
    appendFileSync(first(made), '{"v":1,"seq":9,"ti');
    return made;
  };
  const seal = ({ folder, key, store, clock }: Place): Promise<readonly string[]> =>
    sealTornTails({ folder, key, store, clock, random: randomBytes });
  const RECORDS = LENGTH - 1;

  test('a tail that a crash tore is a note, not a problem, and says when it is sealed', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    const note = (state: string) => [
      { file: nameOf(first(made)), line: RECORDS + 1, what: `torn: 18 bytes of an unfinished write (${state})` },
    ];
    expect(await verdictOf(made)).toMatchObject({
      problems: [],
      notes: note('not sealed yet: its process has just died, or is writing'),
    });
    const before = readFileSync(first(made));
    expect(await seal(made)).toEqual([nameOf(first(made))]);
    expect(readFileSync(first(made))).toEqual(before);
    expect(await verdictOf(made)).toEqual({ files: 2, records: RECORDS + 1, problems: [], notes: note('sealed') });
  });

  test('many that seal at once make one seal', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    const sealed = await Promise.all(Array.from({ length: 8 }, () => seal(made)));
    expect(sealed.flat()).toEqual([nameOf(first(made))]);
    expect(await seal(made)).toEqual([]);
    expect(readdirSync(made.folder).length).toBe(2);
    expect((await verdictOf(made)).problems).toEqual([]);
  });

  test('a process that starts seals what it finds', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    const { folder, clock, store } = made;
    const sealed = new Promise<void>(resolve => {
      const setHead = async (head: Head): Promise<void> => {
        await store.setHead(head);
        if (head.file.endsWith('.sealed.jsonl')) resolve();
      };
      void openAudit({
        folder,
        keyFile: join(place.path, 'audit.key'),
        clock,
        store: { ...store, setHead },
        log: () => undefined,
        random: randomBytes,
      }).then(audit => audit.close());
    });
    await sealed;
    expect((await verdictOf(made)).notes).toMatchObject([{ what: 'torn: 18 bytes of an unfinished write (sealed)' }]);
  });

  test('a whole record that is cut off as if a crash had torn it is still missed', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    const bytes = readFileSync(first(made));
    truncateSync(first(made), bytes.length - 30);
    expect((await verdictOf(made)).problems).toMatchObject([
      { line: LENGTH, what: `cut: the file ends with record ${LENGTH - 1}, and record ${LENGTH} was written` },
    ]);
  });

  test('a seal shows a later cut even where the state store knows nothing', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    await seal(made);
    write(first(made), linesOf(first(made)).slice(0, 4));
    const { problems } = await verify(made.folder, made.key, []);
    expect(problems).toMatchObject([
      { line: 5, what: `cut: the file ends with record 4, and record ${RECORDS} was written` },
    ]);
  });

  test('the seal of a file whose writer went on means nothing', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    await seal(made);
    const whole = await written(place, 0);
    const bytes = readFileSync(first(made));
    truncateSync(first(made), bytes.length - 18);
    expect((await verdictOf(whole)).problems).toEqual([]);
  });

  test('a seal that is deleted is missed', async () => {
    await using place = await tempFolder();
    const made = await torn(place);
    await seal(made);
    rmSync(first(made).replace('.jsonl', '.sealed.jsonl'));
    expect((await verdictOf(made)).problems).toMatchObject([
      { line: 0, what: 'missing: a file of at least 1 record is gone' },
    ]);
  });

  test('zeros before what the state store vouches for, or where it knows nothing, are an edit', async () => {
    await using place = await tempFolder();
    const made = await written(place);
    const zeroed = linesOf(first(made)).map((line, index) => (index === 5 ? '\u0000'.repeat(line.length) : line));
    write(first(made), zeroed);
    for (const heads of [await made.heads(), []])
      expect((await verify(made.folder, made.key, heads)).problems).toMatchObject([
        { line: 6, what: 'edited: this line is not as it was written' },
      ]);
  });

  test('zeros that a power cut left at the end are a torn tail', async () => {
    await using place = await tempFolder();
    const made = await written(place, 1, false);
    appendFileSync(first(made), Buffer.concat([Buffer.from('{"v":1,'), Buffer.alloc(505), Buffer.from('"}\n')]));
    expect(await verdictOf(made)).toMatchObject({
      problems: [],
      notes: [{ what: expect.stringContaining('torn: 515 bytes') }],
    });
  });
});
