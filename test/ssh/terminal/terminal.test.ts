import { accessSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestFleet, testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';
import { openTerminal, type TestTerminal } from '../../support/terminals.ts';

/** A shell without startup files, that asks with two characters. */
const BASH = { argv: ['/usr/bin/env', 'PS1=# ', '/bin/bash', '--norc', '--noprofile', '-i'] } as const;

let sshd: Sshd;
let web: TestFleet;
let temp: TempFolder;
beforeAll(async () => {
  for (const program of ['vim', 'htop', 'less', 'top', 'python3']) accessSync(`/usr/bin/${program}`);
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
  temp = await tempFolder();
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
  await temp.remove();
});

const using = (terminal: TestTerminal): AsyncDisposable & TestTerminal => ({
  ...terminal,
  [Symbol.asyncDispose]: async () => void (await terminal.end().catch(() => undefined)),
});

describe('the state of the login shell', () => {
  let shell: TestTerminal;
  beforeAll(async () => {
    shell = await openTerminal(web);
  });
  afterAll(async () => void (await shell.end()));

  test('is a prompt, on a terminal of the size that was asked for', async () => {
    await shell.until('prompt');
    const { text } = await shell.line('stty size; echo $TERM; tty');
    expect(text).toMatch(/24 80\n+xterm-256color\n+\/dev\//);
    expect(text).not.toContain('\u0002');
    expect(shell.terminal.mode).toBe('terminal');
  });

  test.each([
    ['sleep 60', 'running', 'sleep', ['ctrl-c']],
    ['cat', 'waiting_input', 'cat', ['ctrl-d']],
    ['bash -c "read x"', 'waiting_input', 'bash', ['enter']],
    ['bash -c "read -s x"', 'password', 'bash', ['ctrl-c']],
    ['bash -c "while :; do :; done"', 'running', 'bash', ['ctrl-c']],
    ['/usr/bin/python3 -q', 'waiting_input', 'python3', ['ctrl-d']],
    ['/usr/bin/python3 -c "input()"', 'waiting_input', 'python3', ['enter']],
    ['tail -f /dev/null', 'running', 'tail', ['ctrl-c']],
    ['vim -u NONE', 'fullscreen', 'vim', ['escape', ':', 'q', '!', 'enter']],
    ['less /etc/services', 'fullscreen', 'less', ['q']],
    ['htop', 'fullscreen', 'htop', ['f10']],
    ['top', 'fullscreen', 'top', ['q']],
  ] as const)('in %s is %s', async (text, state, program, keys) => {
    await shell.until('prompt');
    await shell.send({ text, keys: ['enter'] });
    await shell.until(state, program);
    await shell.send({ keys });
    await shell.until('prompt');
  });

  test('is ended once it exits, with its status', async () => {
    await using other = using(await openTerminal(web));
    expect(await other.line('exit 7')).toMatchObject({ state: 'ended' });
    expect(await other.terminal.command.ended).toEqual({ how: 'exited', code: 7 });
    await expect(other.send({ text: 'x' })).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });
});

describe('typing', () => {
  let shell: TestTerminal;
  beforeAll(async () => {
    shell = await openTerminal(web, BASH);
  });
  afterAll(async () => void (await shell.end()));

  test('sends exactly what was typed, and no Enter behind it', async () => {
    expect(await shell.type({ text: 'echo one two' })).toMatchObject({ text: 'echo one two', state: 'waiting_input' });
    expect((await shell.type({ keys: ['backspace', 'backspace', 'backspace', 'enter'] })).text).toContain('\none');
  });

  test('sends the keys that programs know', async () => {
    await shell.send({ text: 'cat -v', keys: ['enter'] });
    await shell.until('waiting_input', 'cat');
    const { text } = await shell.type({ keys: ['up', 'f5', 'alt-x', 'delete', 'shift-tab', 'enter'] });
    expect(text).toContain('^[[A^[[15~^[x^[[3~^[[Z\n');
    await shell.type({ keys: ['ctrl-d'] });
  });

  test('sends the keys of the cursor as the program asked for them', async () => {
    await shell.send({ text: "printf '\\033[?1h'; cat -v; printf '\\033[?1l'", keys: ['enter'] });
    await shell.until('waiting_input', 'cat');
    expect((await shell.type({ keys: ['up', 'home', 'enter'] })).text).toContain('^[OA^[OH\n');
    await shell.type({ keys: ['ctrl-d'] });
  });

  test('pastes several lines where the program asks to be told of that, and types them where not', async () => {
    const { text } = await shell.type({ text: 'echo a\necho b' });
    expect(text).not.toContain('\na\n');
    expect((await shell.type({ keys: ['enter'] })).text).toMatch(/\na\n+b\n/);
    await shell.send({ text: 'cat >/dev/null', keys: ['enter'] });
    await shell.until('waiting_input', 'cat');
    expect((await shell.type({ text: 'c\nd' })).text).toMatch(/c\n+d$/);
    await shell.type({ keys: ['enter', 'ctrl-d'] });
  });

  test('interrupts with ctrl-c, suspends with ctrl-z, ends input with ctrl-d', async () => {
    await shell.send({ text: 'sleep 71', keys: ['enter'] });
    await shell.until('running', 'sleep');
    expect((await shell.type({ keys: ['ctrl-z'] })).text).toContain('Stopped');
    await shell.send({ text: 'fg', keys: ['enter'] });
    await shell.until('running', 'sleep');
  });

  test('reaches what runs in the foreground', async () => {
    expect((await shell.type({ keys: ['ctrl-c'] })).state).toBe('waiting_input');
    expect((await shell.line('echo $?')).text).toContain('130');
  });
});

describe('a line in line mode', () => {
  test('of 4095 bytes arrives, and a longer one is refused before it would be cut', async () => {
    await using counter = using(await openTerminal(web, 'wc -c'));
    await counter.until('waiting_input');
    await expect(counter.send({ text: 'x'.repeat(4_096) })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(counter.send({ text: `${'é'.repeat(2_048)}\n` })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await counter.send({ text: `${'x'.repeat(4_095)}\n${'y'.repeat(4_095)}\n` });
    await counter.send({ keys: ['ctrl-d'] });
    await counter.shows('8192');
    expect(await counter.terminal.command.ended).toEqual({ how: 'exited', code: 0 });
  });
});

describe('a password', () => {
  test('is not typed by whoever sends, and can be left', async () => {
    await using asking = using(await openTerminal(web, 'read -rsp "Password: " x; echo "got <$x>"'));
    await asking.until('password');
    for (const typed of [{ text: 'secret\n' }, { keys: ['a', 'enter'] }, { text: 'x', keys: ['ctrl-c'] }])
      await expect(asking.send(typed)).rejects.toMatchObject({
        code: 'PASSWORD_ASKED',
        message: expect.not.stringContaining('secret'),
      });
    await asking.send({ size: { cols: 100, rows: 30 } });
    await asking.send({ keys: ['ctrl-c'] });
    expect((await asking.terminal.command.ended).how).not.toBe('lost');
    expect(asking.terminal.transcript.read(0, 1e6).text).not.toContain('got');
  });
});

describe('a program on a terminal', () => {
  test('is what was asked for, word by word, with no shell between', async () => {
    await using one = using(await openTerminal(web, { argv: ['printf', '%s|', 'a b', '$HOME', "it's", '*', ''] }));
    await one.shows("a b|$HOME|it's|*||");
    expect(await one.terminal.command.ended).toEqual({ how: 'exited', code: 0 });
  });

  test('in its canonical form is run by /bin/sh', async () => {
    await using one = using(await openTerminal(web, { canonical: "'echo' '$0' | 'cat'" }));
    await one.shows('$0\n');
  });

  test('knows of a new size', async () => {
    await using one = using(
      await openTerminal(web, "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"),
    );
    await one.shows('ready');
    await one.send({ size: { cols: 132, rows: 43 } });
    await one.shows('43 132');
    expect(one.terminal.size).toEqual({ cols: 132, rows: 43 });
  });

  test('that writes without end stays bounded, is cut short in an answer, and obeys ctrl-c', async () => {
    await using flood = using(await openTerminal(web, BASH));
    const answer = await flood.line('yes');
    expect(answer.state).toBe('running');
    await flood.send({ keys: ['ctrl-c'] });
    await flood.until('waiting_input');
    const kept = flood.terminal.transcript.read(0, 1e9).text.length;
    expect(kept).toBeLessThanOrEqual(262_144);
    expect(flood.terminal.transcript.length).toBeGreaterThan(262_144);
    expect((await flood.line('echo after')).text).toContain('\nafter\n');
    expect((await flood.terminal.screen()).lines).toContain('after');
  });

  test('shows its output as safe text', async () => {
    await writeFile(join(temp.path, 'evil'), '\u001b]0;t\u0007\u001b[31mred\u001b[0m \u202eabc \u009b1m\u0000 end\n');
    await using one = using(await openTerminal(web, { argv: ['cat', join(temp.path, 'evil')] }));
    const text = await one.shows('end');
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('red \\u{202e}abc');
  });
});
