import { describe, expect, test } from 'vitest';
import { explainer } from '../../src/cli/explain.ts';
import { permissionsAt } from '../../src/cli/permissions.ts';
import { differenceOf } from '../../src/cli/policy-diff.ts';
import { readUntried } from '../../src/policy/compile.ts';
import { manualClock } from '../support/clock.ts';

type Json = Readonly<Record<string, unknown>>;

const TOOLS = { ssh_upload: {}, ssh_download: {} };
const APP = { id: 'app', effect: 'allow', actions: ['read', 'list'], paths: ['/srv/app/**'] };
const KEYS = { id: 'keys', effect: 'deny', actions: ['read', 'write'], paths: ['/**/*.key'] };
const read = (...rules: readonly Json[]) => readOf({ rules });
const readOf = (more: Json) =>
  readUntried(JSON.stringify({ version: '1', default: 'deny', tools: TOOLS, ...more }), 'p.json');

const EXPLAINED: readonly {
  readonly title: string;
  readonly tool: string;
  readonly args: Json;
  readonly is: object;
}[] = [
  {
    title: 'a file that a rule grants',
    ...{ tool: 'ssh_download', args: { host: 'web', remote_path: '/srv/app/x' } },
    is: {
      ...{ decision: 'allow', rule: '/rules/app' },
      rules: [
        { rule: '/rules/app', effect: 'allow', answer: 'hit', grants: ['read /srv/app/x'] },
        { rule: '/rules/keys', effect: 'deny', answer: 'no', why: 'It is about other files: /**/*.key.' },
      ],
    },
  },
  {
    title: 'a file that no rule grants, as if its path were the real one',
    ...{ tool: 'ssh_download', args: { host: 'web', remote_path: '/etc/shadow' } },
    is: {
      ...{ decision: 'deny', code: 'POLICY_DENIED', rule: '(no rule)', charges: [] },
      reason: 'No rule lets "/etc/shadow" be read.',
      gates: expect.arrayContaining([
        { gate: 'rules', answer: 'deny' },
        { gate: 'limits', answer: 'not reached' },
      ]),
    },
  },
  {
    title: 'a file that a rule denies',
    ...{ tool: 'ssh_download', args: { host: 'web', remote_path: '/srv/app/a.key' } },
    is: {
      ...{ decision: 'deny', rule: '/rules/keys' },
      rules: [
        { rule: '/rules/app', answer: 'hit' },
        { rule: '/rules/keys', answer: 'hit', grants: ['read /srv/app/a.key'] },
      ],
    },
  },
  {
    title: 'an access that no rule speaks of',
    ...{ tool: 'ssh_upload', args: { host: 'web', remote_path: '/srv/app/x', content: 'x' } },
    is: {
      ...{ decision: 'deny', rule: '(no rule)', reason: 'No rule lets any file be written on web.' },
      rules: [
        { rule: '/rules/app', answer: 'no', why: 'It does not say which files may be written.' },
        { rule: '/rules/keys', answer: 'no' },
      ],
    },
  },
  {
    title: 'a path below a home, whose place is a guess',
    ...{ tool: 'ssh_download', args: { host: 'web', remote_path: '~/x' } },
    is: {
      ...{ decision: 'deny', rule: '(no rule)', reason: 'No rule lets "/home/deploy/x" be read.' },
      rules: [
        { rule: '/rules/app', answer: 'possible' },
        { rule: '/rules/keys', answer: 'possible' },
      ],
    },
  },
];

test.each(EXPLAINED)('explain says of $title what each rule says', async ({ tool, args, is }) => {
  const { policy } = read(APP, KEYS);
  const target = (host: string) => ({ host, user: 'deploy', address: host, port: 22, tags: [] });
  const explanation = await explainer({ policy, clock: manualClock(), target }).explain({ tool, args, grant: 'local' });
  expect(explanation).toMatchObject(is);
});

const limit = (max: number) => ({ counter: 'c', window: 'hour', max, scope: 'grant' });
const WIDER: readonly { readonly title: string; readonly narrow: Json; readonly wide: Json }[] = [
  { title: 'a path more', narrow: { rules: [APP] }, wide: { rules: [{ ...APP, paths: ['/srv/app/**', '/srv/b'] }] } },
  { title: 'every path', narrow: { rules: [APP] }, wide: { rules: [{ ...APP, paths: ['/**'] }] } },
  {
    title: 'an access more',
    narrow: { rules: [APP] },
    wide: { rules: [{ ...APP, actions: ['read', 'list', 'write'] }] },
  },
  { title: 'a deny less', narrow: { rules: [APP, KEYS] }, wide: { rules: [APP] } },
  {
    title: 'a path of a deny less',
    narrow: { rules: [APP, { ...KEYS, paths: ['/**/*.key', '/srv/app/x'] }] },
    wide: { rules: [APP, KEYS] },
  },
  {
    title: 'a host more',
    narrow: { rules: [{ ...APP, hosts: ['web-1'] }] },
    wide: { rules: [{ ...APP, hosts: ['web-1', 'db-1'] }] },
  },
  {
    title: 'a limit that is raised',
    narrow: { rules: [{ ...APP, limits: [limit(3)] }] },
    wide: { rules: [{ ...APP, limits: [limit(4)] }] },
  },
  { title: 'more time', narrow: { rules: [{ ...APP, timeout: '1m' }] }, wide: { rules: [{ ...APP, timeout: '2m' }] } },
  { title: 'more that comes out', narrow: { rules: [{ ...APP, output: { max_bytes: 10 } }] }, wide: { rules: [APP] } },
  {
    title: 'deleting',
    narrow: { rules: [APP] },
    wide: { rules: [APP, { id: 'd', effect: 'allow', actions: ['delete'], paths: ['/srv/app/old/**'] }] },
  },
];

test.each(WIDER)('diff sees that $title is wider, and that the way back is not', ({ narrow, wide }) => {
  const [few, many] = [readOf(narrow), readOf(wide)];
  expect(differenceOf(few, many, []).widens).toBe(true);
  expect(differenceOf(many, few, []).widens).toBe(false);
});

describe('diff', () => {
  test('names the transfer that is decided otherwise, and the rules', () => {
    const { changes } = differenceOf(read(APP, { ...APP, id: 'logs', paths: ['/var/log/*.log'] }), read(APP), []);
    expect(
      changes.map(({ change, tool, args, was, now }) => [change, tool, args.remote_path, was.rule, now.rule]),
    ).toEqual([
      ['narrowed', 'ssh_download', '/var/log/x.log', '/rules/logs', '(no rule)'],
      ['narrowed', 'ssh_download', '/var/log/x.log', '/rules/logs', '(no rule)'],
    ]);
  });

  test('judges the transfers of a record again', () => {
    const where = { kind: 'transfer', host: 'web-7', user: 'deploy' };
    const records = [
      {
        event: 'admitted',
        tool: 'ssh_download',
        action: { ...where, direction: 'download', remote_path: '/srv/app/rare/x' },
      },
      {
        ...{ event: 'admitted', tool: 'ssh_upload' },
        action: { ...where, direction: 'upload', remote_path: '/tmp/x', content: { bytes: 5, sha256: '00' } },
      },
      { event: 'refused', tool: 'ssh_upload', action: { ...where, access: 'write', path: '/tmp/on-the-way' } },
      { event: 'refused', tool: 'ssh_upload', action: { ...where, bytes: 5 } },
    ];
    const [old, now] = [APP, { id: 'tmp', effect: 'allow', actions: ['write'], paths: ['/tmp/**'] }].map(rule =>
      read(rule),
    );
    if (old === undefined || now === undefined) throw new Error('two documents');
    const audit = records.map(record => JSON.stringify(record)).join('\n');
    const { changes, replayed, skipped } = differenceOf(old, now, [], audit);
    expect([replayed, skipped]).toEqual([3, 1]);
    expect(changes).toContainEqual(
      expect.objectContaining({ change: 'narrowed', hosts: ['web-7'], args: { remote_path: '/srv/app/rare/x' } }),
    );
    expect(changes).toContainEqual(
      expect.objectContaining({
        ...{ change: 'widened', hosts: ['web-7'], args: { remote_path: '/tmp/x', content: '', size: 5 } },
      }),
    );
    expect(changes).toContainEqual(
      expect.objectContaining({
        ...{ change: 'widened', hosts: ['web-7'], args: { remote_path: '/tmp/on-the-way', content: 'x' } },
      }),
    );
  });
});

test('can shows which files may be touched, and what bounds it', () => {
  const can = permissionsAt(read({ ...APP, timeout: '1m', output: { max_bytes: 9 } }, KEYS), {
    host: 'web',
    user: '',
    tags: [],
  });
  const app = { rule: '/rules/app', effect: 'allow', paths: ['/srv/app/**'], timeout: '1m', output: { max_bytes: 9 } };
  const keys = { rule: '/rules/keys', effect: 'deny', paths: ['/**/*.key'] };
  expect(can.actions).toEqual({ read: [app, keys], write: [keys], list: [app] });
});
