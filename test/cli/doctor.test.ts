import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostEntry } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { examine, foundOf, settle, statuses } from './examined.ts';
import { type Person, person } from './person.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

test('an empty home is well, with advice on how to begin, and nothing is made', async () => {
  await using somebody = await person();
  const report = await examine(somebody);
  expect(statuses(report)).toEqual([
    'ok node',
    'ok ssh',
    'advice configuration',
    'advice policy',
    'ok permissions',
    'ok agent',
    'ok known_hosts',
    'ok counters',
    'ok state',
  ]);
  expect({ code: report.code, ok: report.ok }).toEqual({ code: 0, ok: true });
  expect(report.findings.filter(({ status }) => status === 'advice').map(({ mend }) => mend)).toEqual([
    `No hosts are configured. Run sallyport init --host NAME=USER@ADDRESS to write ${somebody.home.path}/.config/sallyport/config.json.`,
    'sallyport init',
  ]);
  expect((await somebody.type('hosts')).stdout).toBe('');
  await expect(rm(join(somebody.home.path, '.local'), { recursive: true })).rejects.toThrow('ENOENT');
  await expect(rm(join(somebody.home.path, '.ssh'), { recursive: true })).rejects.toThrow('ENOENT');
});

test('one host alone can be asked for, and an unknown one names the nearest', async () => {
  await using somebody = await person();
  const host = await hostEntry(sshd);
  await settle(somebody, { web: host, wiki: { ...host, port: 1 } }, { knownHosts: [sshd.knownHosts] });
  const report = await examine(somebody, 'web');
  expect(statuses(report).filter(one => one.includes(' host '))).toEqual(['ok host web']);
  expect(await somebody.type('doctor', 'wbe')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "web"?'),
  });
});

const RULES = (rule: object): string =>
  JSON.stringify({
    version: '1',
    default: 'deny',
    tools: { ssh_exec: {}, ssh_cancel_command: {} },
    rules: [{ id: 'look', effect: 'allow', commands: ['uptime'], timeout: '1m', ...rule }],
  });

const FILES: readonly {
  readonly title: string;
  readonly arrange: (somebody: Person) => Promise<unknown>;
  readonly check: 'configuration' | 'policy' | 'permissions';
  readonly finds: readonly string[];
  readonly says: string;
}[] = [
  {
    title: 'a configuration with two problems',
    arrange: somebody => somebody.home.write('.config/sallyport/config.json', '{"hosts": 1, "x": 1}'),
    check: 'configuration',
    finds: ['wrong', 'wrong'],
    says: '/hosts must be',
  },
  {
    title: 'a policy with a problem',
    arrange: somebody => somebody.home.write('.config/sallyport/policy.json', '{"version": "1"}'),
    check: 'policy',
    finds: ['wrong'],
    says: 'policy.json:1:1',
  },
  {
    title: 'a policy that others may write',
    arrange: somebody => chmod(join(somebody.home.path, '.config/sallyport/policy.json'), 0o666),
    check: 'policy',
    finds: ['wrong'],
    says: 'is open to other users (mode 0666): run chmod 600',
  },
  {
    title: 'a configuration that others may read',
    arrange: somebody => chmod(join(somebody.home.path, '.config/sallyport/config.json'), 0o644),
    check: 'permissions',
    finds: ['advice'],
    says: 'config.json may be read by other users',
  },
  {
    title: 'a policy with something to think about',
    arrange: somebody =>
      somebody.home.write(
        '.config/sallyport/policy.json',
        '{"version": "1", "default": "deny", "tools": {"ssh_exec": {}, "ssh_cancel_command": {}}}',
      ),
    check: 'policy',
    finds: ['ok', 'advice'],
    says: 'ssh_exec is unrestricted',
  },
  {
    title: 'a policy about a host that is not configured',
    arrange: somebody => somebody.home.write('.config/sallyport/policy.json', RULES({ hosts: ['wbe'] })),
    check: 'policy',
    finds: ['ok', 'advice'],
    says: '"web"',
  },
  {
    title: 'a rule of the policy that is over by now',
    arrange: somebody =>
      somebody.home.write('.config/sallyport/policy.json', RULES({ when: { not_after: '2025-12-31T00:00:00Z' } })),
    check: 'policy',
    finds: ['ok', 'advice'],
    says: '/rules/0/when/not_after',
  },
];

test.each(FILES)('$title is found', async ({ arrange, check, finds, says }) => {
  await using somebody = await person();
  await settle(somebody, { web: { address: '127.0.0.1', port: 1, user: 'u' } });
  await arrange(somebody);
  const found = foundOf(await examine(somebody), check);
  expect(found.map(({ status }) => status)).toEqual(finds);
  expect(found.map(each => each.says).join('\n')).toContain(says);
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

test('for a person each finding is a line, with its mend below', async () => {
  await using somebody = await person();
  const { stdout, stderr } = await somebody.type('doctor');
  expect(stdout).toContain('ok      node: 20.19.0\n');
  expect(stdout).toContain('advice  policy: there is none (');
  expect(stdout).toContain('\n        mend: sallyport init\n');
  expect(stderr).toBe('');
});
