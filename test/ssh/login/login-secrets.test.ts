import { readdirSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { AuthContext } from 'ssh2';
import { expect, test } from 'vitest';
import { secretResolver } from '../../../src/config/secret.ts';
import { Failure } from '../../../src/errors.ts';
import type { Login } from '../../../src/ssh/host.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { run, testConnections } from '../../support/connections.ts';
import { startRudeHost } from '../../support/rude-host.ts';
import { makeKey } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

const WORDS = ['canary-one-5c1e', 'canary-two-77ab', 'canary-three-09ff', 'open sesame'];

/** What every process of this machine shows of itself to others. */
const shownByProcesses = (): string =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => ['cmdline', 'environ'].map(part => readOrNothing(`/proc/${pid}/${part}`)))
    .join('\n');

const readOrNothing = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

test('passwords, passphrases and codes stand in no argument, environment, log, error or result while they are used', async () => {
  await using temp = await tempFolder();
  const resolve = secretResolver({ HOME: temp.path, PATH: process.env.PATH });
  const [password = '', code = '', answer = '', passphrase = ''] = WORDS;
  const inFile = async (name: string, text: string): Promise<string> => await temp.write(name, `${text}\n`);
  const locked = await makeKey(`${temp.path}/locked`, 'ed25519-locked');
  const auth: readonly [Login, ...Login[]] = [
    {
      kind: 'key',
      path: locked.path,
      passphrase: new Secret({ file: await inFile('passphrase', passphrase) }, resolve),
    },
    { kind: 'password', password: new Secret({ command: ['cat', await inFile('password', password)] }, resolve) },
    {
      kind: 'interactive',
      answers: [
        { asks: 'code', answer: new Secret({ command: ['cat', await inFile('code', code)] }, resolve) },
        { asks: 'pin', answer: new Secret({ command: ['cat', await inFile('pin', answer)] }, resolve) },
      ],
    },
  ];
  const shown: string[] = [];
  const heard: string[] = [];
  const login = (context: AuthContext): unknown => {
    shown.push(shownByProcesses());
    if (context.method === 'publickey') return context.reject(['password'], true);
    if (context.method === 'password') {
      heard.push(context.password);
      return context.reject(['keyboard-interactive'], true);
    }
    if (context.method !== 'keyboard-interactive') return context.reject();
    const prompts = [
      { prompt: 'Code:', echo: false },
      { prompt: 'PIN:', echo: false },
    ];
    return context.prompt(prompts, answers => {
      shown.push(shownByProcesses());
      heard.push(...answers);
      context.reject();
    });
  };
  await using rude = await startRudeHost({ login: context => void login(context) });
  using connections = testConnections([rude.host({ auth })], { knownHosts: [rude.knownHosts] });
  const failure = await run(connections, 'x').catch((error: unknown) => error);
  expect(heard).toEqual([password, code, answer]);
  expect(failure).toBeInstanceOf(Failure);
  const all = [
    ...[...shown, shownByProcesses(), connections.logged.join()],
    ...[inspect(failure, { depth: 20, showHidden: true }), JSON.stringify(failure), inspect(auth, { depth: 20 })],
    failure instanceof Failure ? `${failure.text}${failure.operator}${JSON.stringify(failure.details)}` : '',
  ];
  expect(all.length).toBeGreaterThan(8);
  for (const word of WORDS) for (const text of all) expect(text.includes(word)).toBe(false);
});
