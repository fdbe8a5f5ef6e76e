import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pages } from '../../scripts/pages.ts';
import { FAILURES } from '../../src/errors.ts';
import { compile } from '../../src/policy/compile.ts';
import { ROOT, sources } from './source.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test.each(Object.entries(pages()).map(([path, text]) => ({ path, text })))(
  '$path is what npm run docs writes',
  ({ path, text }) => {
    expect(read(path)).toBe(text);
  },
);

test('every failure of the table is raised somewhere, and none is raised that is not in it', () => {
  const raised = sources('src')
    .filter(file => file.path !== 'src/errors.ts')
    .map(file => file.text)
    .join('\n');
  const silent = Object.keys(FAILURES).filter(code => !raised.includes(`'${code}'`));
  expect(silent).toEqual([]);
});

test('the lockfile names no host and every optional package in it has a version', () => {
  const lock: { packages: Record<string, { version?: string; optional?: boolean; resolved?: string }> } = JSON.parse(
    read('package-lock.json'),
  );
  const entries = Object.entries(lock.packages).filter(([name]) => name !== '');
  expect(entries.filter(([, one]) => one.resolved !== undefined).map(([name]) => name)).toEqual([]);
  expect(entries.filter(([, one]) => one.version === undefined).map(([name]) => name)).toEqual([]);
});

test('no dependency needs an install script', () => {
  const lock: { packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }> } = JSON.parse(
    read('package-lock.json'),
  );
  const wanting = Object.entries(lock.packages)
    .filter(([, one]) => one.hasInstallScript === true)
    .map(([name]) => name.replace(/^.*node_modules\//, ''));
  const { allowScripts }: { allowScripts: Record<string, boolean> } = JSON.parse(read('package.json'));
  expect(wanting.filter(name => allowScripts[name] !== false)).toEqual([]);
});

test('no tracked text holds a path of one machine', () => {
  const pages = [...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })]
    .filter(name => name.endsWith('.md'))
    .map(name => join('docs', name));
  const wrong = [...pages, 'README.md', 'AGENTS.md', 'SECURITY.md', 'CHANGELOG.md'].filter(path =>
    /\/(work|root|farm)\//.test(read(path)),
  );
  expect(wrong).toEqual([]);
});

test('every link between the pages leads somewhere', () => {
  const docs = [...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })].filter(name =>
    name.endsWith('.md'),
  );
  const all = ['README.md', 'SECURITY.md', ...docs.map(name => join('docs', name))];
  const dead = all.flatMap(path =>
    [
      ...read(path)
        .replace(/^```.*?^```$/gms, '')
        .matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g),
    ]
      .map(match => join(path, '..', match[1] ?? ''))
      .filter(target => {
        try {
          readdirSync(join(ROOT, target));
          return false;
        } catch (error) {
          return !(error instanceof Error && 'code' in error && error.code === 'ENOTDIR');
        }
      })
      .map(target => `${path} -> ${target}`),
  );
  expect(dead).toEqual([]);
});

test('the policy that the README shows loads, and passes its own examples', () => {
  const blocks = [...read('README.md').matchAll(/```json\n([\s\S]*?)```/g)].map(match => match[1] ?? '');
  expect(blocks.map(block => compile(block, 'README.md').digest)).toEqual([expect.stringMatching(/^sha256:/)]);
});
