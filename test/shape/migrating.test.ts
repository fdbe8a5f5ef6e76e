import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPLACED_BY, TOOL_NAMES } from '../../src/policy/tool-names.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { ROOT } from './source.ts';

const PAGE = readFileSync(join(ROOT, 'docs/migrating.md'), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| (`.*?) \| (.*?) \| (.*?) ?\|$/gm)].flatMap(
  ([, theirs = '', here = '', note = '']) =>
    theirs.split(', ').map(name => ({ name: name.replaceAll('`', ''), here: here.replaceAll('`', ''), note })),
);
const UNBUILT = TOOL_NAMES.filter(name => !TOOLS.some(tool => tool.name === name));

test('the table has every name that the policy knows of, with what it answers', () => {
  expect(Object.fromEntries(ROWS.map(({ name, here }) => [name, here]))).toEqual(REPLACED_BY);
});

test('what is not there yet is said of the tools that are not there, and of no other', () => {
  const late = ROWS.filter(({ here }) => UNBUILT.some(name => here.includes(name))).map(({ name }) => name);
  expect(ROWS.filter(({ note }) => note.startsWith('not there yet')).map(({ name }) => name)).toEqual(late);
});

test('the names that a policy may use already are those of the tools that are not there', () => {
  const [, list = ''] = /A policy may name (.*?) already/s.exec(PAGE) ?? [];
  expect([...list.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(UNBUILT);
});
