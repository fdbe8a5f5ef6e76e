import { describe, expect, test } from 'vitest';
import { edited, entriesIn } from '../../src/config/edit.ts';
import { InvalidFile } from '../../src/errors.ts';

const WEB = { address: '10.0.0.5', user: 'deploy' };

test('a first file holds the host and says what it is', () => {
  expect(edited(undefined, 'c.json', { change: 'add', name: 'web', entry: WEB })).toBe(
    `{
  // Hosts by the names that agents use. A secret is never written here, only where it lies.
  "hosts": {
    "web": { "address": "10.0.0.5", "user": "deploy" }
  }
}
`,
  );
});

test('everything else stays as it was, the byte order mark too', () => {
  const text = '\uFEFF{\r\n\t"knownHosts": ["a"], // mine\r\n\t"hosts": { }\r\n}\r\n';
  const after = edited(text, 'c.json', { change: 'add', name: 'web', entry: WEB });
  expect(after).toBe(
    '\uFEFF{\r\n\t"knownHosts": ["a"], // mine\r\n\t"hosts": {\r\n\t\t"web": { "address": "10.0.0.5", "user": "deploy" }\r\n\t}\r\n}\r\n',
  );
  expect(entriesIn(after, 'c.json')).toEqual({ web: WEB });
});

describe('what cannot be edited is not', () => {
  test.each([
    ['taken', '{ "hosts": { "web": {} } }', { change: 'add', name: 'web', entry: WEB } as const],
    ['absent', '{ "hosts": { "web": {} } }', { change: 'remove', name: 'Web' } as const],
    ['absent', '{}', { change: 'remove', name: 'constructor' } as const],
  ])('a name that is %s', (why, text, edit) => {
    expect(() => edited(text, 'c.json', edit)).toThrow(expect.objectContaining({ name: 'NotEdited', why }));
  });

  test.each([
    ['a comma too many', '{ "hosts": { "a": {}, } }'],
    ['a name twice', '{ "hosts": { "a": {}, "a": {} } }'],
    ['hosts that are a list', '{ "hosts": [] }'],
    ['a list', '[]'],
    ['nothing', ''],
    ['half a text', '{ "hosts": {'],
  ])('a text with %s', (_what, text) => {
    const edit = (): string => edited(text, 'c.json', { change: 'add', name: 'web', entry: WEB });
    expect(edit).toThrow(InvalidFile);
  });
});
