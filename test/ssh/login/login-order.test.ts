import type { AuthContext, Connection, Prompt } from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import type { Login } from '../../../src/ssh/host.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { startAgent } from '../../support/agent.ts';
import { run, testConnections } from '../../support/connections.ts';
import { securityKey, startFakeAgent } from '../../support/fake-agent.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { makeKey, startSshd } from '../../support/sshd.ts';
import { type TempFolder, tempFolder } from '../../support/temp.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => {
  await temp.remove();
});

type Auth = readonly [Login, ...Login[]];
type Handle = (context: AuthContext) => void;

const secret = (text: string): Secret => new Secret({ env: 'SOME_SECRET' }, async () => text);
const password = (text: string): Login => ({ kind: 'password', password: secret(text) });
const interactive = (...pairs: readonly (readonly [asks: string, answer: string | Secret])[]): Login => {
  const [first, ...rest] = pairs.map(([asks, answer]) => ({
    asks,
    answer: typeof answer === 'string' ? secret(answer) : answer,
  }));
  if (first === undefined) throw new Error('no answers');
  return { kind: 'interactive', answers: [first, ...rest] };
};
const newKey = async (): Promise<Login & { kind: 'key' }> => {
  const { path } = await makeKey(`${temp.path}/key-${++keys}`);
  return { kind: 'key', path };
};
let keys = 0;

const signal = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
};

/** Logs in to a host in this process; `asked` is what it was asked, in order. */
const logIn = async (auth: Auth, handle: Handle) => {
  const asked: string[] = [];
  await using rude = await startRudeHost({
    login: context => {
      asked.push(context.method);
      handle(context);
    },
  });
  using connections = testConnections([rude.host({ auth })], { knownHosts: [rude.knownHosts] });
  const outcome = await run(connections, 'x').then(
    ({ stdout }) => stdout,
    (error: Failure) => error,
  );
  return { asked, outcome, logged: connections.logged.join() };
};

/** Puts questions, one request after another, and accepts when all are answered as told. */
const asking =
  (
    heard: string[][],
    ...rounds: readonly (readonly [questions: readonly (string | Prompt)[], wanted: readonly string[]])[]
  ): Handle =>
  context => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const go = (at: number): void => {
      const round = rounds[at];
      if (round === undefined) {
        context.accept();
        return;
      }
      const prompts = round[0].map(one => (typeof one === 'string' ? { prompt: one, echo: false } : one));
      context.prompt(prompts, answers => {
        heard.push(answers);
        if (answers.join('\n') === round[1].join('\n')) go(at + 1);
        else context.reject();
      });
    };
    go(0);
  };

test('questions are answered by their words, in either case, in one request or in several', async () => {
  const heard: string[][] = [];
  const login = interactive(['password', 'pw'], ['verification code', '123456'], ['PIN', '42']);
  const { asked, outcome } = await logIn(
    [login],
    asking(
      heard,
      [
        ['PASSWORD for deploy:', 'Your pin?'],
        ['pw', '42'],
      ],
      [[], []],
      [['Verification  code: '], ['123456']],
    ),
  );
  expect({ asked, outcome, heard }).toEqual({
    asked: ['keyboard-interactive'],
    outcome: 'ran: x',
    heard: [['pw', '42'], [], ['123456']],
  });
});

test('of two answers whose words are in the question the longer one is given', async () => {
  const heard: string[][] = [];
  const login = interactive(['password', 'pw'], ['one-time password', 'otp']);
  await logIn([login], asking(heard, [['One-time password (OATH) for `deploy`: '], ['otp']], [['Password: '], ['pw']]));
  expect(heard).toEqual([['otp'], ['pw']]);
});

test('a code is asked of its command anew at each login', async () => {
  let calls = 0;
  const code = new Secret({ command: ['code'] }, async () => `code-${++calls}`);
  const heard: string[][] = [];
  const auth: Auth = [interactive(['code', code])];
  await logIn(auth, asking(heard, [['Code: '], ['code-1']]));
  await logIn(auth, asking(heard, [['Code: '], ['code-2']]));
  expect(heard).toEqual([['code-1'], ['code-2']]);
});

test.each([
  ['that nobody expected', ['Favourite colour?']],
  ['beside one that nobody expected', ['Password: ', 'Favourite colour?']],
  ['with the word in another word', ['Passwordless?']],
  ['put twice', ['Password: ', 'Password: ']],
  ['of nothing', ['']],
])('to a question %s nothing is answered, and no secret is fetched', async (_title, questions) => {
  let fetched = 0;
  const watched = new Secret({ env: 'X' }, async () => `canary-${++fetched}`);
  const heard: string[][] = [];
  const { outcome } = await logIn([interactive(['password', watched])], asking(heard, [questions, ['canary-1']]));
  expect(heard.flat().filter(answer => answer !== '')).toEqual([]);
  expect(fetched).toBe(0);
  expect(outcome).toMatchObject({ code: 'AUTH_FAILED', details: { tried: ['interactive'] } });
});

test('the operator is told the question, made safe, and a client only that there was one', async () => {
  const { outcome, logged } = await logIn(
    [interactive(['password', 'pw'])],
    asking([], [['Colour\u001b[31m\n?'], ['x']]),
  );
  expect(outcome).toMatchObject({
    message: expect.stringContaining('interactive: The host asked something that no answer is configured for.'),
    operator: expect.stringContaining('The host asked something that no answer is configured for: "Colour [31m ?".'),
  });
  expect(outcome).not.toMatchObject({ message: expect.stringContaining('Colour') });
  expect(logged).not.toContain('\u001b');
});

test('the same question again hears nothing: each answer is given once a login', async () => {
  const heard: string[][] = [];
  await logIn([interactive(['password', 'pw'])], asking(heard, [['Password: '], ['pw']], [['Password: '], ['pw']]));
  expect(heard.map(answers => answers.join())).toEqual(['pw', '']);
});

test('an answer that cannot be fetched is said, and none is given', async () => {
  const broken = new Secret({ command: ['code'] }, async () => {
    throw new Error('code exited with 1');
  });
  const heard: string[][] = [];
  const { outcome } = await logIn(
    [interactive(['pw', 'pw'], ['code', broken])],
    asking(heard, [
      ['pw', 'code'],
      ['', ''],
    ]),
  );
  expect(heard.flat().filter(answer => answer !== '')).toEqual([]);
  expect(outcome).toMatchObject({
    operator: expect.stringContaining('The secret in command code cannot be used: code exited with 1.'),
  });
});

test('a key and then a code: what the first login opens, the second goes on with', async () => {
  const { asked, outcome } = await logIn([await newKey(), interactive(['code', '1'])], context => {
    if (context.method === 'publickey') return context.reject(['keyboard-interactive'], true);
    asking([], [['Code: '], ['1']])(context);
  });
  expect({ asked, outcome }).toEqual({ asked: ['publickey', 'keyboard-interactive'], outcome: 'ran: x' });
});

test('a login that came too early is made again when the host asks for it', async () => {
  const { asked, outcome } = await logIn([password('pw'), await newKey()], context => {
    if (context.method === 'publickey') return context.reject(['password'], true);
    if (context.method !== 'password' || !asked1.has('publickey')) {
      asked1.add('publickey');
      return context.reject(['publickey']);
    }
    return context.accept();
  });
  expect({ asked, outcome }).toEqual({ asked: ['password', 'publickey', 'password'], outcome: 'ran: x' });
});
const asked1 = new Set<string>();

test('a key that an agent holds is one of two factors too: no second key is offered in the place of the other', async () => {
  await using agent = await startAgent();
  for (let at = 0; at < 3; at++) await agent.add((await newKey()).path);
  const { asked, outcome } = await logIn([{ kind: 'agent', socket: agent.socket }, password('pw')], context => {
    if (context.method === 'publickey' && context.signature === undefined) return context.accept();
    if (context.method === 'publickey') return context.reject(['password'], true);
    return context.accept();
  });
  expect({ asked, outcome }).toEqual({ asked: ['publickey', 'publickey', 'password'], outcome: 'ran: x' });
});

test('a host that wants more than is configured is told so', async () => {
  const { outcome } = await logIn([await newKey()], context => context.reject(['keyboard-interactive'], true));
  expect(outcome).toMatchObject({
    code: 'AUTH_FAILED',
    message: expect.stringContaining(
      'failed: the host took key and wants more than is configured. The host accepts: keyboard-interactive.',
    ),
  });
});

test('a host that takes everything and never enough hears each login once', async () => {
  const auth: Auth = [await newKey(), await newKey(), password('a'), interactive(['code', '1'])];
  const { asked, outcome } = await logIn(auth, context => {
    if (context.method !== 'keyboard-interactive')
      return context.reject(['publickey', 'password', 'keyboard-interactive'], true);
    context.prompt([{ prompt: 'code', echo: false }], () =>
      context.reject(['publickey', 'password', 'keyboard-interactive'], true),
    );
  });
  expect(asked).toEqual(['publickey', 'publickey', 'password', 'keyboard-interactive']);
  expect(outcome).toMatchObject({ code: 'AUTH_FAILED' });
});

test('a real sshd that asks for two keys is given two (AuthenticationMethods)', async () => {
  await using sshd = await startSshd({ config: ['AuthenticationMethods publickey,publickey'] });
  const [first, second] = [await sshd.userKey('ed25519'), await sshd.userKey('ecdsa')];
  await using agent = await startAgent();
  await agent.add((await newKey()).path);
  await agent.add(first.path);
  await agent.add(second.path);
  const login = async (...auth: Auth): Promise<string> => {
    using connections = testConnections([await sshd.host({ auth })], { knownHosts: [sshd.knownHosts] });
    return await run(connections, 'printf in').then(
      ({ stdout }) => stdout,
      (error: Failure) => error.message,
    );
  };
  const [one, two] = [
    { kind: 'key', path: first.path },
    { kind: 'key', path: second.path },
  ] as const;
  expect(await login(one)).toContain('the host took key and wants more than is configured.');
  expect(await login(one, two)).toBe('in');
  expect(await login({ kind: 'agent', socket: agent.socket })).toBe('in');
});

test.each(['password', 'interactive', 'agent'] as const)(
  'a host that goes away while a secret is fetched or a key signs hears nothing, and nothing breaks: %s',
  async kind => {
    const [gate, asked] = [signal(), signal()];
    const late = new Secret({ env: 'X' }, async () => {
      asked.resolve();
      await gate.promise;
      return 'pw';
    });
    const key = securityKey('ed25519');
    await using agent = await startFakeAgent([{ ...key, sign: () => undefined }], () => {
      asked.resolve();
      return Buffer.alloc(0);
    });
    const logins: Readonly<Record<typeof kind, Login>> = {
      password: { kind: 'password', password: late },
      interactive: { kind: 'interactive', answers: [{ asks: 'pw', answer: late }] },
      agent: { kind: 'agent', socket: agent.socket },
    };
    const open: Connection[] = [];
    await using rude = await startRudeHost({
      onConnection: connection => open.push(connection),
      login: context => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        context.prompt([{ prompt: 'pw', echo: false }], () => context.accept());
      },
    });
    using connections = testConnections([rude.host({ auth: [logins[kind]] })], { knownHosts: [rude.knownHosts] });
    const failed = run(connections, 'x').catch((error: Failure) => error.code);
    await asked.promise;
    for (const connection of open) connection.end();
    expect(['UNREACHABLE', 'AUTH_FAILED', 'CONNECTION_LOST']).toContain(await failed);
    gate.resolve();
    await gate.promise;
    expect(rude.seen.commands).toEqual([]);
  },
);

test('a host that says again that it would take a key, behind its signature, is given no other', async () => {
  const key = securityKey('ed25519');
  await using agent = await startFakeAgent([key]);
  const open: Connection[] = [];
  let signed = 0;
  await using rude = await startRudeHost({
    onConnection: connection => open.push(connection),
    login: context => {
      if (context.method !== 'publickey') return context.reject(['publickey']);
      if (context.signature === undefined) return context.accept();
      signed++;
      for (const connection of open) sayTaken(connection, context.key.algo, context.key.data);
      // Another signature would be here long before.
      setTimeout(() => context.reject(['publickey']), 100);
    },
  });
  const auth: Auth = [{ kind: 'agent', socket: agent.socket }];
  using connections = testConnections([rude.host({ auth })], { knownHosts: [rude.knownHosts] });
  await expect(run(connections, 'x')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  expect([signed, agent.signed()]).toEqual([1, 1]);
});

const sayTaken = (connection: Connection, algorithm: string, blob: Buffer): void => {
  const { _protocol: protocol } = connection as unknown as {
    _protocol: { authPKOK: (algorithm: string, blob: Buffer) => void; _authsQueue: string[] };
  };
  // The library says it once for each request.
  protocol._authsQueue.unshift('publickey');
  protocol.authPKOK(algorithm, blob);
};

test('an agent that may be asked for no key is asked for none', async () => {
  await using agent = await startAgent();
  await agent.add((await newKey()).path);
  const { asked, outcome } = await logIn([{ kind: 'agent', socket: agent.socket, only: [] }], context =>
    context.accept(),
  );
  expect(asked).toEqual([]);
  expect(outcome).toMatchObject({
    message: expect.stringContaining('it holds none of the keys that it may be asked for'),
  });
});
