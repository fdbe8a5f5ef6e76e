import { randomBytes } from 'node:crypto';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAudit } from '../../src/audit/log.ts';
import { placesIn } from '../../src/cli/record.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';
import { type Person, person } from './person.ts';

const log = () => undefined;

/** A state folder as two runs of a server leave it, one call each. */
const used = async (): Promise<{ somebody: Person; state: string; audit: string }> => {
  const somebody = await person();
  const state = join(somebody.home.path, '.local/state/sallyport');
  const places = placesIn(state);
  const uid = process.getuid?.();
  const common = { clock: realClock, log, random: randomBytes, uid };
  for (const call_id of ['call_1', 'call_2']) {
    const store = await openSqlite({ file: places.store, ...common });
    const audit = await openAudit({ folder: places.audit, keyFile: places.key, store, ...common });
    await audit.admit({
      event: 'admitted',
      call_id,
      grant: 'local',
      tool: 'ssh_status',
      because: [{ rule: '/tools/ssh_status', reason: 'listed' }],
      action: { kind: 'observe' },
      policy: 'sha256:0',
    });
    audit.close();
    await store.heads();
    store.close();
  }
  return { somebody, state, audit: places.audit };
};

test('nothing on record yet is well', async () => {
  await using somebody = await person();
  expect(await somebody.type('audit', 'verify')).toEqual({
    code: 0,
    stdout: '',
    stderr: `There is no audit in ${somebody.home.path}/.local/state/sallyport yet.\n`,
  });
  expect(JSON.parse((await somebody.type('audit', 'verify', '--json')).stdout)).toEqual({
    ok: true,
    files: 0,
    records: 0,
    problems: [],
    notes: [],
  });
});

test('an audit that nobody touched is as it was written, also when another folder is named', async () => {
  const { somebody, state } = await used();
  await using _person = somebody;
  const said = { code: 0, stdout: '6 records in 2 files: nothing was changed\n', stderr: '' };
  expect(await somebody.type('audit', 'verify')).toEqual(said);
  expect(await somebody.type('audit', 'verify', '--state', state)).toEqual(said);
});

const TAMPERED: readonly {
  readonly title: string;
  readonly tamper: (file: string) => Promise<void>;
  readonly says: RegExp;
}[] = [
  {
    title: 'an edited word',
    tamper: async file => writeFile(file, (await readFile(file, 'utf8')).replace('ssh_status', 'ssh_statis')),
    says: /\.jsonl:2 /,
  },
  {
    title: 'a cut tail',
    tamper: async file =>
      writeFile(file, (await readFile(file, 'utf8')).split('\n').slice(0, 2).join('\n').concat('\n')),
    says: /\.jsonl:3 cut: /,
  },
  { title: 'a file that is gone', tamper: file => rm(file), says: /\.jsonl:0 missing: / },
  {
    title: 'a line that was added',
    tamper: async file => appendFile(file, `${(await readFile(file, 'utf8')).split('\n')[1]}\n`),
    says: /\.jsonl:4 /,
  },
];

test.each(TAMPERED)('$title is named with its place, and the exit is a no', async ({ tamper, says }) => {
  const { somebody, audit } = await used();
  await using _person = somebody;
  const [first = ''] = (await readdir(audit)).filter(name => name.endsWith('.jsonl')).sort();
  await tamper(join(audit, first));
  const { code, stdout } = await somebody.type('audit', 'verify');
  expect(code).toBe(1);
  expect(stdout).toMatch(says);
  const json = JSON.parse((await somebody.type('audit', 'verify', '--json')).stdout);
  expect(json).toMatchObject({ ok: false, problems: [{ file: first }] });
  const doctor = await somebody.type('doctor');
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toContain(`WRONG   audit: ${first}:`);
});

test('without the store a missing end cannot be told, and that is said', async () => {
  const { somebody, state } = await used();
  await using _person = somebody;
  await rm(placesIn(state).store);
  const { code, stdout, stderr } = await somebody.type('audit', 'verify');
  expect(code).toBe(4);
  expect(stdout).toContain('unvouched');
  expect(stderr).toContain('A file that is gone or cut cannot be told: ');
});

test('a key that others may read is refused', async () => {
  const { somebody, state } = await used();
  await using _person = somebody;
  await somebody.home.write('.local/state/sallyport/audit.key', randomBytes(32), 0o644);
  const { code, stderr } = await somebody.type('audit', 'verify', '--state', state);
  expect(code).toBe(3);
  expect(stderr).toContain('audit.key is open to other users (mode 0644): run chmod 600');
});
