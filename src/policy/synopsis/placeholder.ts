import type { Slot } from './syntax.ts';

const NAMES = ['int', 'name', 'duration', 'path', 'relpath', 're', 'any', 'command'] as const;

const isBare = (name: string): name is 'name' | 'duration' | 'any' | 'command' =>
  name === 'name' || name === 'duration' || name === 'any' || name === 'command';

/** What stands between `<` and `>` as a placeholder, or a sentence that says what is wrong with it. */
export const readPlaceholder = (inside: string): Slot | string => {
  const colon = inside.indexOf(':');
  const name = colon === -1 ? inside : inside.slice(0, colon);
  const detail = colon === -1 ? undefined : inside.slice(colon + 1);
  if (isBare(name)) return detail === undefined ? { kind: name } : `<${name}> takes no ":".`;
  if (name === 'int') return readInt(detail);
  if (name === 'path') return detail?.startsWith('/') || detail?.startsWith('{/') ? slot(name, detail) : PATH_SHAPE;
  if (name === 'relpath') return detail === '' ? 'Write <relpath> or <relpath:src/**>.' : slot(name, detail ?? '**');
  if (name === 're') return detail ? slot(name, detail) : 'Write the regular expression: <re:[a-z]+>.';
  return `There is no placeholder <${name}>. There are ${NAMES.map(each => `<${each}>`).join(' ')}.`;
};

const PATH_SHAPE = 'Write the absolute folder or file: <path:/var/log/**>.';

const slot = (kind: 'path' | 'relpath' | 're', pattern: string): Slot => ({ kind, pattern });

const readInt = (detail: string | undefined): Slot | string => {
  if (detail === undefined) return { kind: 'int', min: 0, max: Number.MAX_SAFE_INTEGER };
  const range = /^(-?[0-9]{1,15})\.\.(-?[0-9]{1,15})$/.exec(detail);
  if (range === null) return 'Write a range of whole numbers: <int:1..500>.';
  const [min, max] = [Number(range[1]), Number(range[2])];
  return min <= max ? { kind: 'int', min, max } : `The range ${detail} is empty.`;
};
