import type { Join, Literal, Simple } from './script.ts';
import { write } from './write.ts';

/** What every shell must pass on untouched: all that the quoting escapes, and all that some shell expands or splits. */
const WORDS = [
  "it's",
  '!x y!',
  'a\\y',
  '\\',
  "'\\!'",
  '',
  ' two  blanks\t',
  '$HOME ${x} $(x) `x`',
  '* ? [a-z] {a,b} ~ # ^ =x',
  '"&|;<>()"',
  '%s\\n',
] as const;

const literal = (text: string): Literal => ({ whole: true, text, at: 0 });
const printf = (...words: readonly string[]): Simple => ({
  words: [literal('printf'), literal('<%s>'), ...words.map(literal)],
  redirects: [{ op: '>', fd: 2, target: literal('/dev/null'), at: 0 }],
});
const cat: Simple = { words: [literal('cat')], redirects: [{ op: 'dup', fd: 2, target: 1, at: 0 }] };
const pipeline = (join: Join, ...commands: readonly [Simple, ...Simple[]]) => ({ join, commands });

/**
 * A constant canonical text for a host that is met for the first time, to be sent as any other: harmless, and answered
 * rightly only by a login shell that hands canonical text to a POSIX `/bin/sh` unchanged.
 */
export const PROBE = write({
  pipelines: [
    pipeline(';', printf('sallyport'), cat),
    pipeline('&&', printf(...WORDS)),
    pipeline('||', printf('wrong')),
    pipeline(';', printf('done')),
  ],
});

const ANSWER = ['sallyport', ...WORDS, 'done'].map(text => `<${text}>`).join('');

/** Whether the probe's output proves the host; what startup files print before it does not matter. */
export const provesShell = (output: string): boolean => output.endsWith(ANSWER);
