import { expect, test } from 'vitest';
import { codeOf, sources } from './source.ts';

/** Where a cast or an escape is allowed, and why nothing else would do. */
const SEAMS: Readonly<Record<string, string>> = {};

const files = sources('src');

const found = (pattern: RegExp): readonly string[] =>
  files
    .filter(file => SEAMS[file.path] === undefined)
    .flatMap(file =>
      codeOf(file.text)
        .split('\n')
        .map((line, index) => ({ line, at: `${file.path}:${index + 1}` }))
        .filter(({ line }) => pattern.test(line))
        .map(({ line, at }) => `${at} ${line.trim()}`),
    );

const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a cast with as', pattern: /(?<!\*|import \{[^}]*|export \{[^}]*|\btype \w+|^\s*\w+)\sas\s(?!const\b)\w/ },
  { what: 'any', pattern: /(:|<|\||&|\bas)\s*any\b/ },
  { what: 'a non-null assertion', pattern: /[\w)\]]!(?=[.;,)\]\s[]|$)(?!=)/ },
  { what: 'a TypeScript escape', pattern: /@ts-(ignore|nocheck|expect-error)/ },
  { what: 'an enum or a namespace', pattern: /^\s*(export\s+)?(const\s+)?(enum|namespace)\s/ },
  { what: 'a keyword that erasable syntax has a private field for', pattern: /^\s*(private|protected|public)\s/ },
];

for (const { what, pattern } of FORBIDDEN)
  test(`no file of src holds ${what}`, () => {
    expect(found(pattern)).toEqual([]);
  });

test('the escapes are found when they are there', () => {
  const samples = ['const a = b as Thing;', 'let a: any;', 'a!.b', 'enum A {', '  private a = 1;'];
  const caught = samples.map(line => FORBIDDEN.some(({ pattern }) => pattern.test(line)));
  expect(caught).toEqual([true, true, true, true, true]);
});

test('no file of src is longer than 250 lines, and the median is under 130', () => {
  expect(files.filter(file => file.lines.length > 251).map(file => `${file.path} ${file.lines.length}`)).toEqual([]);
  const sizes = files.map(file => file.lines.length).sort((a, b) => a - b);
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(130);
});

test('no function of src is longer than 40 lines', () => {
  const long = files.flatMap(file => functionsOf(codeOf(file.text)).map(one => ({ ...one, path: file.path })));
  expect(long.filter(({ length }) => length > 40).map(({ path, line, length }) => `${path}:${line} ${length}`)).toEqual(
    [],
  );
});

/** Functions by their braces: a line that opens a body and the line that closes it at the same depth. */
function functionsOf(code: string): readonly { readonly line: number; readonly length: number }[] {
  const opens = /(=>|\)|\)\s*:\s*[^={]+)\s*\{\s*$/;
  const control = /^\s*(\}\s*)?(if|for|while|switch|else|try|catch|finally|do)\b|^\s*\}\s*(else|catch|finally)\b/;
  const lines = code.split('\n');
  return lines.flatMap((text, start) => {
    if (!opens.test(text) || control.test(text) || /^\s*(export\s+)?(abstract\s+)?class\b/.test(text)) return [];
    let depth = 0;
    for (let index = start; index < lines.length; index += 1) {
      for (const character of lines[index] ?? '') depth += character === '{' ? 1 : character === '}' ? -1 : 0;
      if (depth <= 0) return [{ line: start + 1, length: index - start + 1 }];
    }
    return [];
  });
}

test('process is touched only by main and the command line', () => {
  const wrong = files
    .filter(file => !/^src\/(main\.ts|cli\/)/.test(file.path))
    .filter(file => /(?<![\w.])process\./.test(codeOf(file.text)))
    .map(file => file.path);
  expect(wrong).toEqual([]);
});

test('the clock and chance are injected, never read', () => {
  const wrong = files
    .filter(file => !/^src\/(main\.ts|cli\/)/.test(file.path))
    .filter(file =>
      /Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomBytes\(|randomUUID\(/.test(codeOf(file.text)),
    )
    .map(file => file.path);
  expect(wrong).toEqual([]);
});

test('every export of src has a docstring', () => {
  const bare = files.flatMap(file =>
    file.lines.flatMap((line, index) => {
      if (!/^export (const|function|class|type|async function|abstract class) /.test(line)) return [];
      return /\*\/\s*$/.test(file.lines[index - 1] ?? '') ? [] : [`${file.path}:${index + 1} ${line.slice(0, 60)}`];
    }),
  );
  expect(bare).toEqual([]);
});

test('no comment of src tells history or leaves work behind', () => {
  const wrong = files.flatMap(file =>
    file.lines.flatMap((line, index) =>
      /\b(TODO|FIXME|XXX|used to be|previously)\b/.test(line) && /(\/\/|\*)/.test(line)
        ? [`${file.path}:${index + 1}`]
        : [],
    ),
  );
  expect(wrong).toEqual([]);
});
