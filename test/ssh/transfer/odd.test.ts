import { execFileSync } from 'node:child_process';
import { chmod, link, lstat, mkdir, readFile, readlink, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failureOf, type Ground, layGround, namesIn, sha256, sumOf } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

const here = (name: string) => join(ground.here, name);
const there = (name: string) => join(ground.there, name);

/** Bytes of which no two pieces are the same. */
const bytesOf = (size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  return bytes;
};

const CHUNK = 261_120;
const WINDOW = 4 * 2 ** 20;

describe('sizes around what one request carries', () => {
  const sizes = [0, 1, 32_767, 32_768, 32_769, CHUNK - 1, CHUNK, CHUNK + 1, WINDOW - 1, WINDOW, WINDOW + 1];
  test.each(sizes)('%d bytes are the same on both ways', async size => {
    const bytes = bytesOf(size);
    await writeFile(here(`s${size}`), bytes);
    expect(await ground.up(`s${size}`, `s${size}`)).toMatchObject({ bytes: size, size, sha256: sha256(bytes) });
    expect(await ground.down(`s${size}`, `back${size}`)).toMatchObject({ bytes: size, size, sha256: sha256(bytes) });
    expect([await sumOf(there(`s${size}`)), await sumOf(here(`back${size}`))]).toEqual([sha256(bytes), sha256(bytes)]);
  });
});

describe('what no transfer takes as a path', () => {
  test.each([
    { path: 'a/b', says: 'remote_path is not absolute.' },
    { path: '~root/a', says: 'remote_path is not absolute.' },
    { path: '/a/../b', says: 'remote_path holds .., which leads out of what was named.' },
    { path: '/..', says: 'remote_path holds .., which leads out of what was named.' },
    { path: '/a\0b', says: 'remote_path holds a control character.' },
    { path: '/a\nb', says: 'remote_path holds a control character.' },
    { path: '/a\u009bb', says: 'remote_path holds a control character.' },
    { path: '/srv/\udcc3\udca9', says: 'remote_path holds half a character, or the bytes of a whole one in pieces.' },
    { path: '/srv/\ud800', says: 'remote_path holds half a character, or the bytes of a whole one in pieces.' },
    { path: '/srv/\udc41', says: 'remote_path holds half a character, or the bytes of a whole one in pieces.' },
    { path: `/${'é'.repeat(128)}`, says: 'remote_path holds a name of more than 255 bytes.' },
    { path: '/abc'.repeat(1_025), says: 'remote_path is longer than 4096 bytes.' },
    { path: '/srv/x/', says: 'remote_path /srv/x/ ends with a slash, so it names a folder.' },
  ])('$says', async ({ path, says }) => {
    const { checkRemotePath } = await import('../../../src/ssh/transfer/path.ts');
    const failure = await failureOf(
      path.endsWith('x/') ? ground.up(path, { content: '' }) : Promise.resolve().then(() => checkRemotePath(path)),
    );
    expect([failure.code, failure.message]).toEqual(['INVALID_INPUT', says]);
  });
});

describe('what is there already', () => {
  test('a file keeps its mode and a text takes its place in one step', async () => {
    await writeFile(there('kept'), 'old');
    await chmod(there('kept'), 0o4640);
    await ground.up('kept', { content: 'new' });
    expect([await readFile(there('kept'), 'utf8'), (await stat(there('kept'))).mode & 0o7777]).toEqual(['new', 0o640]);
  });

  test('another name of the same file keeps the old bytes', async () => {
    await writeFile(there('one'), 'old');
    await link(there('one'), there('other'));
    await ground.up('one', { content: 'new' });
    expect(await readFile(there('other'), 'utf8')).toBe('old');
  });

  test('a new text is as readable as its folder is, and a mode that is given holds', async () => {
    await mkdir(there('private'), { mode: 0o700 });
    await ground.up('private/a', { content: '' });
    await ground.up('public', { content: '' });
    await ground.up('given', { content: '', mode: 0o664 });
    const modes = await Promise.all(
      ['private/a', 'public', 'given'].map(async name => (await stat(there(name))).mode & 0o777),
    );
    expect(modes).toEqual([0o600, 0o644, 0o664]);
  });

  test('what a link leads to is written, and the link stays', async () => {
    await mkdir(there('target'));
    await writeFile(there('target/real'), 'old');
    await symlink('target/real', there('link'));
    expect(await ground.up('link', { content: 'new' })).toMatchObject({ remotePath: there('target/real') });
    expect([await readlink(there('link')), await readFile(there('target/real'), 'utf8')]).toEqual([
      'target/real',
      'new',
    ]);
  });

  test('a link to nothing makes what it names', async () => {
    await symlink(there('target/later'), there('dangling'));
    await ground.up('dangling', { content: 'now' });
    expect([(await lstat(there('dangling'))).isSymbolicLink(), await readFile(there('target/later'), 'utf8')]).toEqual([
      true,
      'now',
    ]);
  });

  test('links that never end are refused', async () => {
    await symlink('loop', there('loop'));
    expect((await failureOf(ground.up('loop', { content: '' }))).code).toBe('FILE_FAILED');
    expect((await failureOf(ground.text('loop'))).code).toBe('FILE_FAILED');
  });

  test.each(['up', 'text'] as const)('a folder, a pipe and a device are never opened (%s)', async way => {
    await mkdir(there(`folder-${way}`));
    execFileSync('mkfifo', [there(`pipe-${way}`)]);
    const run = (name: string) => (way === 'up' ? ground.up(name, { content: '' }) : ground.text(name));
    const failures = await Promise.all([`folder-${way}`, `pipe-${way}`, '/dev/null'].map(name => failureOf(run(name))));
    expect(failures.map(({ code }) => code)).toEqual(['FILE_FAILED', 'FILE_FAILED', 'FILE_FAILED']);
    expect(failures.map(({ message }) => message.replace(/^\S+ on web/, ''))).toEqual([
      ' is a folder, not a file.',
      ' is a device, a pipe or a socket, not a file.',
      ' is a device, a pipe or a socket, not a file.',
    ]);
  });

  test('a folder of this machine, a pipe and a device are never opened either', async () => {
    await mkdir(here('folder'));
    execFileSync('mkfifo', [here('pipe')]);
    const failures = await Promise.all(
      ['folder', 'pipe'].flatMap(name => [failureOf(ground.up('x', name)), failureOf(ground.down('kept', name))]),
    );
    expect(failures.map(({ code }) => code)).toEqual(['FILE_FAILED', 'FILE_FAILED', 'FILE_FAILED', 'FILE_FAILED']);
  });

  test('a missing file and a missing folder are said', async () => {
    const failures = await Promise.all([
      failureOf(ground.text('nothing')),
      failureOf(ground.up('no/folder/x', { content: '' })),
      failureOf(ground.up('kept', 'nothing')),
      failureOf(ground.down('kept', 'no/folder/x')),
    ]);
    expect(failures.map(({ code }) => code)).toEqual(Array(4).fill('NO_SUCH_FILE'));
  });
});

describe('names', () => {
  test('a name of 255 bytes has room for the part beside it', async () => {
    const name = `${'é'.repeat(127)}a`;
    await ground.up(name, { content: 'x' });
    await ground.down(name, name);
    expect([await readFile(there(name), 'utf8'), await readFile(here(name), 'utf8')]).toEqual(['x', 'x']);
  });

  test('bytes that are no UTF-8 are the bytes of the name', async () => {
    await ground.up('caf\udce9', { content: 'x' });
    expect(await readFile(Buffer.concat([Buffer.from(`${ground.there}/caf`), Buffer.of(0xe9)]), 'utf8')).toBe('x');
    expect(await ground.text('caf\udce9')).toMatchObject({ size: 1 });
  });

  test('what a shell would obey is a name like any other', async () => {
    const name = '$(touch x) ; \'q\' "d" \\ * ? ~ -rf';
    await ground.up(name, { content: 'x' });
    expect(await ground.text(name)).toMatchObject({ size: 1 });
  });

  test('the home of the account is where ~ leads', async () => {
    // Of the account, whatever HOME says of this process.
    const { homedir } = userInfo();
    expect((await failureOf(ground.text('~/.sallyport-nothing-is-here'))).message).toContain(
      `${homedir}/.sallyport-nothing`,
    );
  });
});

describe('files that the kernel makes up', () => {
  test('a file of /proc has no size, and is read to its end', async () => {
    const text = await readFile('/proc/version', 'utf8');
    expect(await ground.text('/proc/version')).toMatchObject({ content: Buffer.from(text), size: text.length });
    expect(await ground.down('/proc/version', 'version')).toMatchObject({ size: text.length, sha256: sha256(text) });
  });

  test('a piece of one tells that there is more', async () => {
    const text = await readFile('/proc/version');
    expect(await ground.text('/proc/version', { offset: 2, maxBytes: 5 })).toMatchObject({
      ...{ content: text.subarray(2, 7), offset: 2, size: 8 },
    });
  });

  test('a file of /sys says a page, and ends before', async () => {
    const text = await readFile('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
    expect(await ground.down('/sys/kernel/mm/transparent_hugepage/enabled', 'sys')).toMatchObject({
      size: text.length,
    });
  });
});

describe('a piece of a text', () => {
  test.each([
    { offset: 0, maxBytes: 4, content: 'abcd' },
    { offset: 6, maxBytes: 4, content: 'ghij' },
    { offset: 8, maxBytes: 4, content: 'ij' },
    { offset: 10, maxBytes: 4, content: '' },
    { offset: 99, maxBytes: 4, content: '' },
  ])('from $offset, $maxBytes at most', async ({ offset, maxBytes, content }) => {
    await writeFile(there('ten'), 'abcdefghij');
    const got = await ground.text('ten', { offset, maxBytes });
    expect(got).toMatchObject({ content: Buffer.from(content), offset, size: 10, bytes: content.length });
  });

  test('one far behind four gibibytes is found', async () => {
    await writeFile(there('sparse'), '');
    await truncate(there('sparse'), 2 ** 32 + 10);
    const got = await ground.text('sparse', { offset: 2 ** 32 + 5, maxBytes: 9 });
    expect(got).toMatchObject({ content: Buffer.alloc(5), size: 2 ** 32 + 10 });
  });
});

test('nothing of all this has left a part behind', async () => {
  const names = [
    ...(await namesIn(ground.there)),
    ...(await namesIn(ground.here)),
    ...(await namesIn(there('target'))),
  ];
  expect(names.filter(name => name.includes('.sallyport-'))).toEqual([]);
});
