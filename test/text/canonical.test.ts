import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical } from '../../src/text/canonical.ts';

test.each([
  { value: { b: 1, a: [true, null, 'x'] }, text: '{"a":[true,null,"x"],"b":1}' },
  { value: [56, { d: true, '10': null, '1': [] }], text: '[56,{"1":[],"10":null,"d":true}]' },
  {
    value: {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Hebrew',
      '1': 'One',
      '\u{1f600}': 'Face',
      '\u0080': 'C1',
      '\u00f6': 'o',
    },
    text: '{"\\r":"CR","1":"One","\u0080":"C1","ö":"o","€":"Euro","\u{1f600}":"Face","\ufb33":"Hebrew"}',
  },
  { value: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0], text: '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]' },
  { value: '\u20ac$\u000f\nA\'B"\\\\"/', text: '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"' },
  { value: '\ud800', text: '"\\ud800"' },
])('$text', ({ value, text }) => {
  expect(canonical(value)).toBe(text);
});

const deep = (depth: number): unknown => (depth === 0 ? [] : [deep(depth - 1)]);

test.each([
  { what: 'a number that is not finite', value: [Number.NaN] },
  { what: 'an infinite number', value: { a: Number.POSITIVE_INFINITY } },
  { what: 'undefined', value: { a: undefined } },
  { what: 'a hole in an array', value: Object.assign([], { length: 1 }) },
  { what: 'a function', value: () => 1 },
  { what: 'a big integer', value: 1n },
  { what: 'an object with a class', value: new Date(0) },
  { what: 'a map', value: new Map() },
  { what: 'a nesting that has no end', value: deep(201) },
])('$what has no canonical text', ({ value }) => {
  expect(() => canonical(value)).toThrow(TypeError);
});

test('different values have different texts, equal ones the same, whatever the order of their members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = canonical(value);
      expect(canonical(JSON.parse(text))).toBe(text);
      expect(canonical(JSON.parse(JSON.stringify(value), (_, member) => reversed(member)))).toBe(text);
    }),
  );
});

const reversed = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value;
