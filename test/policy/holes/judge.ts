import { readdirSync, readFileSync } from 'node:fs';
import { compile } from '../../../src/policy/compile.ts';
import { decide, type Policy } from '../../../src/policy/decide.ts';
import { runOf } from '../rules-support.ts';

type Sample = { readonly args: { readonly command: string }; readonly expect: 'allow' | 'deny' };

export type Book = { readonly policy: Policy; readonly tests: readonly Sample[] };

/** Every document of the hole book. */
export const NAMES: readonly string[] = readdirSync(new URL('.', import.meta.url))
  .filter(file => file.endsWith('.json'))
  .map(file => file.slice(0, -'.json'.length));

/** A document of the hole book, compiled: its own tests have been run by then. */
export const openBook = (name: string): Book => {
  const text = readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8');
  const { tests }: { tests: Sample[] } = JSON.parse(text);
  return { policy: compile(text, `${name}.json`), tests };
};

/** `allow`, or the answer and its reason. */
export const judge = ({ policy }: Book, text: string): string => {
  const call = { id: 'c', grant: 'local', tool: 'ssh_exec', input: {}, action: runOf({ text }), at: 0 };
  const decision = decide(policy, call, { host: 'web-1' });
  return decision.effect === 'allow' ? 'allow' : `${decision.effect}: ${decision.because[0].reason}`;
};
