import type { Glob } from '../../shell/script.ts';

const PLAIN_SET = /^\[!?(?:[A-Za-z0-9_]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9])+\]$/;

/**
 * The folder below which every name lies that a pattern stands for, or undefined when that is not certain: every such
 * name begins with what stands before the pattern, and no component of it can be `.` or `..` (POSIX XCU 2.13.3: a
 * leading period is matched by a period only).
 */
export const globFolder = (word: Glob): string | undefined => {
  const end = word.text.lastIndexOf('/');
  if (!word.text.startsWith('/')) return undefined;
  let outline = word.text;
  for (const part of word.parts) {
    if (part.kind === 'literal') outline += part.text;
    else if (part.kind !== 'set' || PLAIN_SET.test(part.text)) outline += '*';
    else return undefined;
  }
  const safe = outline.split('/').every(component => component !== '..' && !/^\.+\*/.test(component));
  return safe ? word.text.slice(0, end + 1) : undefined;
};
