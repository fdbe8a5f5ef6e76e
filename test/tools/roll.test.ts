import { expect, test } from 'vitest';
import { compileHostSets } from '../../src/policy/host-sets.ts';
import { namesIn, namesNothing } from '../../src/tools/roll.ts';

const host = (name: string, ...tags: readonly string[]) => ({
  host: name,
  user: 'deploy',
  address: '192.0.2.1',
  port: 22,
  tags,
});

const ROLL = {
  targets: [host('web-1', 'web'), host('web-2', 'web', 'new'), host('db-1'), host('spare')],
  sets: compileHostSets({ prod: ['web-*', 'tag:new'], spare: ['db-*'], empty: ['none-*'] }),
};

test.each([
  { asked: ['db-1', 'web-1'], names: ['db-1', 'web-1'] },
  { asked: ['prod'], names: ['web-1', 'web-2'] },
  { asked: ['tag:new', 'prod'], names: ['web-2', 'web-1'] },
  { asked: ['web-1', 'web-1', 'tag:web'], names: ['web-1', 'web-2'] },
  { asked: ['spare'], names: ['spare'] },
  { asked: ['empty'], names: ['empty'] },
  { asked: ['web-*', '__proto__', 'tag:'], names: ['web-*', '__proto__', 'tag:'] },
])('$asked are $names', ({ asked, names }) => {
  expect(namesIn(asked, ROLL)).toEqual(names);
});

test.each([
  { entry: 'web-11', says: 'No host and no set is called so: "web-11"; did you mean "web-1"?' },
  { entry: 'web-1 ', says: 'No host and no set is called so: "web-1 "; did you mean "web-1"?' },
  { entry: 'web\n', says: 'No host and no set is called so: "web\\n".' },
  { entry: '\u202eweb', says: 'No host and no set is called so: "\\u{202e}web".' },
  { entry: 'prd', says: 'No host and no set is called so: "prd"; did you mean "prod"?' },
  { entry: 'tag:nw', says: 'No configured host is tagged so: "tag:nw"; did you mean "tag:new"?' },
  { entry: 'empty', says: 'No configured host is in the set "empty".' },
  { entry: 'zzzzzzzz', says: 'No host and no set is called so: "zzzzzzzz".' },
])('$entry names nothing: $says', ({ entry, says }) => {
  expect(namesNothing(entry, ROLL)).toMatchObject({ code: 'UNKNOWN_HOST', message: says });
});
