import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../../src/config/load.ts';
import { defaultPaths } from '../../src/config/paths.ts';
import { readTrusted } from '../../src/config/trusted-file.ts';
import { InvalidFile } from '../../src/errors.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

const UID = process.getuid?.();
const STRANGER = 65534;
const POLICY = '{"version": "1", "default": "deny"}';

type Asked = { readonly grant?: string; readonly named?: { readonly config: boolean; readonly policy: boolean } };

const loadFrom = (temp: TempFolder, { grant, named = { config: false, policy: false } }: Asked = {}) => {
  const env = { HOME: temp.path };
  return load({ paths: defaultPaths(env), named, grant }, { env, uid: UID });
};

const CONFIG = '.config/sallyport/config.json';
const POLICY_FILE = '.config/sallyport/policy.json';

test('without any file there are no hosts, no policy, and it says where they would be', async () => {
  await using temp = await tempFolder();
  expect(loadFrom(temp)).toMatchObject({
    config: { hosts: [] },
    hasConfig: false,
    grant: 'local',
    policyFile: join(temp.path, POLICY_FILE),
    policyText: undefined,
    readable: [],
  });
});

test('both files are read, and one that others may read is named', async () => {
  await using temp = await tempFolder();
  await temp.write(CONFIG, '{}');
  await temp.write(POLICY_FILE, POLICY, 0o644);
  expect(loadFrom(temp)).toMatchObject({
    hasConfig: true,
    policyText: POLICY,
    readable: [join(temp.path, POLICY_FILE)],
  });
});

test.each([
  { title: 'the configuration', named: { config: true, policy: false }, file: CONFIG },
  { title: 'the policy', named: { config: false, policy: true }, file: POLICY_FILE },
])('$title that somebody named must be there', async ({ named, file }) => {
  await using temp = await tempFolder();
  const path = join(temp.path, file);
  expect(() => loadFrom(temp, { named })).toThrow(
    new InvalidFile([{ file: path, line: 1, column: 1, pointer: '', message: 'does not exist' }]),
  );
});

const grants = (temp: TempFolder) =>
  temp.write(CONFIG, '{"grants": {"ci": {"policy": "ci.json"}, "ops": {"policy": "ops.json"}}}');

test('a grant with a policy of its own is guarded by it, unless another is named', async () => {
  await using temp = await tempFolder();
  await grants(temp);
  const own = await temp.write('.config/sallyport/ci.json', POLICY);
  await temp.write(POLICY_FILE, '{}');
  expect(loadFrom(temp, { grant: 'ci' })).toMatchObject({ grant: 'ci', policyFile: own, policyText: POLICY });
  expect(loadFrom(temp, { grant: 'ci', named: { config: false, policy: true } }).policyText).toBe('{}');
  expect(loadFrom(temp).policyText).toBe('{}');
});

test('a mistyped grant is refused, and does not fall back to the policy of all', async () => {
  await using temp = await tempFolder();
  await grants(temp);
  await temp.write(POLICY_FILE, POLICY);
  expect(() => loadFrom(temp, { grant: 'cI' })).toThrow('/grants has no grant "cI"; did you mean "ci"?');
});

test('the policy of a grant must be there', async () => {
  await using temp = await tempFolder();
  await grants(temp);
  await temp.write(POLICY_FILE, POLICY);
  expect(() => loadFrom(temp, { grant: 'ops' })).toThrow('ops.json:1:1 / does not exist');
});

test('without grants in the configuration any name may be used', async () => {
  await using temp = await tempFolder();
  await temp.write(POLICY_FILE, POLICY);
  expect(loadFrom(temp, { grant: 'nightly' })).toMatchObject({ grant: 'nightly', policyText: POLICY });
});

const MODES: readonly {
  readonly title: string;
  readonly file: number;
  readonly folder: number;
  readonly says?: string;
}[] = [
  { title: 'as init writes it', file: 0o600, folder: 0o700 },
  { title: 'that others may read', file: 0o644, folder: 0o755 },
  {
    title: 'that a group may write',
    file: 0o660,
    folder: 0o700,
    says: 'is open to other users (mode 0660): run chmod 600',
  },
  {
    title: 'that anybody may write',
    file: 0o666,
    folder: 0o700,
    says: 'is open to other users (mode 0666): run chmod 600',
  },
  { title: 'in a folder that a group may write to', file: 0o600, folder: 0o770, says: 'run chmod go-w' },
  { title: 'in a folder that anybody may write to', file: 0o600, folder: 0o777, says: 'run chmod go-w' },
  { title: 'in a sticky folder that anybody may write to', file: 0o600, folder: 0o1777 },
];

test.each(MODES.flatMap(mode => [CONFIG, POLICY_FILE].map(name => ({ ...mode, name }))))(
  '$name $title is judged by who could have written it',
  async ({ name, file, folder, says }) => {
    await using temp = await tempFolder();
    const path = await temp.write(name, name === CONFIG ? '{}' : POLICY, file);
    await chmod(dirname(path), folder);
    if (says === undefined)
      expect(loadFrom(temp)).toMatchObject(name === CONFIG ? { hasConfig: true } : { policyText: POLICY });
    else expect(() => loadFrom(temp)).toThrow(says);
  },
);

test('a folder further up that anybody may write to is refused', async () => {
  await using temp = await tempFolder();
  await temp.write(CONFIG, '{}');
  await chmod(join(temp.path, '.config'), 0o777);
  expect(() => loadFrom(temp)).toThrow(`Anybody may replace what is in ${temp.path}/.config: run chmod o-w`);
});

test('a link is followed, and what it leads to is judged', async () => {
  await using temp = await tempFolder();
  const real = await temp.write('dotfiles/config.json', '{}');
  await mkdir(join(temp.path, '.config/sallyport'), { recursive: true });
  await symlink(real, join(temp.path, CONFIG));
  expect(loadFrom(temp).hasConfig).toBe(true);
  await chmod(dirname(real), 0o777);
  expect(() => loadFrom(temp)).toThrow('run chmod go-w');
  await chmod(dirname(real), 0o700);
  await chmod(real, 0o622);
  expect(() => loadFrom(temp)).toThrow('is open to other users (mode 0622)');
});

test('a folder in the place of a file is refused', async () => {
  await using temp = await tempFolder();
  await mkdir(join(temp.path, POLICY_FILE), { recursive: true });
  expect(() => loadFrom(temp)).toThrow('is not a plain file');
});

test('a file or a folder of another user is refused', async () => {
  await using temp = await tempFolder();
  const path = await temp.write(CONFIG, '{}');
  const env = { HOME: temp.path };
  const wanted = { paths: defaultPaths(env), named: { config: false, policy: false }, grant: undefined };
  // Only root can give files away; anybody else becomes another user to them instead.
  const owner = UID === 0 ? STRANGER : (UID ?? STRANGER);
  const us = UID === 0 ? 0 : owner + 1;
  if (UID === 0) await chown(path, STRANGER, STRANGER);
  expect(() => readTrusted(path, us)).toThrow(`belongs to user ${owner}`);
  if (UID === 0) await chown(path, 0, 0);
  if (UID === 0) await chown(dirname(path), STRANGER, STRANGER);
  expect(() => load(wanted, { env, uid: us })).toThrow(`belongs to user ${owner}, who may replace what is in it`);
});

test('odd bytes are a problem with a place, not a crash', async () => {
  await using temp = await tempFolder();
  const path = await temp.write(CONFIG, '');
  await writeFile(path, Buffer.from([0xff, 0xfe, 0x00, 0x7b]));
  expect(() => loadFrom(temp)).toThrow(InvalidFile);
});
