import { RE2JS } from 're2js';

/** Instructions of one compiled pattern: the time of a match is this many steps a character at the very most. */
const LARGEST = 5000;

/** A regular expression that runs in linear time, or why it is none: look-around and back-references do not exist. */
export const compilePattern = (pattern: string): RE2JS | string => {
  try {
    const compiled = RE2JS.compile(pattern);
    return compiled.programSize() <= LARGEST ? compiled : 'is too large: its repetitions multiply';
  } catch (error) {
    const why = error instanceof Error ? error.message.replace('error parsing regexp: ', '') : String(error);
    return `is not a regular expression of the linear kind (RE2, without look-around and back-references): ${why}`;
  }
};

/** Whether a pattern is certain to speak of the whole text: `^…$` without an alternative beside it. */
export const isAnchored = (pattern: string): boolean => {
  const [, flags = '', body = ''] = /^(?:\(\?([a-zA-Z]+)\))?(.*)$/s.exec(pattern) ?? [];
  return (
    !flags.includes('m') && /^(?:\^|\\A)/.test(body) && /(?<!\\)(?:\\\\)*(?:\$|\\z)$/.test(body) && !hasBranches(body)
  );
};

/** Whether a `|` stands outside every group, class and escape. */
const hasBranches = (body: string): boolean => {
  const bare = body.replace(/\\./gs, '').replace(/\[\^?\]?[^\]]*\]/g, '');
  let depth = 0;
  for (const character of bare) {
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '|' && depth === 0) return true;
  }
  return false;
};
