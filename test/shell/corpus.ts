import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shape/source.ts';

/** A line of the corpus, as far as the reader cares. */
export type Line = { readonly policy: string; readonly class: string; readonly command: string };

const lines = (name: string): readonly Line[] =>
  readFileSync(join(ROOT, 'test/policy/holes/corpus', name), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));

/** What must not run without a person. */
export const attacks = lines('attacks.jsonl');
/** What must run. */
export const benign = lines('benign.jsonl');
