import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Screen } from '../../../src/ssh/terminal/terminal-screen.ts';
import { type TestFleet, testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { openTerminal, type TestTerminal } from '../../support/terminals.ts';

let sshd: Sshd;
let web: TestFleet;
let temp: TempFolder;
beforeAll(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
  temp = await tempFolder();
  await writeFile(join(temp.path, 'numbers'), Array.from({ length: 500 }, (_, at) => `line ${at + 1}\n`).join(''));
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
  await temp.remove();
});

/** The screen once it is so, or an error with the last one after ten seconds. */
const screenOnce = async ({ terminal }: TestTerminal, is: (screen: Screen) => boolean): Promise<Screen> => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const screen = await terminal.screen();
    if (is(screen)) return screen;
    if (performance.now() > deadline) throw new Error(JSON.stringify(screen));
    await Promise.race([
      terminal.transcript.grown(terminal.transcript.length),
      new Promise(resolve => setTimeout(resolve, 100)),
    ]);
  }
};

test('vim is seen and used as a person does', async () => {
  const file = join(temp.path, 'note');
  const vim = await openTerminal(web, { argv: ['vim', '-u', 'NONE', '-N', '-c', 'set title', file] });
  await vim.until('fullscreen');
  await vim.send({ text: 'ihello', keys: ['enter'] });
  await vim.send({ text: 'world', keys: ['left'] });
  await screenOnce(vim, ({ lines, cursor }) => lines[1] === 'world' && cursor.column === 4);
  await vim.send({ keys: ['escape'] });
  const screen = await screenOnce(vim, ({ lines, cursor }) => lines[1] === 'world' && cursor.column === 3);
  expect(screen).toMatchObject({ cols: 80, rows: 24, alternate: true, cursor: { row: 1, column: 3, visible: true } });
  expect(screen.lines.slice(0, 3)).toEqual(['hello', 'world', '~']);
  expect(screen.title).toContain('note');
  await vim.send({ size: { cols: 60, rows: 10 } });
  await screenOnce(vim, ({ lines, cols }) => cols === 60 && lines.length === 10 && lines[0] === 'hello');
  await vim.send({ text: ':wq', keys: ['enter'] });
  expect(await vim.terminal.command.ended).toEqual({ how: 'exited', code: 0 });
  await vim.end();
});

test('less scrolls by keys, and its screen is gone when it is left', async () => {
  const shell = await openTerminal(web, {
    argv: ['/usr/bin/env', 'PS1=# ', '/bin/bash', '--norc', '--noprofile', '-i'],
  });
  await shell.send({ text: `less ${join(temp.path, 'numbers')}`, keys: ['enter'] });
  await screenOnce(shell, ({ lines }) => lines[0] === 'line 1' && lines[22] === 'line 23');
  await shell.send({ keys: ['page-down'] });
  await screenOnce(shell, ({ lines }) => lines[0] === 'line 24');
  await shell.send({ text: 'G' });
  await screenOnce(shell, ({ lines }) => lines[22] === 'line 500');
  await shell.send({ text: 'q' });
  const screen = await screenOnce(shell, ({ alternate }) => !alternate);
  expect(screen.lines[0]).toMatch(/^# less /);
  await shell.end();
});

test('htop is painted whole, and left by f10', async () => {
  const htop = await openTerminal(web, { argv: ['htop'] });
  const screen = await screenOnce(htop, ({ lines }) => lines.at(-1)?.includes('F10Quit') === true);
  expect(screen.alternate).toBe(true);
  await htop.send({ keys: ['f10'] });
  expect(await htop.terminal.command.ended).toEqual({ how: 'exited', code: 0 });
  await htop.end();
});

test('top is painted, and left by q', async () => {
  const top = await openTerminal(web, { argv: ['top', '-d', '1'] }, { size: { cols: 100, rows: 30 } });
  const screen = await screenOnce(top, ({ lines }) => lines.some(line => /PID USER/.test(line)));
  expect(screen.lines[0]).toMatch(/^top - /);
  expect(screen.cols).toBe(100);
  await top.send({ text: 'q' });
  expect(await top.terminal.command.ended).toEqual({ how: 'exited', code: 0 });
  await top.end();
});

test('a screen is right after more output than is kept, and shows nothing that cannot be seen', async () => {
  const script = `printf '\\033[?1049h'; i=0; while [ $i -lt 9000 ]; do i=$((i+1)); printf '%s ........................................\\r\\n' $i; done; printf '\\033[2J\\033[Hlast \\342\\200\\256\\302\\233 \\033]0;name\\007'; read -r x`;
  const one = await openTerminal(web, { argv: ['sh', '-c', script] });
  const screen = await screenOnce(one, ({ lines }) => lines[0]?.startsWith('last') === true);
  expect(screen).toMatchObject({ lines: [expect.stringMatching(/^last [!-~]*$/)], alternate: true, title: 'name' });
  expect(one.terminal.transcript.received().bytes).toBeGreaterThan(300_000);
  expect((await one.terminal.screen()).lines).toEqual(screen.lines);
  await one.end();
});

test('a flood between two looks is taken in one step', async () => {
  const one = await openTerminal(web, {
    argv: ['sh', '-c', 'echo first; read -r x; seq 200000; echo done; read -r x'],
  });
  await screenOnce(one, ({ lines }) => lines[0] === 'first');
  await one.send({ keys: ['enter'] });
  const screen = await screenOnce(one, ({ lines }) => lines.at(-1) === 'done');
  expect(screen.lines.at(-2)).toBe('200000');
  await one.end();
});
