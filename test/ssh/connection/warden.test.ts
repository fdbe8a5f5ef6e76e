import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { createMarks, type Mark } from '../../../src/ssh/command/mark.ts';
import { readAnswer } from '../../../src/ssh/command/reap.ts';
import { REAP_SCRIPT } from '../../../src/ssh/command/reap-script.ts';
import { WARDEN_SCRIPT } from '../../../src/ssh/connection/warden-script.ts';
import { noneLeft, processesWith } from '../../support/processes.ts';
import { type Shell, shells } from '../../support/shells.ts';

const newMark = createMarks(randomBytes);
type Child = ChildProcessByStdio<Writable, Readable, null>;
const children: Child[] = [];
/** The marks of trees, of which one process has a session of its own. */
const grown: Mark[] = [];
afterAll(async () => {
  for (const { pid } of children.splice(0)) if (pid !== undefined) end(-pid);
  for (const mark of grown) for (const line of await processesWith(mark)) end(Number.parseInt(line, 10));
});

/** Ends a process, or a group by its negative number. */
const end = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

const SH: Shell = { name: 'sh', path: '/bin/sh', before: [] };

/** Something in a session of its own, as sshd starts it. */
const start = ({ path, before }: Shell, args: readonly string[], env: Record<string, string> = {}): Child => {
  const child = spawn(path, [...before, '-c', ...args], {
    detached: true,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.push(child);
  return child;
};

/** Resolves with what a child has said when it has said this. */
const said = (child: Child, what: string): Promise<string> => {
  let text = '';
  return new Promise(resolve =>
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes(what)) resolve(text);
    }),
  );
};

const closed = (child: Child): Promise<unknown> => new Promise(resolve => child.once('close', resolve));

const stand = async (shell: Shell, tickS = 60): Promise<{ warden: Child; nonce: string }> => {
  const nonce = randomBytes(8).toString('hex');
  const warden = start(shell, [WARDEN_SCRIPT, 'sh', nonce, String(tickS), REAP_SCRIPT, '100', '300', '300']);
  await said(warden, `${nonce} up`);
  return { warden, nonce };
};

const grow = async (mark: Mark): Promise<void> => {
  grown.push(mark);
  const tree = start(SH, ['setsid sleep 8871 & trap "" INT; echo up; sleep 8872; sleep 8873'], { SALLYPORT_ID: mark });
  await said(tree, 'up');
};

describe.concurrent.each(shells.filter(({ name }) => name !== 'fish' && name !== 'zsh'))(
  'read by $name, the warden',
  shell => {
    test('ends what it guards when the channel closes, and nothing else', async () => {
      const [guarded, released, other] = [newMark(), newMark(), newMark()];
      for (const mark of [guarded, released, other]) await grow(mark);
      const { warden, nonce } = await stand(shell);
      warden.stdin.end(`guard ${guarded}\nguard ${released}\nbeat\nrelease ${released}\n`);
      await closed(warden);
      expect(await processesWith(guarded)).toEqual([]);
      expect((await processesWith(released)).length).toBeGreaterThan(0);
      expect((await processesWith(other)).length).toBeGreaterThan(0);
      await noneLeft(nonce);
    });

    test('ends it in silence too, and goes on for as long as it is beaten', async () => {
      const mark = newMark();
      await grow(mark);
      const { warden, nonce } = await stand(shell, 1);
      const silent = said(warden, `${nonce} silent`);
      warden.stdin.write(`guard ${mark}\n`);
      await silent;
      await noneLeft(mark);
      await closed(warden);
      await noneLeft(nonce);
    });

    test('reaps when it is told to, and stays', async () => {
      const [one, two] = [newMark(), newMark()];
      await grow(one);
      await grow(two);
      const { warden, nonce } = await stand(shell);
      const [first, second] = ['1111111111111111', '2222222222222222'];
      const answered = said(warden, `${second} end`);
      warden.stdin.write(`guard ${one}\nguard ${two}\nreap ${first} 100 300 300 ${one}\n`);
      await noneLeft(one);
      expect((await processesWith(two)).length).toBeGreaterThan(0);
      warden.stdin.write(`reap ${second} 100 300 300 ${one} ${two}\n`);
      expect(readAnswer(await answered, second)).toEqual({ proven: true, signals: ['INT', 'TERM'], remaining: [] });
      warden.stdin.end('leave\n');
      await closed(warden);
      await noneLeft(nonce);
    });
  },
);

test.concurrent('a warden that guards nothing leaves at once', async () => {
  const { warden, nonce } = await stand(SH);
  warden.stdin.end();
  await closed(warden);
  await noneLeft(nonce);
});

test.concurrent('it takes a beat for what it is: silence counts from the last one', async () => {
  const mark = newMark();
  await grow(mark);
  const { warden, nonce } = await stand(SH, 1);
  const silent = said(warden, `${nonce} silent`);
  warden.stdin.write(`guard ${mark}\n`);
  const began = performance.now();
  const beats = setInterval(() => warden.stdin.write('beat\n'), 500);
  setTimeout(() => clearInterval(beats), 4_000);
  await silent;
  expect(performance.now() - began).toBeGreaterThan(7_000);
  await noneLeft(mark);
});
