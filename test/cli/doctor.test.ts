import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/finding.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type Person, person } from './person.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

type Report = { readonly code: number; readonly ok: boolean; readonly findings: readonly Finding[] };

const examine = async (somebody: Person, ...argv: readonly string[]): Promise<Report> => {
  const { code, stdout } = await somebody.type('doctor', '--json', ...argv);
  return { code, ...JSON.parse(stdout) };
};

const statuses = ({ findings }: Report) => findings.map(({ check, status }) => `${status} ${check}`);

const POLICY = '{"version": "1", "default": "deny", "tools": {"ssh_list_hosts": {}}}';

const settle = async (somebody: Person, hosts: object, more: object = {}): Promise<void> => {
  const config = JSON.stringify({ hosts, knownHosts: [sshd.knownHosts], ...more });
  await somebody.home.write('.config/sallyport/config.json', config);
  await somebody.home.write('.config/sallyport/policy.json', POLICY);
};

const web = async () => ({
  address: '127.0.0.1',
  port: sshd.port,
  user: sshd.user,
  auth: { key: (await sshd.userKey()).path },
});

test('an empty home is well, with advice on how to begin, and nothing is made', async () => {
  await using somebody = await person();
  const report = await examine(somebody);
  expect(statuses(report)).toEqual(['ok node', 'advice configuration', 'advice policy', 'ok counters', 'ok state']);
  expect({ code: report.code, ok: report.ok }).toEqual({ code: 0, ok: true });
  expect(report.findings.filter(({ status }) => status === 'advice').map(({ mend }) => mend)).toEqual([
    `No hosts are configured. Run sallyport init --host NAME=USER@ADDRESS to write ${somebody.home.path}/.config/sallyport/config.json.`,
    'sallyport init',
  ]);
  expect((await somebody.type('hosts')).stdout).toBe('');
  await expect(rm(join(somebody.home.path, '.local'), { recursive: true })).rejects.toThrow('ENOENT');
});

test('a host that can be reached is logged in to, and described', async () => {
  await using somebody = await person();
  await settle(somebody, { web: await web() });
  const report = await examine(somebody);
  expect(statuses(report)).toEqual([
    'ok node',
    'ok configuration',
    'ok policy',
    'ok counters',
    'ok state',
    'ok host web',
  ]);
  expect(report.code).toBe(0);
  expect(report.findings.at(-1)?.says).toMatch(
    /^logged in as \S+; key known, OpenSSH_\S+.*, shell \/\S+, round trip [\d.]+ ms, a command [\d.]+ ms$/,
  );
});

test('one host alone can be asked for, and an unknown one names the nearest', async () => {
  await using somebody = await person();
  const host = await web();
  await settle(somebody, { web: host, wiki: { ...host, port: 1 } });
  expect(statuses(await examine(somebody, 'web')).slice(-1)).toEqual(['ok host web']);
  expect(await somebody.type('doctor', 'wbe')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "web"?'),
  });
});

test('every host is reported, whatever the others do, and each failure has its mend', async () => {
  await using somebody = await person();
  const host = await web();
  await settle(somebody, {
    web: host,
    gone: { ...host, port: 1 },
    stranger: { ...host, hostKey: `SHA256:${'A'.repeat(43)}` },
    locked: { ...host, user: 'nobody-here' },
    agentless: { ...host, auth: { agent: true } },
  });
  const report = await examine(somebody);
  expect(statuses(report).slice(5).toSorted()).toEqual([
    'advice login agentless',
    'ok host web',
    'unavailable host agentless',
    'unavailable host gone',
    'unavailable host locked',
    'wrong host stranger',
  ]);
  expect(report.code).toBe(4);
  expect(report.findings.filter(({ status, mend }) => status !== 'ok' && !mend)).toEqual([]);
});

const FILES: readonly {
  readonly title: string;
  readonly arrange: (somebody: Person) => Promise<void>;
  readonly finds: string;
}[] = [
  {
    title: 'a configuration with two problems',
    arrange: async somebody => {
      await somebody.home.write('.config/sallyport/config.json', '{"hosts": 1, "x": 1}');
    },
    finds: 'wrong configuration, wrong configuration, ok policy',
  },
  {
    title: 'a policy with a problem',
    arrange: async somebody => {
      await somebody.home.write('.config/sallyport/policy.json', '{"version": "1"}');
    },
    finds: 'ok configuration, wrong policy',
  },
  {
    title: 'a policy that others may write',
    arrange: somebody => chmod(join(somebody.home.path, '.config/sallyport/policy.json'), 0o666),
    finds: 'ok configuration, wrong policy',
  },
  {
    title: 'a configuration that others may read',
    arrange: somebody => chmod(join(somebody.home.path, '.config/sallyport/config.json'), 0o644),
    finds: 'ok configuration, ok policy, advice permissions',
  },
  {
    title: 'a policy with something to think about',
    arrange: async somebody => {
      await somebody.home.write(
        '.config/sallyport/policy.json',
        '{"version": "1", "default": "deny", "tools": {"ssh_exec": {}, "ssh_cancel_command": {}}}',
      );
    },
    finds: 'ok configuration, ok policy, advice policy',
  },
];

test.each(FILES)('$title is found', async ({ arrange, finds }) => {
  await using somebody = await person();
  await settle(somebody, { web: { address: '127.0.0.1', port: 1, user: 'u' } });
  await arrange(somebody);
  const report = await examine(somebody);
  expect(
    statuses(report)
      .slice(1, 1 + finds.split(', ').length)
      .join(', '),
  ).toBe(finds);
});

test('a state folder that others may write to is wrong, and a broken store is a failure of the surroundings', async () => {
  await using somebody = await person();
  await settle(somebody, {});
  const state = join(somebody.home.path, '.local/state/sallyport');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await chmod(state, 0o777);
  expect(statuses(await examine(somebody))).toContain('wrong state');
  await chmod(state, 0o700);
  await writeFile(join(state, 'state.db'), 'this is no database, and long enough to be looked at', { mode: 0o600 });
  const report = await examine(somebody);
  expect(statuses(report)).toContain('unavailable counters');
  expect(report.code).toBe(4);
});

test('secrets are fetched and never shown; one that is missing is named by its place', async () => {
  const canary = 'canary-3b1f';
  await using somebody = await person({ env: { HERE: canary } });
  const host = await web();
  await settle(somebody, {
    here: { ...host, auth: { password: { env: 'HERE' } } },
    missing: { ...host, auth: { password: { env: 'NOT_HERE' } } },
    failing: { ...host, auth: { password: { command: ['sh', '-c', `echo ${canary}; exit 1`] } } },
    nokey: { ...host, auth: { key: 'nowhere', passphrase: { file: 'nowhere-either' } } },
  });
  const report = await examine(somebody);
  const logins = report.findings.filter(({ check }) => check.startsWith('login'));
  expect(logins.map(({ check, status }) => `${status} ${check}`).toSorted()).toEqual([
    'unavailable login failing',
    'unavailable login missing',
    'unavailable login nokey',
    'wrong login nokey',
  ]);
  expect(JSON.stringify(logins)).toContain('environment variable NOT_HERE');
  const human = await somebody.type('doctor');
  expect(`${JSON.stringify(report)}${human.stdout}${human.stderr}`).not.toContain(canary);
});

test('a private key that others may read is worth a word', async () => {
  await using somebody = await person();
  const path = await somebody.home.write('id_ed25519', 'not a key', 0o644);
  await settle(somebody, { web: { ...(await web()), auth: { key: path } } });
  const found = (await examine(somebody)).findings.filter(({ check }) => check === 'login web');
  expect(found).toEqual([
    { check: 'login web', status: 'advice', says: `${path} is open to other users`, mend: `chmod 600 ${path}` },
  ]);
});

test('for a person each finding is a line, with its mend below', async () => {
  await using somebody = await person();
  const { stdout } = await somebody.type('doctor');
  expect(stdout).toContain('ok      node: 20.19.0\n');
  expect(stdout).toContain('advice  policy: there is none (');
  expect(stdout).toContain('\n        mend: sallyport init\n');
});
