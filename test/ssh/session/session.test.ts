import { mkdir, rm, symlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sendLine, type TestFleet, type TestSession, testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

/** The account's own, which is where sshd begins, whatever HOME says here. */
const HOME = userInfo().homedir;

let sshd: Sshd;
let web: TestFleet;
let temp: TempFolder;
let shell: TestSession;
beforeAll(async () => {
  sshd = await startSshd();
  web = testFleet(await sshd.host(), sshd);
  temp = await tempFolder();
  await mkdir(join(temp.path, 'two words', 'deep'), { recursive: true });
  await symlink('two words', join(temp.path, 'link'));
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
  await temp.remove();
});
beforeEach(async () => {
  shell = await web.open();
  return async () => void (await shell.end().catch(() => undefined));
});

const ok = { code: 0, stdout: '', stderr: '' };

describe('the directory', () => {
  test("is the account's own at first", async () => {
    expect(shell.session.cwd).toBe(HOME);
    expect(await shell.send('pwd')).toEqual({ code: 0, stdout: `${HOME}\n`, stderr: '' });
  });

  test('follows cd, by the name that the host gives it, and lasts', async () => {
    expect(await shell.send(`cd ${temp.path}`)).toEqual(ok);
    expect(await shell.send('cd "two words"')).toEqual(ok);
    expect(shell.session.cwd).toBe(join(temp.path, 'two words'));
    expect((await shell.send('/bin/pwd')).stdout).toBe(`${temp.path}/two words\n`);
    expect(await shell.send('cd ..')).toEqual(ok);
    expect(await shell.send('cd link')).toEqual(ok);
    expect(shell.session.cwd).toBe(join(temp.path, 'two words'));
    expect(await shell.send('cd -')).toEqual({ code: 0, stdout: `${temp.path}\n`, stderr: '' });
    expect(await shell.send('cd two*')).toEqual(ok);
    expect(await shell.send('cd "$PWD/deep"')).toEqual(ok);
    expect(shell.session.cwd).toBe(join(temp.path, 'two words', 'deep'));
    expect(await shell.send('cd "$(dirname "$PWD")"')).toEqual(ok);
    expect(shell.session.cwd).toBe(join(temp.path, 'two words'));
    expect(await shell.send('cd')).toEqual(ok);
    expect(shell.session.cwd).toBe(HOME);
    expect(await shell.send('cd / # the root')).toEqual(ok);
    expect(await shell.send('cd ~')).toEqual(ok);
    expect(shell.session.cwd).toBe(HOME);
  });

  test('stays when cd cannot go there', async () => {
    await shell.send(`cd ${temp.path}`);
    const nowhere = await shell.send('cd nowhere');
    expect(nowhere).toEqual({
      code: expect.toSatisfy(code => code !== 0),
      stdout: '',
      stderr: expect.stringContaining('nowhere'),
    });
    expect((await shell.send('cd tw* li*')).code).not.toBe(0);
    expect(shell.session.cwd).toBe(temp.path);
  });

  test('there is no previous one before the first cd', async () => {
    expect(await shell.send('cd -')).toEqual({ code: 1, stdout: '', stderr: 'cd: there is no previous directory\n' });
  });

  test('that is gone harms no more than the lines in it', async () => {
    const gone = join(temp.path, 'gone');
    await mkdir(gone);
    await shell.send(`cd ${gone}`);
    await rm(gone, { recursive: true });
    expect(await shell.send('echo here')).toEqual({ code: 125, stdout: '', stderr: expect.stringContaining(gone) });
    expect(await shell.send('cd /')).toEqual(ok);
    expect(await shell.send('echo here')).toEqual({ code: 0, stdout: 'here\n', stderr: '' });
  });

  test('with a name that cannot be shown as it is, is not entered', async () => {
    await mkdir(join(temp.path, 'red\u001b[31m'));
    await shell.send(`cd ${temp.path}`);
    expect(await shell.send('cd red*')).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be shown') });
    expect(shell.session.cwd).toBe(temp.path);
  });

  test('is where a line went that did more than go', async () => {
    await shell.send(`cd ${temp.path}`);
    expect((await shell.send('cd / && /bin/pwd')).stdout).toBe('/\n');
    expect(shell.session.cwd).toBe('/');
    expect((await shell.send('cd - && cd "two words"')).stdout).toBe(`${temp.path}\n`);
    expect(shell.session.cwd).toBe(join(temp.path, 'two words'));
    expect((await shell.send('cd -')).stdout).toBe(`${temp.path}\n`);
  });

  test('is not changed by what only a subshell did', async () => {
    await shell.send(`cd ${temp.path}`);
    expect((await shell.send('(cd /; pwd); x=$(cd /usr; pwd); cd / | cat')).stdout).toBe('/\n');
    expect(shell.session.cwd).toBe(temp.path);
  });
});

describe('the environment', () => {
  test('lasts from line to line', async () => {
    expect(await shell.send(`export ONE=1 TWO='two words' THREE="it's \\$3"`)).toEqual(ok);
    expect((await shell.send('printf "%s|" "$ONE" "$TWO" "$THREE"')).stdout).toBe("1|two words|it's $3|");
    expect(await shell.send('unset ONE')).toEqual(ok);
    expect((await shell.send('printf "%s|" "$ONE" "$TWO"')).stdout).toBe('|two words|');
    expect(shell.session.env).toEqual({ TWO: 'two words', THREE: "it's $3" });
  });

  test('takes values that only the host knows', async () => {
    await shell.send('export BASE=/opt');
    expect(await shell.send('export PATH="$BASE/bin:$PATH" WHO=$(echo "a  b"; echo c)')).toEqual(ok);
    expect((await shell.send('echo "$PATH"')).stdout).toMatch(/^\/opt\/bin:\//);
    expect(shell.session.env.WHO).toBe('a  b\nc');
  });

  test('says what it cannot do', async () => {
    expect(await shell.send('export SALLYPORT_ID=x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('SALLYPORT_ID'),
    });
    expect(await shell.send(`export BIG=${'x'.repeat(70_000)}`)).toMatchObject({ code: 1 });
    expect(shell.session.env).toEqual({});
  });

  test('is what a line made of it that did more than export', async () => {
    await shell.send('export A=1; true');
    await shell.send('A=2 true; B=3');
    expect(shell.session.env).toEqual({ A: '1' });
    await shell.send('export A="$A-2" C="$(printf \'x\\ny\\n\\n\')"; exit 4');
    expect(shell.session.env).toEqual({ A: '1-2', C: 'x\ny' });
    await shell.send('unset A; (export C=inner)');
    expect(shell.session.env).toEqual({ C: 'x\ny' });
  });

  test('can be without what the account has', async () => {
    expect(await shell.send('unset HOME')).toEqual(ok);
    expect((await shell.send('echo "[$HOME]"; unset USER')).stdout).toBe('[]\n');
    expect((await shell.send('echo "[$HOME$USER]"')).stdout).toBe('[]\n');
    await shell.send('export HOME=/srv');
    expect((await shell.send('echo "[$HOME$USER]"')).stdout).toBe('[/srv]\n');
  });
});

describe('a line', () => {
  test.each([
    ['echo out; echo err >&2; exit 3', { code: 3, stdout: 'out\n', stderr: 'err\n' }],
    ['kill -s KILL $$', { code: 'signalled', stdout: '', stderr: '' }],
    ['echo shown # not shown', { code: 0, stdout: 'shown\n', stderr: '' }],
    ['cat <<END\n$((6*7))\nEND', { code: 0, stdout: '42\n', stderr: '' }],
    ['cat', { code: 0, stdout: '', stderr: '' }],
  ])('%j ends by itself and leaves the session as it was', async (text, answer) => {
    expect(await shell.send(text)).toEqual(answer);
    expect(await shell.send('echo next')).toEqual({ code: 0, stdout: 'next\n', stderr: '' });
  });

  test('with an unfinished quote is an error of the shell, and the session goes on', async () => {
    expect(await shell.send("echo 'unfinished")).toMatchObject({
      code: expect.toSatisfy(code => code === 1 || code === 2),
    });
    expect((await shell.send('echo next')).stdout).toBe('next\n');
  });

  test('that is stuck is stopped without losing the session', async () => {
    await shell.send('cd /usr');
    await shell.send('export KEPT=yes');
    const line = await shell.begin('echo up; sleep 873');
    if (line.kind !== 'command') throw new Error('a line that sleeps is a command');
    expect(shell.session.running).toBe(line.command);
    await expect(shell.send('echo second')).rejects.toMatchObject({
      code: 'BUSY',
      details: { command_id: line.command.id },
    });
    await expect(shell.send('cd /')).rejects.toMatchObject({ code: 'BUSY' });
    expect((await web.cancel(line.command)).outcome).toBe('confirmed');
    expect(shell.session.running).toBeUndefined();
    expect((await shell.send('/bin/pwd; echo $KEPT')).stdout).toBe('/usr\nyes\n');
  });

  test('runs alone: of two at once the second is told to wait', async () => {
    const [first, second] = await Promise.allSettled([shell.send('sleep 0.1; echo one'), shell.send('echo two')]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { stdout: 'one\n' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } });
  });

  test('runs where it was judged, though the session has moved on', async () => {
    const { fleet, target, permit } = web;
    const { id, cwd, env } = fleet.directory.session('local', shell.session.id);
    await shell.send('cd /usr');
    const action = {
      kind: 'exec',
      target,
      program: { text: '/bin/pwd' },
      cwd,
      env,
      timeoutMs: 5000,
      session: id,
    } as const;
    const line = await sendLine(fleet, permit(action));
    if (line.kind !== 'command') throw new Error('pwd by path is a command');
    await line.command.ended;
    expect(line.command.stdout.read(0, 100).text).toBe(`${HOME}\n`);
  });
});

describe('the session', () => {
  test('keeps what its lines wrote, in the order it came', async () => {
    await shell.send('echo out; sleep 0.05; echo err >&2; sleep 0.05; printf "\\033[1mout\\033[0m\\n"');
    await shell.send('cd /no/such/place');
    await shell.send('echo last');
    expect(shell.session.transcript.read(0, 1000).text).toMatch(/^out\nerr\nout\n.*\/no\/such\/place.*\nlast\n$/s);
  });

  test('ends with the line that runs, and is unknown from then on', async () => {
    const line = await shell.begin('echo up; sleep 872');
    if (line.kind !== 'command') throw new Error('a line that sleeps is a command');
    expect(await shell.end()).toMatchObject({ outcome: 'confirmed', remaining: [] });
    expect((await line.command.ended).how).toBe('cancelled');
    await expect(shell.send('true')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
    await expect(shell.end()).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });

  test('had nothing to stop when no line ran', async () => {
    expect(await shell.end()).toEqual({ outcome: 'already_ended', signals: [], remaining: [] });
  });

  test('steps of its own are not left among the commands', async () => {
    await shell.send('cd /usr');
    await shell.send('export A=$HOME');
    const status = await web.fleet.status(web.permit({ kind: 'observe', what: 'status' }));
    expect(status.sessions).toMatchObject([{ session_id: shell.session.id, host: 'web', cwd: '/usr' }]);
    expect(status.commands.filter(({ status }) => status === 'running')).toEqual([]);
  });
});
