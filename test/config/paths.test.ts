import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { defaultPaths, expandHome, pathIn } from '../../src/config/paths.ts';

const PLACES: readonly {
  readonly title: string;
  readonly env: Record<string, string>;
  readonly config: string;
  readonly state: string;
}[] = [
  {
    title: 'with nothing but a home',
    env: { HOME: '/home/a' },
    config: '/home/a/.config/sallyport',
    state: '/home/a/.local/state/sallyport',
  },
  {
    title: 'where XDG says',
    env: { HOME: '/home/a', XDG_CONFIG_HOME: '/etc/a', XDG_STATE_HOME: '/var/a' },
    config: '/etc/a/sallyport',
    state: '/var/a/sallyport',
  },
  {
    title: 'at home when XDG is empty',
    env: { HOME: '/home/a', XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' },
    config: '/home/a/.config/sallyport',
    state: '/home/a/.local/state/sallyport',
  },
  {
    title: 'at home when XDG is relative: the working directory never counts',
    env: { HOME: '/home/a', XDG_CONFIG_HOME: '.', XDG_STATE_HOME: 'state' },
    config: '/home/a/.config/sallyport',
    state: '/home/a/.local/state/sallyport',
  },
  {
    title: "in the account's home when HOME is relative",
    env: { HOME: '.' },
    config: `${homedir()}/.config/sallyport`,
    state: `${homedir()}/.local/state/sallyport`,
  },
];

test.each(PLACES)('files lie $title', ({ env, config, state }) => {
  expect(defaultPaths(env)).toEqual({ config: `${config}/config.json`, policy: `${config}/policy.json`, state });
});

test.each([
  { path: '~', is: '/home/a' },
  { path: '~/x', is: '/home/a/x' },
  { path: '~b/x', is: '~b/x' },
  { path: 'x~', is: 'x~' },
])('$path expands to $is', ({ path, is }) => {
  expect(expandHome(path, '/home/a')).toBe(is);
});

test('a path in a file counts from the folder of the file', () => {
  expect(['a', '../a', '/a', '~/a'].map(path => pathIn('/etc/sallyport', path, '/home/a'))).toEqual([
    '/etc/sallyport/a',
    '/etc/a',
    '/a',
    '/home/a/a',
  ]);
});
