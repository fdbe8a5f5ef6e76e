import { chmod, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import type { AuthContext } from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { failureObject } from '../../../src/mcp/result.ts';
import type { Login } from '../../../src/ssh/host.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { startAgent } from '../../support/agent.ts';
import { manualClock } from '../../support/clock.ts';
import { run, testConnections } from '../../support/connections.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { makeKey, type Sshd, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

const CANARY = 'canary-7f3a-open-sesame';

let sshd: Sshd;
let temp: TempFolder;
beforeAll(async () => {
  [sshd, temp] = await Promise.all([startSshd(), tempFolder()]);
});
afterAll(async () => {
  await sshd.close();
  await temp.remove();
});

const secret = (text: string): Secret => new Secret({ env: 'SOME_SECRET' }, async () => text);
const noSecret = (): Secret =>
  new Secret({ command: ['pass', 'show', 'web'] }, async () => {
    throw new Error('pass exited with 1');
  });

type Auth = readonly [Login, ...Login[]];

/** `in`, or the failure. */
const logIn = async (auth: Auth): Promise<'in' | Failure> => {
  using connections = testConnections([await sshd.host({ auth })], { knownHosts: [sshd.knownHosts] });
  return await run(connections, 'printf in').then(
    () => 'in' as const,
    error => error,
  );
};
const failure = async (auth: Auth): Promise<Failure> => {
  const outcome = await logIn(auth);
  if (outcome === 'in') throw new Error('it was let in');
  return outcome;
};

test.each(['ed25519', 'ed25519-locked', 'rsa', 'ecdsa'] as const)('a key file logs in: %s', async kind => {
  const { path, passphrase } = await sshd.userKey(kind);
  const login = { kind: 'key', path, ...(passphrase === undefined ? {} : { passphrase: secret(passphrase) }) } as const;
  expect(await logIn([login])).toBe('in');
});

test.each(['ed25519', 'rsa', 'ecdsa'] as const)('a real ssh-agent logs in with a key it holds: %s', async kind => {
  await using agent = await startAgent();
  await agent.add((await sshd.userKey(kind)).path);
  expect(await logIn([{ kind: 'agent', socket: agent.socket }])).toBe('in');
});

test('the ways to log in are tried in their order until one is accepted', async () => {
  await using agent = await startAgent();
  await agent.add((await makeKey(`${temp.path}/agent-only`)).path);
  const stranger = await makeKey(`${temp.path}/order`);
  const { path } = await sshd.userKey();
  expect(
    await logIn([
      { kind: 'agent', socket: '/nowhere/agent.sock' },
      { kind: 'agent', socket: agent.socket },
      { kind: 'key', path: stranger.path },
      { kind: 'key', path },
    ]),
  ).toBe('in');
});

test('a refused key fails fast, after one attempt, and says what was tried', async () => {
  await using strict = await startSshd();
  const stranger = await makeKey(`${temp.path}/refused`);
  const host = await strict.host({ auth: [{ kind: 'key', path: stranger.path }] });
  using connections = testConnections([host], { knownHosts: [strict.knownHosts] });
  const error: Failure = await run(connections, 'true').catch(failed => failed);
  expect(error.code).toBe('AUTH_FAILED');
  expect(error.message).toBe(
    `Logging in as ${strict.user} on web (127.0.0.1:${strict.port}) failed: the host refused key. The host accepts: publickey.`,
  );
  expect(error.operator).toBe(
    `Logging in as ${strict.user} on web (127.0.0.1:${strict.port}) failed: the host refused key ${stranger.path}. The host accepts: publickey.`,
  );
  expect(connections.logged.join()).toContain(`the host refused key ${stranger.path}`);
  expect(error.next).toBe('Run sallyport hosts test web and correct the login in config.json.');
  await strict.waitForLog(/Failed publickey|Connection closed by authenticating/);
  await expect.poll(() => strict.counts()).toEqual({ connections: 1, logins: 0, sessions: 0 });
});

test('after a refused login the host is left alone for 30 seconds, and then asked once more', async () => {
  await using strict = await startSshd();
  const clock = manualClock();
  const stranger = await makeKey(`${temp.path}/breaker`);
  const host = await strict.host({ auth: [{ kind: 'key', path: stranger.path }] });
  using connections = testConnections([host], { knownHosts: [strict.knownHosts], clock });
  const attempt = async () => {
    const error: Failure = await run(connections, 'true').catch(failed => failed);
    return [error.code, error.details.retry_after_ms];
  };
  expect(await attempt()).toEqual(['AUTH_FAILED', undefined]);
  expect(await attempt()).toEqual(['AUTH_FAILED', 30_000]);
  clock.advance(29_999);
  expect(await Promise.all([attempt(), attempt()])).toEqual([
    ['AUTH_FAILED', 1],
    ['AUTH_FAILED', 1],
  ]);
  expect(connections.dials.length).toBe(1);
  clock.advance(1);
  expect(await Promise.all([attempt(), attempt(), attempt()])).toEqual([
    ['AUTH_FAILED', undefined],
    ['AUTH_FAILED', undefined],
    ['AUTH_FAILED', undefined],
  ]);
  expect(connections.dials.length).toBe(2);
});

test('a login that failed on this side costs no waiting', async () => {
  using connections = testConnections([await sshd.host({ auth: [{ kind: 'key', path: `${temp.path}/late` }] })], {
    knownHosts: [sshd.knownHosts],
    clock: manualClock(),
  });
  await expect(run(connections, 'true')).rejects.toMatchObject({ code: 'AUTH_FAILED', details: { tried: [] } });
  const { path } = await sshd.userKey();
  await temp.write('late', await readFile(path));
  expect(await run(connections, 'printf in')).toMatchObject({ stdout: 'in' });
});

test('a key that others may read is refused, as ssh refuses it', async () => {
  const open = await makeKey(`${temp.path}/open`);
  await chmod(open.path, 0o640);
  const error = await failure([{ kind: 'key', path: open.path }]);
  expect(error.message).toContain('key: A key cannot be used: others may read it (its mode is 0640).');
  expect(error.operator).toContain(
    `The key ${open.path} cannot be used: others may read it (its mode is 0640); run chmod 600 ${open.path}.`,
  );
  expect(error.details.tried).toEqual([]);
});

test.each([
  [
    'a locked key without a passphrase',
    async () => ({ kind: 'key', path: await locked() }),
    'it is locked and no passphrase is configured for it',
  ],
  [
    'a locked key with a wrong passphrase',
    async () => ({ kind: 'key', path: await locked(), passphrase: secret('wrong') }),
    'the configured passphrase does not open it',
  ],
  [
    'a passphrase that cannot be fetched',
    async () => ({ kind: 'key', path: await locked(), passphrase: noSecret() }),
    'The secret in command pass cannot be used: pass exited with 1.',
  ],
  [
    'a passphrase that is empty',
    async () => ({ kind: 'key', path: await locked(), passphrase: secret('') }),
    'it is empty',
  ],
  [
    'an agent that is not configured',
    async () => ({ kind: 'agent', socket: '' }),
    'SSH_AUTH_SOCK is not set for this process',
  ],
  ['a file that does not exist', async () => ({ kind: 'key', path: '/nowhere/id' }), 'ENOENT'],
  ['a folder', async () => ({ kind: 'key', path: temp.path }), 'it is no file'],
  ['a public key', async () => ({ kind: 'key', path: await publicKey() }), 'it is a public key'],
  [
    'a file that is no key',
    async () => ({ kind: 'key', path: await temp.write('nonsense', 'nonsense') }),
    'it is no private key of a kind that can be used here',
  ],
  [
    'an agent that is not there',
    async () => ({ kind: 'agent', socket: '/nowhere/agent.sock' }),
    'The agent at /nowhere/agent.sock cannot be used: it cannot be reached.',
  ],
] satisfies [string, () => Promise<Login>, string][])('%s is said in words', async (_title, login, words) => {
  const error = await failure([await login()]);
  expect(error.code).toBe('AUTH_FAILED');
  expect(error.operator).toContain(words);
  const told = JSON.stringify(failureObject(error));
  for (const secret of ['/nowhere', temp.path, sshd.folder, 'ENOENT', 'pass exited', 'command pass', 'nonsense'])
    expect(told).not.toContain(secret);
});

const locked = async (): Promise<string> => (await sshd.userKey('ed25519-locked')).path;
const publicKey = async (): Promise<string> => temp.write('public', `${(await sshd.userKey()).publicKey} me\n`);

test('an agent without keys is said in words', async () => {
  await using agent = await startAgent();
  const error = await failure([{ kind: 'agent', socket: agent.socket }]);
  expect(error.message).toContain('it holds no key that can be used here');
});

test('a socket that is no agent is said in words', async () => {
  const socket = `${temp.path}/fake.sock`;
  const fake = createServer(client => client.end('not an agent at all'));
  await new Promise<void>(resolve => fake.listen(socket, resolve));
  const error = await failure([{ kind: 'agent', socket }]);
  fake.close();
  expect(error.message).toContain('agent: It cannot be used: it cannot be reached.');
  expect(error.operator).toContain(`The agent at ${socket} cannot be used: it cannot be reached.`);
});

test('an agent that will not sign is passed over for the next way to log in', async () => {
  await using agent = await startAgent();
  const { path } = await sshd.userKey();
  await agent.add(path, 'confirm');
  expect(await logIn([{ kind: 'agent', socket: agent.socket }])).toMatchObject({ code: 'AUTH_FAILED' });
  expect(
    await logIn([
      { kind: 'agent', socket: agent.socket },
      { kind: 'key', path },
    ]),
  ).toBe('in');
});

test('an agent with more keys than the host suffers is told so', async () => {
  await using strict = await startSshd({ config: ['MaxAuthTries 3'] });
  await using agent = await startAgent();
  for (let at = 0; at < 5; at++) await agent.add((await makeKey(`${temp.path}/many-${at}`)).path);
  const host = await strict.host({ auth: [{ kind: 'agent', socket: agent.socket }] });
  using connections = testConnections([host], { knownHosts: [strict.knownHosts] });
  await expect(run(connections, 'true')).rejects.toMatchObject({
    code: 'AUTH_FAILED',
    message: expect.stringContaining(
      'The host broke off after too many tries (MaxAuthTries): put the right login first, and name the keys that an agent may be asked for in "only".',
    ),
  });
});

test('a password is not sent to a host that said it takes none', async () => {
  const stranger = await makeKey(`${temp.path}/then-password`);
  const error = await failure([
    { kind: 'key', path: stranger.path },
    { kind: 'password', password: secret(CANARY) },
  ]);
  expect(error.details).toMatchObject({ tried: ['key'], accepts: ['publickey'] });
});

test('of several keys each is told by its ordinal', async () => {
  const stranger = await makeKey(`${temp.path}/ordinal`);
  const error = await failure([
    { kind: 'key', path: '/nowhere/id' },
    { kind: 'key', path: stranger.path },
    { kind: 'agent', socket: '' },
  ]);
  expect(error.details).toEqual({
    host: 'web',
    tried: ['key 2 of 2'],
    notes: [
      'key 1 of 2: A key cannot be used: there is no such file.',
      "agent: SSH_AUTH_SOCK is not set for this process: put it into the client's registration, or configure a key.",
    ],
    accepts: ['publickey'],
  });
});

/** Logs in to a host in this process, and reports what it was asked. */
const passwordLogIn = async (auth: Auth, decide: (context: AuthContext) => void) => {
  const asked: string[] = [];
  await using rude = await startRudeHost({
    login: context => {
      asked.push(context.method);
      decide(context);
    },
  });
  using connections = testConnections([rude.host({ auth })], { knownHosts: [rude.knownHosts] });
  const outcome = await run(connections, 'x').then(
    ({ stdout }) => stdout,
    (error: Failure) => error,
  );
  return { asked, outcome, logged: connections.logged };
};

test('a password logs in, and nothing is asked of the host before it', async () => {
  const { asked, outcome } = await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context =>
    context.method === 'password' && context.password === CANARY ? context.accept() : context.reject(),
  );
  expect({ asked, outcome }).toEqual({ asked: ['password'], outcome: 'ran: x' });
});

test('a password answers the one hidden question of keyboard-interactive', async () => {
  const { asked, outcome } = await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([{ prompt: 'Password: ', echo: false }], answers =>
      answers[0] === CANARY ? context.accept() : context.reject(),
    );
  });
  expect({ asked, outcome }).toEqual({ asked: ['password', 'keyboard-interactive'], outcome: 'ran: x' });
});

test('a password answers a question once: a host that asks on hears nothing more', async () => {
  const heard: string[][] = [];
  await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const question = [{ prompt: 'Password: ', echo: false }];
    context.prompt(question, first => {
      heard.push(first);
      context.prompt(question, second => {
        heard.push(second);
        context.reject();
      });
    });
  });
  expect(heard.map(answers => answers.join())).toEqual([CANARY, '']);
});

test.each([
  ['that is shown on the screen', [{ prompt: 'Password: ', echo: true }]],
  [
    'beside another',
    [
      { prompt: 'Password: ', echo: false },
      { prompt: 'Code: ', echo: false },
    ],
  ],
])('a password is no answer to a question %s', async (_title, prompts) => {
  const heard: string[] = [];
  const { outcome } = await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt(prompts, answers => {
      heard.push(...answers);
      context.reject(['keyboard-interactive']);
    });
  });
  expect(outcome).toMatchObject({ code: 'AUTH_FAILED' });
  expect(heard.filter(answer => answer !== '')).toEqual([]);
});

test('a refused password is sent once, and never again by keyboard-interactive', async () => {
  const { asked, outcome } = await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context =>
    context.reject(['password', 'keyboard-interactive']),
  );
  expect(asked).toEqual(['password']);
  expect(outcome).toMatchObject({ code: 'AUTH_FAILED', details: { tried: ['password'] } });
});

test('two factors, a key and then a password, are given one after the other', async () => {
  const { path } = await makeKey(`${temp.path}/factor`);
  const { asked, outcome } = await passwordLogIn(
    [
      { kind: 'key', path },
      { kind: 'password', password: secret(CANARY) },
    ],
    context => {
      if (context.method === 'publickey') return context.reject(['password'], true);
      return context.accept();
    },
  );
  expect({ asked, outcome }).toEqual({ asked: ['publickey', 'password'], outcome: 'ran: x' });
});

test('no secret appears in failures, logs or what is printed of a host', async () => {
  const { outcome, logged } = await passwordLogIn([{ kind: 'password', password: secret(CANARY) }], context =>
    context.reject(['password', CANARY as 'password']),
  );
  const host = await sshd.host({ auth: [{ kind: 'password', password: secret(CANARY) }] });
  const wrong = await failure([{ kind: 'key', path: await locked(), passphrase: secret(CANARY) }]);
  const forms = [outcome, logged, host, wrong].flatMap(value => [
    inspect(value, { depth: 20, showHidden: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Failure ? value.text + JSON.stringify(value.details) + value.stack : '',
  ]);
  for (const form of forms) expect(form).not.toContain(CANARY);
  expect(inspect(host)).toContain('[secret]');
  expect(`${secret(CANARY)}`).toBe('[secret]');
});
