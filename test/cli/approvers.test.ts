import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approversFrom, NAMESPACE, sign } from '../../src/cli/approvers.ts';
import type { KeygenPlace } from '../../src/cli/ssh-keygen.ts';
import { startAgent } from '../support/agent.ts';
import { listIn, type Person, personIn } from '../support/approvers.ts';
import { securityKey, startFakeAgent } from '../support/fake-agent.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

let temp: TempFolder;
let place: KeygenPlace;
let alice: Person;
let bob: Person;
beforeAll(async () => {
  temp = await tempFolder('sallyport-approvers-');
  const { PATH, HOME } = process.env;
  place = { folder: join(temp.path, 'state'), uid: process.getuid?.(), env: { PATH, HOME } };
  alice = personIn(temp.path, 'alice');
  bob = personIn(temp.path, 'bob', 'ecdsa');
});
afterAll(() => temp.remove());

const TEXT = '{"approval":"ap_1","decision":"approve"}';
const quiet = (): void => undefined;
let lists = 0;
const list = (...lines: readonly string[]): Promise<string> => listIn(temp.path, `list-${++lists}`, ...lines);

/** A signature over a text by ssh-keygen itself. */
const signed = (
  person: Person,
  { text = TEXT, namespace = NAMESPACE }: { text?: string; namespace?: string } = {},
): string =>
  execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', person.key, '-n', namespace], {
    input: text,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });

const verify = async (allowedSigners: string, signature: string, revokedKeys?: string) => {
  const approvers = approversFrom({ allowedSigners, revokedKeys }, place, quiet);
  return (await approvers?.verify(TEXT, { signature })) ?? 'no approvers';
};

test('a signature over this text by somebody on the list counts, under the name of the list', async () => {
  const allowed = await list(alice.line(), bob.line('namespaces="git,approval@sallyport"'));
  expect(await verify(allowed, signed(alice))).toEqual({
    principal: 'alice',
    key: expect.stringMatching(/^SHA256:.{43}$/),
  });
  expect(await verify(allowed, signed(bob))).toMatchObject({ principal: 'bob' });
  expect(await readdir(place.folder)).toEqual([]);
});

test.each<{ title: string; lines: () => readonly string[]; by?: () => Person; made?: object; says: RegExp }>([
  { title: 'over another text', lines: () => [alice.line()], made: { text: `${TEXT} ` }, says: /does not verify/ },
  {
    title: 'under another namespace',
    lines: () => [alice.line()],
    made: { namespace: 'git' },
    says: /namespace does not match/,
  },
  { title: 'of a key that is not listed', lines: () => [alice.line()], by: () => bob, says: /not listed/ },
  { title: 'on an empty list', lines: () => [], says: /not listed/ },
  {
    title: 'of a key that is listed for something else',
    lines: () => [alice.line('namespaces="git"')],
    says: /does not verify/,
  },
  {
    title: 'of a key whose time is over',
    lines: () => [alice.line('valid-before="20200101"')],
    says: /not at this time|does not verify/,
  },
  {
    title: 'of a key whose time has not come',
    lines: () => [alice.line('valid-after="20990101"')],
    says: /not at this time|does not verify/,
  },
  { title: 'under a pattern', lines: () => [alice.line().replace('alice', '*')], says: /one plain name/ },
  { title: 'under two names', lines: () => [alice.line().replace('alice', 'alice,bob')], says: /one plain name/ },
  {
    title: 'of an authority, which is no key of a person',
    lines: () => [alice.line('cert-authority')],
    says: /not listed|does not verify/,
  },
])('a signature $title does not', async ({ lines, by = () => alice, made, says }) => {
  expect(await verify(await list(...lines()), signed(by(), made))).toEqual(expect.stringMatching(says));
});

test.each([
  { title: 'no signature', text: '' },
  { title: 'another text', text: 'yes' },
  { title: 'half a signature', text: '-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n' },
])('$title is none', async ({ text }) => {
  expect(await verify(await list(alice.line()), text)).toEqual(expect.any(String));
});

test('a revoked key counts no longer, by a list of keys and by a KRL', async () => {
  const allowed = await list(alice.line(), bob.line());
  const keys = await list(alice.line().replace('alice ', ''));
  const krl = join(temp.path, 'krl');
  execFileSync('ssh-keygen', ['-q', '-k', '-f', krl, `${alice.key}.pub`]);
  await chmod(krl, 0o600);
  for (const revoked of [keys, krl]) {
    expect(await verify(allowed, signed(alice), revoked)).toEqual(expect.stringContaining('does not verify'));
    expect(await verify(allowed, signed(bob), revoked)).toMatchObject({ principal: 'bob' });
  }
});

test('a certificate speaks for nobody, whoever certified it', async () => {
  const authority = personIn(temp.path, 'authority');
  const eve = personIn(temp.path, 'eve');
  execFileSync('ssh-keygen', ['-q', '-s', authority.key, '-I', 'eve', '-n', 'alice', `${eve.key}.pub`]);
  const allowed = await list(authority.line('cert-authority').replace('authority ', 'alice '));
  const signature = signed({ ...eve, key: `${eve.key}-cert.pub` });
  expect(await verify(allowed, signature)).toBe('A signature by a certificate is not accepted: list the key itself.');
});

describe('the list of approvers', () => {
  test('counts as it was at the start: once it says something else, nobody counts', async () => {
    const allowed = await list(alice.line());
    const approvers = approversFrom({ allowedSigners: allowed, revokedKeys: undefined }, place, quiet);
    await writeFile(allowed, `${alice.line()}${bob.line()}`);
    const says = expect.stringContaining('has changed since this server was started');
    expect(await approvers?.verify(TEXT, { signature: signed(bob) })).toEqual(says);
    expect(await approvers?.verify(TEXT, { signature: signed(alice) })).toEqual(says);
    await writeFile(allowed, alice.line());
    expect(await approvers?.verify(TEXT, { signature: signed(alice) })).toMatchObject({ principal: 'alice' });
  });

  test.each([
    { title: 'that others may write', spoil: (path: string) => chmod(path, 0o666) },
    { title: 'in whose place another was put', spoil: (path: string) => rename(path, `${path}.old`) },
  ])('one $title lets nobody approve', async ({ spoil }) => {
    const allowed = await list(alice.line());
    const approvers = approversFrom({ allowedSigners: allowed, revokedKeys: undefined }, place, quiet);
    await spoil(allowed);
    expect(await approvers?.verify(TEXT, { signature: signed(alice) })).toEqual(expect.any(String));
    const said: string[] = [];
    expect(
      approversFrom({ allowedSigners: allowed, revokedKeys: undefined }, place, (_, text) => void said.push(text)),
    ).toBeUndefined();
    expect(said).toEqual(['no operator can approve anything']);
  });

  test('a list of revoked keys that is named must be there', async () => {
    const allowed = await list(alice.line());
    expect(
      approversFrom({ allowedSigners: allowed, revokedKeys: join(temp.path, 'gone') }, place, quiet),
    ).toBeUndefined();
  });

  test('a list in a folder where others may put files is none', async () => {
    const folder = join(temp.path, 'open');
    await mkdir(folder);
    await chmod(folder, 0o777);
    const allowed = await listIn(folder, 'signers', alice.line());
    expect(approversFrom({ allowedSigners: allowed, revokedKeys: undefined }, place, quiet)).toBeUndefined();
  });
});

describe('signing', () => {
  test('uses a key file, and a key that an agent holds', async () => {
    const allowed = await list(alice.line());
    const own = await sign(place, alice.key, { text: TEXT, attended: false });
    expect(await verify(allowed, 'signature' in own ? own.signature : own.why)).toMatchObject({ principal: 'alice' });
    await using agent = await startAgent();
    await agent.add(alice.key);
    // Without the private half beside it.
    const shared = join(temp.path, 'shared.pub');
    await copyFile(`${alice.key}.pub`, shared);
    const env = { ...place.env, SSH_AUTH_SOCK: agent.socket };
    const lent = await sign({ ...place, env }, shared, { text: TEXT, attended: false });
    expect(await verify(allowed, 'signature' in lent ? lent.signature : lent.why)).toMatchObject({
      principal: 'alice',
    });
  });

  test.each(['ed25519', 'ecdsa'] as const)(
    'uses an %s key of a security key (FIDO) that an agent holds',
    async kind => {
      const key = securityKey(kind);
      await using agent = await startFakeAgent([key]);
      const path = join(temp.path, `sk-${kind}.pub`);
      await writeFile(path, `${key.publicKey}\n`, { mode: 0o600 });
      const env = { ...place.env, SSH_AUTH_SOCK: agent.socket };
      const lent = await sign({ ...place, env }, path, { text: TEXT, attended: false });
      expect(agent.signed()).toBe(1);
      const signature = 'signature' in lent ? lent.signature : lent.why;
      expect(await verify(await list(`carol ${key.publicKey}\n`), signature)).toMatchObject({ principal: 'carol' });
      expect(await verify(await list(alice.line()), signature)).toEqual(expect.any(String));
    },
  );

  test('says why there is no signature', async () => {
    expect(await sign(place, join(temp.path, 'nothing'), { text: TEXT, attended: false })).toEqual({
      why: expect.stringContaining('nothing'),
    });
  });
});
