import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendLine, type TestFleet, type TestSession, testFleet } from '../../support/fleet.ts';
import { mayChooseAccount, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(() => temp.remove());

/** A session of an account with this login shell and these files at home, and where its lines leave what they did. */
type House = AsyncDisposable & { readonly web: TestFleet; readonly shell: TestSession; readonly leavings: string };

const house = async (path: string, files: Readonly<Record<string, string>> = {}): Promise<House> => {
  const home = join(temp.path, `home-${(await readdir(temp.path)).length}`);
  const leavings = join(home, 'tmp');
  await mkdir(leavings, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text);
  const sshd: Sshd = await startSshd({
    account: { shell: path, home },
    config: [`SetEnv XDG_RUNTIME_DIR=${leavings} OWN=account`],
  });
  const web = testFleet(await sshd.host(), sshd);
  const shell = await web.open();
  return {
    web,
    shell,
    leavings,
    [Symbol.asyncDispose]: async () => {
      await shell.end();
      web[Symbol.dispose]();
      await sshd.close();
    },
  };
};

/** What a line came back with beside its answer: the session's note. */
const noteOf = async (shell: TestSession, text: string): Promise<string | undefined> => {
  const line = await shell.begin(text);
  if (line.kind !== 'command') throw new Error('a line that is a command was meant');
  return await line.note;
};

const NOT_BACK = expect.stringContaining('did not come back');
const INTERRUPTED = 'What an interrupted line did to directory and environment is not kept.';

/** Those of them that an account may have here. */
const loginShells = (...paths: readonly string[]): readonly string[] =>
  mayChooseAccount() ? paths.filter(path => existsSync(path)) : [];

test('an account has one of these shells where it may be chosen', () => {
  expect(loginShells('/bin/bash')).toEqual(mayChooseAccount() ? ['/bin/bash'] : []);
});

describe.each(loginShells('/bin/bash', '/bin/dash', '/bin/zsh', '/usr/bin/yash'))('the login shell %s', path => {
  let here: House;
  beforeAll(async () => {
    here = await house(path);
  });
  afterAll(() => here[Symbol.asyncDispose]());

  test('tells what a text did to directory and environment, however the text ends', async () => {
    const { shell, leavings } = here;
    await shell.send('cd /usr && export A=1; false');
    await shell.send('set -e; cd bin; export B="$(printf "x\\ny")"; exit 3; echo never');
    expect([shell.session.cwd, shell.session.env]).toEqual(['/usr/bin', { A: '1', B: 'x\ny' }]);
    expect((await shell.send('cd - >/dev/null; unset A OWN; export C="$B|${A-gone}"')).code).toBe(0);
    expect([shell.session.cwd, shell.session.env]).toEqual(['/usr', { B: 'x\ny', C: 'x\ny|gone' }]);
    expect((await shell.send('printf "%s|" "$A" "$B" "$C" "$OWN" "$PWD"')).stdout).toBe('|x\ny|x\ny|gone||/usr|');
    expect(await readdir(leavings)).toEqual([]);
  });

  test.each([
    ['cd /; exec true', NOT_BACK],
    ['cd /; trap - EXIT', NOT_BACK],
    ["cd /; trap 'exit 7' EXIT", NOT_BACK],
    ["cd / && echo 'unfinished", NOT_BACK],
    ['cd / && kill -s KILL $$', INTERRUPTED],
    ['cd /; kill $$', INTERRUPTED],
    ['cd /; exit 130', INTERRUPTED],
  ])('after %j the session is as before, and says so', async (text, note) => {
    const { shell, leavings } = here;
    await shell.send('cd /usr');
    expect(await noteOf(shell, text)).toEqual(note);
    expect([shell.session.cwd, shell.session.note]).toEqual(['/usr', note]);
    await shell.send('true');
    expect(await readdir(leavings)).toEqual([]);
  });

  test('keeps status and streams of the text as they are', async () => {
    const { shell } = here;
    expect(await shell.send("trap 'echo bye' EXIT; echo err >&2; exit 6")).toEqual({
      code: 6,
      stdout: 'bye\n',
      stderr: 'err\n',
    });
    expect(await shell.send('set -x; true')).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^\+\S* true\n$/),
    });
    expect(await shell.send('exec >/dev/null; echo lost; exit 9')).toEqual({ code: 9, stdout: '', stderr: '' });
  });
});

test.each(loginShells('/bin/zsh'))(
  'what startup files say and set is no doing of a line, and does not undo what one did (%s)',
  async path => {
    await using here = await house(path, {
      '.zshenv': 'echo hello; export PATH=/front:$PATH; export EACH=$RANDOM\n',
    });
    const { shell } = here;
    expect((await shell.send('pwd')).stdout).toMatch(/home-\d+\n$/);
    expect(shell.session.env).toEqual({});
    await shell.send('PATH=/mine:$PATH; cd /usr');
    const { PATH } = shell.session.env;
    expect(PATH).toMatch(/^\/mine:\/front:(?!.*front)/);
    expect((await shell.send('echo "$PATH"')).stdout).toBe(`hello\nhello\n${PATH}\n`);
    expect([shell.session.cwd, shell.session.env.PATH]).toEqual(['/usr', PATH]);
  },
);

test.each(loginShells('/usr/bin/fish', '/bin/tcsh', '/bin/mksh', '/bin/ksh93'))(
  '%s cannot tell, and that is said only of a line that may matter',
  async path => {
    await using here = await house(path);
    const { shell, leavings } = here;
    expect(await noteOf(shell, 'cd /usr; true')).toMatch(/cannot tell what a line does/);
    expect(await noteOf(shell, 'ls /usr')).toBeUndefined();
    await shell.send('cd /usr');
    expect((await shell.send('pwd -P; true')).stdout).toBe('/usr\n');
    expect(await readdir(leavings)).toEqual([]);
  },
);

test.each(loginShells('/bin/bash'))(
  'values that no command line can carry, and more than a session keeps, are named and not kept (%s)',
  async path => {
    await using here = await house(path);
    const { shell } = here;
    expect(await noteOf(shell, "export ODD=$'\\xff' EVEN=1; cd /usr")).toBe('Not kept, being no text: ODD.');
    expect([shell.session.cwd, shell.session.env]).toEqual(['/usr', { EVEN: '1' }]);
    expect(await noteOf(shell, 'export BIG="$(head -c 70000 /dev/zero | tr "\\0" x)"; cd /')).toMatch(
      /^The environment was not kept/,
    );
    expect([shell.session.cwd, shell.session.env]).toEqual(['/', { EVEN: '1' }]);
    expect(await noteOf(shell, 'mkdir -p "$HOME"/$\'\\e[31m\'; cd "$HOME"/$\'\\e[31m\'; export X=1')).toMatch(
      /^The name of its directory/,
    );
    expect([shell.session.cwd, shell.session.env]).toEqual(['/', { EVEN: '1', X: '1' }]);
  },
);

test.each(loginShells('/bin/bash'))(
  'names that mean something to a shell or to JavaScript are kept as any other (%s)',
  async path => {
    await using here = await house(path);
    const { shell } = here;
    await shell.send('export __proto__=1 constructor=2 PS1=3 IFS=x LINES=4 SALLYPORT_KEPT_0=5; true');
    expect(Object.entries(shell.session.env).sort()).toEqual([
      ['LINES', '4'],
      ['PS1', '3'],
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
    expect((await shell.send('echo "$__proto__ $constructor $PS1"; env | grep -c KEPT')).stdout).toBe('1 2 3\n0\n');
  },
);

test.each(loginShells('/bin/bash'))(
  'a function with the name of a program of ours answers for nothing (%s)',
  async path => {
    await using here = await house(path);
    expect(await noteOf(here.shell, '/bin/sh() { echo "/ forged"; }; cd /; export X=1')).toEqual(NOT_BACK);
    expect(here.shell.session.env).toEqual({});
  },
);

test.each(loginShells('/bin/bash'))(
  'a file that somebody else put in the place of ours is not believed (%s)',
  async path => {
    await using here = await house(path);
    const { shell } = here;
    const forge = 'file=$(trap -p EXIT | grep -o "/[^ ]*/.sallyport-[0-9a-f]*" | head -n 1)';
    expect(await noteOf(shell, `${forge}; cd /; echo forged >"$file"`)).toEqual(NOT_BACK);
    expect(await noteOf(shell, `${forge}; cd /; ln -s /etc/passwd "$file"`)).toEqual(NOT_BACK);
    expect(shell.session.env).toEqual({});
    expect(await readdir(here.leavings)).toEqual([]);
  },
);

test.each(loginShells('/bin/bash'))(
  'what a rule says of output is said of the line, not of what the session asks for itself (%s)',
  async path => {
    await using here = await house(path);
    const { web, shell } = here;
    const { id, target, cwd } = web.fleet.directory.session('local', shell.session.id);
    const action = {
      kind: 'exec',
      target,
      program: { text: 'cd /usr; echo ok' },
      cwd,
      env: {},
      timeoutMs: 5000,
      session: id,
    } as const;
    const line = await sendLine(web.fleet, web.permit(action, 'local', { maxOutputBytes: 10 }));
    if (line.kind !== 'command') throw new Error('a line of two commands is one');
    expect(await line.note).toBeUndefined();
    expect(shell.session.cwd).toBe('/usr');
  },
);

test.each(loginShells('/bin/bash'))(
  'a line that is stopped is not kept, and the next one runs at once (%s)',
  async path => {
    await using here = await house(path);
    const { web, shell, leavings } = here;
    const line = await shell.begin('cd /usr; trap "exit 0" INT; echo up; sleep 871');
    if (line.kind !== 'command') throw new Error('a line that sleeps is a command');
    await line.command.stdout.grown(0);
    expect((await web.cancel(line.command)).outcome).toBe('confirmed');
    expect(await line.note).toBe(INTERRUPTED);
    expect((await shell.send('echo next; cd /usr')).stdout).toBe('next\n');
    expect(shell.session.cwd).toBe('/usr');
    expect(await readdir(leavings)).toEqual([]);
  },
);

test.each(loginShells('/bin/bash'))(
  'what a server that was killed left a day ago is removed by the next session, and nothing else (%s)',
  async path => {
    await using here = await house(path);
    const { web, shell, leavings } = here;
    await shell.send(
      `touch -d '2 days ago' ${leavings}/.sallyport-old ${leavings}/other; touch ${leavings}/.sallyport-new`,
    );
    await (await web.open()).end();
    expect((await readdir(leavings)).sort()).toEqual(['.sallyport-new', 'other']);
  },
);
