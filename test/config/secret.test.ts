import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { secretResolver } from '../../src/config/secret.ts';
import { outputOf } from '../../src/config/secret-command.ts';
import { tempFolder } from '../support/temp.ts';

const PATH = process.env.PATH ?? '';

test('a variable is given as it stands', async () => {
  const resolve = secretResolver({ NAME: ' with blanks \n' });
  expect(await resolve({ env: 'NAME' })).toBe(' with blanks \n');
});

test('a variable that is not there is named, and nothing else', async () => {
  await expect(secretResolver({})({ env: 'NAME' })).rejects.toThrow('the environment has no NAME');
});

test.each([
  { title: 'one newline', content: 'se cret\n', secret: 'se cret' },
  { title: 'one newline of Windows', content: 'secret\r\n', secret: 'secret' },
  { title: 'the first of two newlines', content: 'secret\n\n', secret: 'secret\n' },
  { title: 'no newline', content: 'secret', secret: 'secret' },
])('a file loses $title at its end, at most', async ({ content, secret }) => {
  await using temp = await tempFolder();
  const file = await temp.write('secret', content);
  expect(await secretResolver({ HOME: temp.path })({ file })).toBe(secret);
});

test('a command is run without a shell, in the home folder, with the environment it was given', async () => {
  await using temp = await tempFolder();
  const resolve = secretResolver({ HOME: temp.path, PATH, NAME: 'x' });
  expect(await resolve({ command: ['printf', '%s %s\n', '$NAME;id', '*'] })).toBe('$NAME;id *');
  expect(await resolve({ command: ['sh', '-c', 'echo "$PWD $NAME"'] })).toBe(`${temp.path} x`);
});

const FAILING: readonly { readonly title: string; readonly script: string; readonly says: string }[] = [
  { title: 'fails after printing', script: 'echo canary; echo canary >&2; exit 3', says: 'exited with 3' },
  { title: 'kills itself', script: 'echo canary; kill -TERM $$', says: 'was killed' },
  { title: 'prints without end', script: 'yes canary', says: 'printed more than 65536 bytes' },
];

test.each(FAILING)(
  'a command that $title is named with what it did, and nothing that it printed',
  async ({ script, says }) => {
    await using temp = await tempFolder();
    const failed = await outputOf(['sh', '-c', script], { env: { PATH }, cwd: temp.path }).catch(
      (error: unknown) => error,
    );
    expect(failed).toEqual(new Error(`sh ${says}`));
    expect(JSON.stringify(failed)).not.toContain('canary');
  },
);

test('a command that does not end is ended, with what it started and its pipes', async () => {
  await using temp = await tempFolder();
  const place = { env: { PATH }, cwd: temp.path };
  await expect(outputOf(['sh', '-c', 'sleep 30 & wait'], place, 100)).rejects.toThrow(
    'sh did not answer within 100 ms',
  );
});

test('a command that reads its input finds it closed', async () => {
  await using temp = await tempFolder();
  expect(await outputOf(['cat'], { env: { PATH }, cwd: temp.path })).toBe('');
});

test.each([
  { title: 'is not there', mode: undefined, says: 'is not installed, or not on PATH' },
  { title: 'may not be run', mode: 0o600, says: 'may not be run' },
])('a command that $title is said to be so', async ({ mode, says }) => {
  await using temp = await tempFolder();
  const file = `${temp.path}/pass`;
  if (mode !== undefined) {
    await temp.write('pass', '#!/bin/sh\n');
    await chmod(file, mode);
  }
  await expect(outputOf([file], { env: { PATH }, cwd: temp.path })).rejects.toThrow(`${file} ${says}`);
});
