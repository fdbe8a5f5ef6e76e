import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import { type After, after } from '../../../src/ssh/timer.ts';
import { type TestFleet, testFleet } from '../../support/fleet.ts';
import { leaveOf } from '../../support/leave.ts';
import { type RudeSftp, startRudeSftp } from '../../support/rude-sftp.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { namesIn } from './ground.ts';

let rude: RudeSftp;
let temp: TempFolder;
let fleet: TestFleet;
const here = (name: string) => join(temp.path, 'here', name);
const there = (name: string) => join(temp.path, 'there', name);

/** No patience: whatever would be waited for five seconds has been for less than half a one. */
const hasty: After = (ms, run) => after(ms >= 5_000 ? 400 : ms, run);

beforeAll(async () => {
  temp = await tempFolder('sallyport-rude-');
  await mkdir(here(''), { mode: 0o700 });
  await mkdir(there(''));
  rude = await startRudeSftp();
  const host = await rude.host();
  fleet = testFleet(host, { knownHosts: rude.knownHosts, files: { roots: [here('')] }, after: hasty });
});
afterAll(async () => {
  fleet[Symbol.dispose]();
  await rude[Symbol.asyncDispose]();
  await temp.remove();
});

const SIZE = 3_000_000;

/** `done`, or the code of the failure. */
const move = async (direction: 'upload' | 'download', name: string, signal?: AbortSignal): Promise<string> => {
  const about = { kind: 'transfer', target: targetOf(await rude.host()), resume: false } as const;
  const action = { ...about, direction, remotePath: there(name), localPath: name };
  const call = { id: 'call_1', grant: 'local', tool: 'test', input: {}, action, at: 0 };
  const permit = mint(call, {}, new AbortController().signal, leaveOf());
  try {
    await fleet.fleet.transfer(permit, signal === undefined ? {} : { signal });
    return 'done';
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
};

test.each([
  { manner: 'polite', down: 'done', up: 'done' },
  { manner: 'plain', down: 'done', up: 'done' },
  { manner: 'shortReads', down: 'done', up: 'done' },
  { manner: 'otherOrder', down: 'done', up: 'done' },
  { manner: 'answersTwice', down: 'CONNECTION_LOST', up: 'CONNECTION_LOST' },
  { manner: 'wrongId', down: 'CONNECTION_LOST', up: 'CONNECTION_LOST' },
  { manner: 'unasked', down: 'CONNECTION_LOST', up: 'CONNECTION_LOST' },
  { manner: 'silent', down: 'CONNECTION_LOST', up: 'CONNECTION_LOST' },
  { manner: 'moreData', down: 'CONNECTION_LOST', up: 'done' },
  { manner: 'noData', down: 'CONNECTION_LOST', up: 'done' },
  { manner: 'hangsUp', down: 'CONNECTION_LOST', up: 'done' },
  { manner: 'hangsUpWriting', down: 'done', up: 'CONNECTION_LOST' },
  { manner: 'tooBig', down: 'FILE_FAILED', up: 'FILE_FAILED' },
  { manner: 'impossible', down: 'FILE_FAILED', up: 'FILE_FAILED' },
  { manner: 'relativePath', down: 'FILE_FAILED', up: 'FILE_FAILED' },
  { manner: 'nulPath', down: 'FILE_FAILED', up: 'FILE_FAILED' },
  { manner: 'moves', down: 'FILE_MOVED', up: 'FILE_MOVED' },
  { manner: 'forgets', down: 'FILE_FAILED', up: 'FILE_FAILED' },
  { manner: 'refuses', down: 'FILE_DENIED', up: 'FILE_DENIED' },
  { manner: 'full', down: 'done', up: 'FILE_FAILED' },
  { manner: 'fails', down: 'done', up: 'FILE_FAILED' },
  { manner: 'badDisk', down: 'done', up: 'FILE_FAILED' },
  { manner: 'older', down: 'UNSUPPORTED', up: 'UNSUPPORTED' },
  { manner: 'absent', down: 'UNSUPPORTED', up: 'UNSUPPORTED' },
])('with an SFTP server of the manner $manner a file is whole or not there at all', async ({ manner, down, up }) => {
  const bytes = randomBytes(SIZE);
  await Promise.all([writeFile(there(`d-${manner}`), bytes), writeFile(here(`u-${manner}`), bytes)]);
  await rude.behave(manner);
  const came = { down: await move('download', `d-${manner}`), up: await move('upload', `u-${manner}`) };
  expect(came).toEqual({ down, up });
  for (const [word, path] of [
    [down, here(`d-${manner}`)],
    [up, there(`u-${manner}`)],
  ] as const)
    if (word === 'done') expect((await readFile(path)).equals(bytes)).toBe(true);
    else expect(existsSync(path)).toBe(false);
});

test('a part that the disk of the host has failed to keep is no beginning of anything', async () => {
  expect((await namesIn(there(''))).filter(name => name.startsWith('.u-badDisk'))).toEqual([]);
});

test('where no file can be replaced in one step, that is said before a byte moves, and the old one stays', async () => {
  await rude.behave('plain');
  await Promise.all([writeFile(there('old'), 'old'), writeFile(here('old'), 'new')]);
  const before = await namesIn(there(''));
  expect(await move('upload', 'old')).toBe('UNSUPPORTED');
  expect([await readFile(there('old'), 'utf8'), await namesIn(there(''))]).toEqual(['old', before]);
});

test('what is given up ends soon, though the host answers nothing any more', async () => {
  await rude.behave('silent');
  await writeFile(here('hangs'), 'x');
  const abort = new AbortController();
  const moving = move('upload', 'hangs', abort.signal);
  await expect.poll(async () => (await rude.requests()).some(line => line.startsWith('fstat'))).toBe(true);
  abort.abort();
  expect(await moving).toBe('CANCELLED');
});
