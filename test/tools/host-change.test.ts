import { randomBytes } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../src/audit/record.ts';
import { readConfig } from '../../src/config/config.ts';
import { entriesIn } from '../../src/config/edit.ts';
import { createHostList } from '../../src/config/host-list.ts';
import { Failure } from '../../src/errors.ts';
import { Gate } from '../../src/gate/gate.ts';
import { compile } from '../../src/policy/compile.ts';
import { createFleet } from '../../src/ssh/fleet.ts';
import type { Host } from '../../src/ssh/host.ts';
import type { Inventory } from '../../src/ssh/inventory.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { exec } from '../../src/tools/exec.ts';
import { hostAdd } from '../../src/tools/host-add.ts';
import { hostRemove } from '../../src/tools/host-remove.ts';
import { listHosts } from '../../src/tools/list-hosts.ts';
import type { Answer, House, Tool } from '../../src/tools/tool.ts';
import { realClock } from '../support/clock.ts';
import { testConnections } from '../support/connections.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const RULES = [
  {
    id: 'manage',
    effect: 'allow',
    actions: ['configure'],
    hosts: ['staging-*'],
    addresses: ['127.0.0.0/8', '*.staging.example.com'],
    ports: ['1-65535'],
    tags: ['web'],
    limits: [{ counter: 'hosts', window: 'day', max: 3, scope: 'grant' }],
  },
  { id: 'use', effect: 'allow', hosts: ['staging-*'], commands: ['echo <any>'] },
];

type Setting = AsyncDisposable & {
  readonly call: (tool: Tool, args: Record<string, unknown>, grant?: string) => Promise<Answer>;
  /** The code of the failure that a call meets. */
  readonly refused: (tool: Tool, args: Record<string, unknown>, grant?: string) => Promise<unknown>;
  readonly records: readonly AuditRecord[];
  readonly text: () => Promise<string>;
  readonly known: string;
};

/** A server's rooms over a file: `staging-1` is the real sshd by its name, whose address known_hosts has. */
const setting = async (rules: readonly object[] | null = RULES): Promise<Setting> => {
  const folder = await tempFolder();
  const login = { user: sshd.user, auth: { key: (await sshd.userKey()).path } };
  const staging = { address: 'localhost', port: sshd.port, ...login };
  const path = await folder.write('config.json', JSON.stringify({ hosts: { 'staging-1': staging } }, null, 2));
  const known = await folder.write('known', await readFile(sshd.knownHosts, 'utf8'));
  const env = { HOME: folder.path };
  const text = async (): Promise<string> => await readFile(path, 'utf8');
  let hosts: readonly Host[] = readConfig(await text(), path, env).hosts;
  const listeners: ((names: readonly string[]) => void)[] = [];
  const inventory: Inventory = {
    all: () => hosts,
    get: name => hosts.find(host => host.name === name),
    ready: async () => undefined,
    onChange: listener => void listeners.push(listener),
  };
  const reload = async (): Promise<void> => {
    const before = hosts.map(({ name }) => name);
    hosts = readConfig(await text(), path, env).hosts;
    const gone = before.filter(name => inventory.get(name) === undefined);
    for (const listener of listeners) listener(gone);
  };
  const file = {
    ...{ path, history: `${folder.path}/undo`, uid: process.getuid?.(), clock: realClock },
    unique: () => randomBytes(8).toString('hex'),
    pause: async () => undefined,
  };
  const document = { version: '1', default: 'allow', ...(rules === null ? {} : { rules }) };
  const policy = compile(JSON.stringify(document), 'policy.json');
  const records: AuditRecord[] = [];
  const audit = {
    admit: async (record: AuditRecord) => void records.push(record),
    note: (record: AuditRecord) => void records.push(record),
    close: () => undefined,
  };
  const log = (): void => undefined;
  const gate = new Gate({ policy: () => policy, store: memoryStore(realClock), audit, clock: realClock, log });
  const connections = testConnections([], { inventory, knownHosts: [known] });
  const fleet = createFleet({ inventory, connections, clock: realClock, random: randomBytes });
  const house: House = { gate, fleet, hosts: createHostList({ file, env, inventory, reload, log }), version: '0' };
  const call: Setting['call'] = async (tool, args, grant = 'local') => {
    const { signal } = new AbortController();
    return await tool.serve(args, { id: 'call_1', grant, signal, progress: () => undefined, failureOf }, house);
  };
  return {
    ...{ call, records, text, known },
    refused: async (tool, args, grant) =>
      await call(tool, args, grant).then(
        ({ text: answer }) => answer,
        (error: unknown) => failureOf(error).text,
      ),
    [Symbol.asyncDispose]: async () => {
      connections.closeAll();
      await folder.remove();
    },
  };
};

const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error;
  throw error;
};

const NEW = { name: 'staging-9', address: '127.0.0.1', like: 'staging-1' };

test('a host that an agent adds is listed at once, and nothing connects to it before a person trusts its key [G15]', async () => {
  await using at = await setting();
  const { structured, text } = await at.call(hostAdd, {
    ...NEW,
    port: sshd.port,
    tags: ['web'],
    reason: 'for the test',
  });
  expect(structured).toEqual({
    ...{ host: 'staging-9', user: sshd.user, address: '127.0.0.1', port: sshd.port, tags: ['web'] },
    ...{ like: 'staging-1', logins: ['key'], key: 'unknown' },
    next: 'Nothing connects to it yet. Ask the operator to run: sallyport hosts trust staging-9',
  });
  expect(text).toBe(
    `added staging-9: ${sshd.user}@127.0.0.1:${sshd.port}, like staging-1 (key) [web], host key unknown. ` +
      'Nothing connects to it yet. Ask the operator to run: sallyport hosts trust staging-9',
  );
  expect((await at.call(listHosts, {})).text).toMatch(/staging-9: .*host key unknown/);
  // The very key of this very address is in known_hosts: a person trusted it as another host.
  expect(await readFile(at.known, 'utf8')).toContain(`[127.0.0.1]:${sshd.port} `);
  expect(await at.refused(exec, { host: 'staging-9', command: 'echo in' })).toMatch(/^HOST_KEY_UNKNOWN: /);
  const { keyAlias } = entriesIn(await at.text(), 'config.json')['staging-9'] ?? {};
  await appendFile(at.known, `${keyAlias} ${sshd.hostKeys[0]?.publicKey}\n`);
  let answer: unknown;
  await untilTrue(async () => {
    answer = await at.refused(exec, { host: 'staging-9', command: 'echo in' });
    return !String(answer).startsWith('HOST_KEY_UNKNOWN');
  });
  expect(answer).toMatch(/^exited 0 on staging-9 .*\nstdout:\nin\n/);
});

test('the record says what was added, whole, and how it ended', async () => {
  await using at = await setting();
  await at.call(hostAdd, { ...NEW, tags: ['web'], reason: 'more room' });
  expect(at.records).toEqual([
    expect.objectContaining({
      event: 'admitted',
      tool: 'ssh_host_add',
      reason: 'more room',
      because: [{ rule: '/rules/manage', reason: 'The rule manage allows it.' }],
      action: {
        ...{ kind: 'configure', change: 'add', host: 'staging-9', user: sshd.user, address: '127.0.0.1', port: 22 },
        ...{ like: 'staging-1', tags: ['web'] },
      },
    }),
    expect.objectContaining({ event: 'ended', end: { how: 'done' } }),
  ]);
});

test('it is removed again by the same grant, and by no other', async () => {
  await using at = await setting();
  const before = await at.text();
  await at.call(hostAdd, NEW);
  expect(await at.refused(hostRemove, { name: 'staging-9' }, 'ci')).toBe(
    'POLICY_DENIED: staging-9 was not added by an agent of this grant: only a person takes it away (rule (no rule)). Ask the operator if this should be allowed.',
  );
  expect(await at.refused(hostRemove, { name: 'staging-1' })).toContain('only a person takes it away');
  expect((await at.call(hostRemove, { name: 'staging-9' })).structured).toEqual({ host: 'staging-9', removed: true });
  expect(await at.text()).toBe(before);
  expect(await at.refused(exec, { host: 'staging-9', command: 'echo in' })).toMatch(/^UNKNOWN_HOST: /);
});

describe('an enemy gains nothing', () => {
  test.each([
    ['another name', { ...NEW, name: 'prod-9' }, 'POLICY_DENIED'],
    ['a name that is taken', { ...NEW, name: 'staging-1' }, 'INVALID_INPUT'],
    ['a name that is taken, in capitals', { ...NEW, name: 'STAGING-1' }, 'POLICY_DENIED'],
    ['a second name for an address', { ...NEW, address: 'localhost' }, 'POLICY_DENIED'],
    ['an address outside', { ...NEW, address: '192.0.2.1' }, 'POLICY_DENIED'],
    ['an address as a number', { ...NEW, address: '2130706433' }, 'INVALID_INPUT'],
    ['an address in octal', { ...NEW, address: '0177.0.0.1' }, 'INVALID_INPUT'],
    ['an address with a zone', { ...NEW, address: 'fe80::1%lo' }, 'INVALID_INPUT'],
    ['an address with an option', { ...NEW, address: '-oProxyCommand=id' }, 'INVALID_INPUT'],
    ['a name with an option', { ...NEW, name: '-oProxyCommand=id' }, 'INVALID_INPUT'],
    ['a name with a line feed', { ...NEW, name: 'staging-9\nHost x' }, 'INVALID_INPUT'],
    ['a name that is a pattern', { ...NEW, name: 'staging-*' }, 'INVALID_INPUT'],
    ['a name of every object', { ...NEW, name: '__proto__' }, 'INVALID_INPUT'],
    ['a host that is not there', { ...NEW, like: 'staging-2' }, 'UNKNOWN_HOST'],
    ['a tag beside', { ...NEW, tags: ['prod'] }, 'POLICY_DENIED'],
    ['a login of its own', { ...NEW, auth: { password: { command: ['id'] } } }, 'INVALID_INPUT'],
    ['a pin', { ...NEW, hostKey: `SHA256:${'A'.repeat(43)}` }, 'INVALID_INPUT'],
    ['an account', { ...NEW, user: 'root' }, 'INVALID_INPUT'],
    ['a way', { ...NEW, via: 'staging-1' }, 'INVALID_INPUT'],
    ['a transport', { ...NEW, transport: 'openssh' }, 'INVALID_INPUT'],
    ['files of keys', { ...NEW, knownHosts: ['/tmp/mine'] }, 'INVALID_INPUT'],
    ['an owner', { ...NEW, addedBy: 'ci' }, 'INVALID_INPUT'],
  ])('by %s', async (_what, args, code) => {
    await using at = await setting();
    const before = await at.text();
    expect((await at.refused(hostAdd, args))?.toString().split(':')[0]).toBe(code);
    expect([await at.text(), at.records.map(({ event }) => event).at(-1)]).toEqual([
      before,
      code === 'INVALID_INPUT' && args.name === 'staging-1' ? 'ended' : 'refused',
    ]);
  });

  test('more often than the limit', async () => {
    await using at = await setting();
    const add = (number: number): Promise<unknown> =>
      at.refused(hostAdd, { ...NEW, name: `staging-${number}`, address: `127.0.0.${number}` });
    for (const number of [10, 11, 12]) expect(await add(number)).toMatch(/^added /);
    expect(await add(13)).toMatch(/^RATE_LIMITED: /);
    expect(Object.keys(entriesIn(await at.text(), 'c'))).toEqual([
      'staging-1',
      'staging-10',
      'staging-11',
      'staging-12',
    ]);
  });

  test('several at once', async () => {
    await using at = await setting();
    const answers = await Promise.all(
      ['127.0.0.10', '127.0.0.10', '127.0.0.11'].map(address => at.refused(hostAdd, { ...NEW, address })),
    );
    expect(answers.map(answer => String(answer).split(/[ :]/)[0]).sort()).toEqual([
      'INVALID_INPUT',
      'INVALID_INPUT',
      'added',
    ]);
  });

  test('where a document has no rules', async () => {
    await using at = await setting(null);
    expect(await at.refused(hostAdd, NEW)).toBe(
      'POLICY_DENIED: The list of hosts is changed by agents only where a rule grants configure, and the policy has no rules (rule (no rule)). Ask the operator if this should be allowed.',
    );
    expect(await at.refused(hostRemove, { name: 'staging-1' })).toMatch(/^POLICY_DENIED: /);
  });
});
