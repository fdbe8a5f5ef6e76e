const MAX_DEPTH = 200;

/**
 * The one JSON text of a value (RFC 8785): members in order of UTF-16 code units, no blanks, numbers as ECMAScript writes
 * them. A lone surrogate is written as its escape, so that different values never share a text. Throws a `TypeError`
 * for what JSON cannot say: a non-finite number, `undefined`, a function, an object with a class, a nesting over 200.
 */
export const canonical = (value: unknown): string => write(value, 0);

const write = (value: unknown, depth: number): string => {
  if (depth > MAX_DEPTH) throw new TypeError(`nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON text`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, item => write(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`a value of type ${typeof value} has no JSON text`);
  return writeObject(value, depth);
};

const writeObject = (value: object, depth: number): string => {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects have a JSON text');
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${write(member, depth + 1)}`);
  return `{${members.join(',')}}`;
};
