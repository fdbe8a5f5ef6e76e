import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createMarks, type Mark } from '../../../src/ssh/command/mark.ts';
import { readAnswer } from '../../../src/ssh/command/reap.ts';
import { REAP_SCRIPT } from '../../../src/ssh/command/reap-script.ts';
import { noneLeft, processesWith } from '../../support/processes.ts';
import { type Shell, shells } from '../../support/shells.ts';
import { tempFolder } from '../../support/temp.ts';

const newMark = createMarks(randomBytes);
const NONCE = 'feedfacefeedface';
const trees: ChildProcess[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) if (tree.pid !== undefined) end(tree.pid);
});

/** A tree in a session of its own, as sshd starts one; resolves when it wrote its first line. */
const grow = (text: string, env: Record<string, string>): Promise<ChildProcess> => {
  const tree = spawn('/bin/sh', ['-c', text], {
    detached: true,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  trees.push(tree);
  return new Promise(resolve => tree.stdout?.once('data', () => resolve(tree)));
};

/** Runs the reaper as sshd would: in a session of its own. */
const reap = (
  marks: readonly Mark[],
  { shell, path, env }: { shell?: Shell; path?: string; env?: object } = {},
): Promise<string> => {
  const { path: program, before } = shell ?? { path: '/bin/sh', before: [] };
  const child = spawn(program, [...before, '-c', REAP_SCRIPT, 'sh', NONCE, '100', '300', '300', ...marks], {
    detached: true,
    env: { PATH: path ?? process.env.PATH, SALLYPORT_REAPER: NONCE, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('error', reject).on('close', () => resolve(text));
  });
};

const end = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

const TREE = 'setsid sleep 9871 & env -i sleep 9872 & trap "" INT; echo up; sleep 9873; sleep 9874';

describe.each(shells.filter(({ name }) => name !== 'fish' && name !== 'zsh'))('read by $name, the reaper', shell => {
  test('stops a tree and proves it', async () => {
    const mark = newMark();
    await grow(TREE, { SALLYPORT_ID: mark, TRACE: mark });
    const answer = readAnswer(await reap([mark], { shell }), NONCE);
    expect(await processesWith(mark)).toEqual([]);
    expect(answer).toEqual({ proven: true, signals: ['INT', 'TERM'], remaining: [] });
  });
});

describe('the reaper', () => {
  test('finds nothing where nothing is', async () => {
    expect(readAnswer(await reap([newMark()]), NONCE)).toEqual({ proven: true, signals: [], remaining: [] });
  });

  test('stops several marks in one walk, and nothing else', async () => {
    const [one, two, other] = [newMark(), newMark(), newMark()];
    for (const mark of [one, two, other]) await grow('echo up; sleep 9875', { SALLYPORT_ID: mark });
    expect(readAnswer(await reap([one, two]), NONCE)).toEqual({ proven: true, signals: ['INT'], remaining: [] });
    expect([await processesWith(one), await processesWith(two)]).toEqual([[], []]);
    expect((await processesWith(other)).length).toBeGreaterThan(0);
  });

  test('spares itself and what it descends from, whatever marks they carry', async () => {
    const mark = newMark();
    const env = { SALLYPORT_ID: mark, REAPER: REAP_SCRIPT, SALLYPORT_REAPER: NONCE, MARK: mark };
    const parent = await grow('echo up; /bin/sh -c "$REAPER" sh feedfacefeedface 100 300 300 "$MARK"; echo alive', env);
    let text = '';
    parent.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const code = await new Promise(resolve => parent.on('close', resolve));
    expect([code, text]).toEqual([0, expect.stringMatching(/feedfacefeedface end\nalive\n$/)]);
  });

  test('lists what comes back for as long as it looks', async () => {
    const mark = newMark();
    const again = 'while :; do setsid -w env SALLYPORT_ID="$VALUE" sleep 9876; done';
    await grow(`echo up; ${again}`, { VALUE: mark });
    const { proven, signals, remaining } = readAnswer(await reap([mark]), NONCE);
    expect({ proven, signals }).toEqual({ proven: false, signals: ['INT', 'TERM', 'KILL'] });
    expect(remaining.map(({ command }) => command)).toEqual([expect.stringContaining('sleep 9876')]);
    for (const tree of trees.splice(0)) if (tree.pid !== undefined) end(tree.pid);
    expect(readAnswer(await reap([mark]), NONCE).proven).toBe(true);
  });

  test('does its work also when nobody listens any more', async () => {
    const mark = newMark();
    await grow(TREE, { SALLYPORT_ID: mark, TRACE: mark });
    const child = spawn('/bin/sh', ['-c', REAP_SCRIPT, 'sh', NONCE, '100', '300', '300', mark], {
      detached: true,
      env: { PATH: process.env.PATH, SALLYPORT_REAPER: NONCE },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.destroy();
    await noneLeft(mark);
  });

  test('says that it is blind when it cannot look, and touches nothing', async () => {
    const mark = newMark();
    await grow('echo up; sleep 9877', { SALLYPORT_ID: mark });
    await using empty = await tempFolder();
    const text = await reap([mark], { path: empty.path });
    expect(text.trim().split(/\n+/)).toEqual([`${NONCE} blind`, `${NONCE} end`]);
    const unseen = await reap([mark], { env: { SALLYPORT_REAPER: 'other' } });
    expect(unseen.trim().split(/\n+/)).toEqual([`${NONCE} blind`, `${NONCE} end`]);
    expect((await processesWith(mark)).length).toBeGreaterThan(0);
  });

  test.runIf(existsSync('/bin/busybox'))('needs no more than busybox has', async () => {
    const mark = newMark();
    await using bin = await tempFolder();
    for (const name of ['grep', 'tr', 'awk', 'sleep', 'cut']) await symlink('/bin/busybox', join(bin.path, name));
    await grow(TREE, { SALLYPORT_ID: mark, TRACE: mark });
    const shell: Shell = { name: 'ash', path: '/bin/busybox', before: ['ash'] };
    const answer = readAnswer(await reap([mark], { shell, path: bin.path }), NONCE);
    expect(await processesWith(mark)).toEqual([]);
    expect(answer).toEqual({ proven: true, signals: ['INT', 'TERM'], remaining: [] });
  });
});

describe('its answer', () => {
  const lines = (...some: string[]) => some.map(line => `\n${NONCE} ${line}\n`).join('');

  test.each([
    ['nothing', '', { proven: false, signals: [], remaining: [] }],
    ['an end alone', lines('end'), { proven: true, signals: [], remaining: [] }],
    ['an answer cut short', lines('rung INT'), { proven: false, signals: ['INT'], remaining: [] }],
    ['blindness', lines('blind', 'end'), { proven: false, signals: [], remaining: [] }],
    [
      'the noise of a startup file',
      `Welcome!\nend\nrung KILL${lines('rung INT', 'end')}`,
      { proven: true, signals: ['INT'], remaining: [] },
    ],
    [
      'survivors',
      lines(
        'rung INT',
        'rung TERM',
        'rung KILL',
        'left 4242 sleep 9 \u001b[31m',
        'left 43',
        'left x y',
        'left 1 init',
        'end',
      ),
      {
        proven: false,
        signals: ['INT', 'TERM', 'KILL'],
        remaining: [
          { pid: 4242, command: 'sleep 9' },
          { pid: 43, command: '' },
          { pid: 1, command: 'init' },
        ],
      },
    ],
    [
      'more survivors than are worth naming, with long names',
      lines(
        ...Array.from({ length: 25 }, (_, at) => `left ${at + 1} ${'x'.repeat(300)}`),
        'rung INT',
        'rung INT',
        'end',
      ),
      {
        proven: false,
        signals: ['INT'],
        remaining: Array.from({ length: 20 }, (_, at) => ({ pid: at + 1, command: `${'x'.repeat(200)}…` })),
        unlisted: 5,
      },
    ],
    ['another nonce', '\n0000 end\n', { proven: false, signals: [], remaining: [] }],
    ['an end that is not the last', lines('end', 'rung INT'), { proven: false, signals: ['INT'], remaining: [] }],
  ])('%s', (_what, text, answer) => {
    expect(readAnswer(text, NONCE)).toEqual(answer);
  });
});
