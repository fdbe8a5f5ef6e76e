import { describe, expect, test } from 'vitest';
import { withMember, withoutMember } from '../../src/text/json-edit.ts';
import { readJson } from '../../src/text/json-source.ts';

const WEB = { address: '10.0.0.5', user: 'deploy' };
const NEW = '"web": { "address": "10.0.0.5", "user": "deploy" }';

describe('a member is added in the way of its neighbours', () => {
  test.each([
    [
      'lines',
      '{\n  "hosts": {\n    "a": { "x": 1 }\n  }\n}\n',
      `{\n  "hosts": {\n    "a": { "x": 1 },\n    ${NEW}\n  }\n}\n`,
    ],
    [
      'CRLF',
      '{\r\n\t"hosts": {\r\n\t\t"a": {}\r\n\t}\r\n}\r\n',
      `{\r\n\t"hosts": {\r\n\t\t"a": {},\r\n\t\t${NEW}\r\n\t}\r\n}\r\n`,
    ],
    ['one line', '{ "hosts": { "a": 1 }, "b": 2 }', `{ "hosts": { "a": 1, ${NEW} }, "b": 2 }`],
    [
      'a comment on the line',
      '{\n  "hosts": {\n    "a": 1 // first\n  }\n}',
      `{\n  "hosts": {\n    "a": 1, // first\n    ${NEW}\n  }\n}`,
    ],
    [
      'comments behind',
      '{\n  "hosts": {\n    "a": 1 /* x */\n\n    // "c": 3\n  }\n}',
      `{\n  "hosts": {\n    "a": 1, /* x */\n    ${NEW}\n\n    // "c": 3\n  }\n}`,
    ],
    [
      'a comment of lines',
      '{\n "hosts": {\n  "a": 1 /* x\n  y */\n }}',
      `{\n "hosts": {\n  "a": 1, /* x\n  y */\n  ${NEW}\n }}`,
    ],
    [
      'a line of several',
      '{ "hosts": { "a": 1,\n  "b": 2, "c": 3 // last\n} }',
      `{ "hosts": { "a": 1,\n  "b": 2, "c": 3, // last\n  ${NEW}\n} }`,
    ],
    ['no member, one line', '{"hosts":{}}', `{"hosts":{ ${NEW} }}`],
    ['no member', '{\n  "hosts": {}\n}', `{\n  "hosts": {\n    ${NEW}\n  }\n}`],
    ['no member, lines', '{\n\t"hosts": {\n\t}\n}', `{\n\t"hosts": {\n\t\t${NEW}\n\t}\n}`],
    ['only a comment', '{\n  "hosts": {\n    // "a": 1\n  }\n}', `{\n  "hosts": {\n    // "a": 1\n    ${NEW}\n  }\n}`],
    ['only a comment within', '{ "hosts": { /* none */ } }', `{ "hosts": { /* none */ ${NEW} } }`],
    ['a comment at the brace', '{\n  "hosts": { // mine\n  }\n}', `{\n  "hosts": { // mine\n    ${NEW}\n  }\n}`],
    [
      'open neighbours',
      '{\n  "hosts": {\n    "a": {\n      "x": 1\n    }\n  }\n}',
      '{\n  "hosts": {\n    "a": {\n      "x": 1\n    },\n    "web": {\n      "address": "10.0.0.5",\n      "user": "deploy"\n    }\n  }\n}',
    ],
  ])('%s', (_what, before, after) => {
    expect(withMember(before, ['hosts'], 'web', WEB)).toBe(after);
    const back = withoutMember(after, ['hosts'], 'web') ?? '';
    if (!/no member|only/.test(_what)) expect(back).toBe(before);
    expect(readJson(back, 'f').value).toEqual(readJson(before, 'f').value);
  });

  test('at the top of a document, too', () => {
    expect(withMember('{\n}\n', [], 'hosts', {})).toBe('{\n  "hosts": {}\n}\n');
    expect(withMember('{ // c\n}', [], 'hosts', {})).toBe('{ // c\n  "hosts": {}\n}');
  });

  test('where there is no object it is not added', () => {
    expect(withMember('{ "hosts": [] }', ['hosts'], 'web', WEB)).toBeUndefined();
    expect(withMember('{}', ['hosts'], 'web', WEB)).toBeUndefined();
    expect(withoutMember('{ "hosts": {} }', ['hosts'], 'web')).toBeUndefined();
  });
});

describe('a member goes with the comments that are its own', () => {
  const lines = (...inner: readonly string[]): string => ['{', '  "hosts": {', ...inner, '  }', '}'].join('\n');
  test.each([
    [
      'the first',
      lines('    // of web', '    "web": 1, // web', '    // of b', '    "b": 2 // b'),
      lines('    // of b', '    "b": 2 // b'),
    ],
    [
      'one between',
      lines('    "a": 1, // a', '    // of web', '    /* web */ "web": 2,', '    "b": 3'),
      lines('    "a": 1, // a', '    "b": 3'),
    ],
    [
      'the last',
      lines(
        '    "a": 1, // a',
        '',
        '    // of web',
        '    "web": {',
        '      // within',
        '      "x": 1',
        '    } // web',
        '',
        '    // the end',
      ),
      lines('    "a": 1 // a', '', '', '    // the end'),
    ],
    [
      'not above a blank line',
      lines('    // of all', '', '    "web": 1', '    // the end'),
      lines('    // of all', '', '    // the end'),
    ],
    ['a comment of lines', lines('    "a": 1,', '    /* of', '       web */', '    "web": 1'), lines('    "a": 1')],
    ['on one line, first', '{ "hosts": { "web": 1, "b": 2 } }', '{ "hosts": { "b": 2 } }'],
    [
      'on one line, between',
      '{ "hosts": { "a": 1, "web": 2, /* b */ "b": 3 } }',
      '{ "hosts": { "a": 1, /* b */ "b": 3 } }',
    ],
    ['on one line, last', '{ "hosts": { "a": 1, "web": 2 } }', '{ "hosts": { "a": 1 } }'],
    ['on one line, alone', '{ "hosts": { "web": 2 } }', '{ "hosts": {  } }'],
    ['beside another', lines('    "web": 1, "b": 2', '    // c'), lines('    "b": 2', '    // c')],
    ['before the brace', '{ "hosts": {\n  "a": 1, // a\n  "web": 2 } }', '{ "hosts": {\n  "a": 1 // a\n   } }'],
    [
      'with the comma in front',
      '{ "hosts": {\n    "a": 1\n  , "web": 2\n  , "b": 3\n} }',
      '{ "hosts": {\n    "a": 1\n  , "b": 3\n} }',
    ],
  ])('%s', (_what, before, after) => {
    expect(withoutMember(before, ['hosts'], 'web')).toBe(after);
  });
});

/** Documents as people write them: blanks, breaks and comments anywhere that they may be. */
const documents = (seed: number) => {
  let state = seed;
  const next = (most: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
  let count = 0;
  const gap = (): string => {
    count += 1;
    const pieces = [
      '',
      ' ',
      '\n',
      '\r\n',
      '\n\n  ',
      '\t',
      ` /* c${count} */ `,
      ` // l${count}, "x": {\n`,
      `\n    // own${count}\n    `,
      `/*\n b${count} */`,
    ];
    return pieces[next(pieces.length)] ?? '';
  };
  const value = (depth: number): string => {
    const kind = next(depth > 1 ? 4 : 6);
    if (kind < 4) return ['1', '"a // b , }"', 'null', '"\\u002f/"'][kind] ?? '1';
    return kind === 4 ? `[${gap()}1${gap()},${gap()}{}${gap()}]` : object(depth + 1, next(4));
  };
  const object = (depth: number, members: number): string =>
    `{${gap()}${Array.from({ length: members }, (_, at) => `"m${at}"${gap()}:${gap()}${value(depth)}${gap()}`).join(`,${gap()}`)}}`;
  return () => {
    const members = next(5);
    return {
      members,
      text: `${gap()}{${gap()}"x": 1${gap()},${gap()}"hosts"${gap()}:${gap()}${object(0, members)}${gap()}}${gap()}`,
    };
  };
};

const contentOf = (text: string): unknown => {
  const { value, problems } = readJson(text, 'f');
  if (problems.length > 0) throw new Error(`${problems[0]?.message}: ${text}`);
  return value;
};
const commentsIn = (text: string): readonly string[] =>
  [...text.replace(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g)].map(([comment]) => comment);
const hostsOf = (text: string): Record<string, unknown> => {
  const value = contentOf(text);
  if (typeof value !== 'object' || value === null || !('hosts' in value)) throw new Error('no hosts');
  return { ...(typeof value.hosts === 'object' ? value.hosts : {}) };
};

test('of arbitrary documents, exactly the member changes, and no other comment is lost', () => {
  const document = documents(11);
  for (let round = 0; round < 3_000; round += 1) {
    const { text, members } = document();
    const before = hostsOf(text);
    const added = withMember(text, ['hosts'], 'web', WEB) ?? '';
    expect(Object.entries(hostsOf(added)), text).toEqual([...Object.entries(before), ['web', WEB]]);
    expect(commentsIn(added), text).toEqual(commentsIn(text));
    expect(hostsOf(withoutMember(added, ['hosts'], 'web') ?? ''), text).toEqual(before);
    for (let at = 0; at < members; at += 1) {
      const removed = withoutMember(text, ['hosts'], `m${at}`) ?? '';
      const { [`m${at}`]: _gone, ...rest } = before;
      expect(hostsOf(removed), `${text}\n---\n${removed}`).toEqual(rest);
    }
  }
});

test('adding and removing again gives back every byte, wherever a member stands in front', () => {
  const document = documents(23);
  let tried = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const { text, members } = document();
    if (members === 0) continue;
    tried += 1;
    const added = withMember(text, ['hosts'], 'web', WEB) ?? '';
    expect(withoutMember(added, ['hosts'], 'web'), `${text}\n---\n${added}`).toBe(text);
  }
  expect(tried).toBeGreaterThan(1_000);
});
