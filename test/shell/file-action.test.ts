import { expect, test } from 'vitest';
import { fileActionsOf } from '../../src/shell/file-action.ts';
import { read } from '../../src/shell/read.ts';

const actions = (text: string, cwd?: string): unknown => {
  const analysis = read(text);
  return analysis.kind === 'known'
    ? fileActionsOf(analysis.script, cwd).map(({ access, path, target }) => `${access} ${path ?? `? ${target.text}`}`)
    : analysis.construct;
};

test.each<[string, string | undefined, readonly string[]]>([
  ['a', undefined, []],
  ['a 2>/dev/null >/dev/null </dev/null &>/dev/null', undefined, []],
  ['a 2>&1 >&2', undefined, []],
  ['a > /etc/motd', undefined, ['write /etc/motd']],
  ['a >>/x | b </y 2>/z; c &>/w', undefined, ['write /x', 'read /y', 'write /z', 'write /w']],
  ['a >/dev/null/../../etc/x', undefined, ['write /dev/null/../../etc/x']],
  ['a >//dev/null', undefined, ['write //dev/null']],
  ['a >out', undefined, ['write ? out']],
  ['a >out', '/srv/app', ['write /srv/app/out']],
  ['a <../x', '/srv/app/', ['read /srv/app/../x']],
  ['a >out', '/', ['write /out']],
  ['cd /tmp && a >out', '/srv/app', ['write ? out']],
  ['a >out; command cd /tmp', '/srv/app', ['write ? out']],
  ['. /x; a >/abs >out', '/srv/app', ['write /abs', 'write ? out']],
])('%j in %s', (text, cwd, expected) => {
  expect(actions(text, cwd)).toEqual(expected);
});
