import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../src/ssh/host.ts';
import { makeKey, mayChooseAccount, type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

/** Who logs in: the account that runs the tests, which is root where `ordinary` is another one. */
export type Login = 'own' | 'ordinary';

/** An sshd that both log in to, and room for directories that both may write to. */
export type Ground = AsyncDisposable & {
  readonly sshd: Sshd;
  readonly logins: readonly Login[];
  readonly host: (login: Login) => Host;
  /** A directory of its own, with a name that is found nowhere else, and a number of seconds likewise. */
  readonly place: () => Promise<{ readonly path: string; readonly seconds: string }>;
};

/** An account that every Linux has, and that nobody logs in to. */
const ORDINARY = 'daemon';

/** Lays it out; without root and mount namespaces there is the own login alone. */
export const layGround = async (): Promise<Ground> => {
  const temp: TempFolder = await tempFolder('sallyport-stop-');
  await chmod(temp.path, 0o755);
  const both = mayChooseAccount();
  const key = await makeKey(join(temp.path, 'key'));
  const keys = await temp.write('authorized_keys', `${key.publicKey}\n`, 0o644);
  const config = ['MaxStartups 500', `AuthorizedKeysCommand /usr/bin/cat ${keys}`, 'AuthorizedKeysCommandUser root'];
  const sshd = await startSshd(
    both ? { config, account: { name: ORDINARY, shell: '/bin/sh', home: temp.path } } : { config },
  );
  const own = await sshd.host();
  return {
    sshd,
    logins: both ? ['own', 'ordinary'] : ['own'],
    host: login => (login === 'own' ? own : { ...own, user: ORDINARY, auth: [{ kind: 'key', path: key.path }] }),
    place: async () => {
      const path = join(temp.path, randomBytes(12).toString('hex'));
      await mkdir(path);
      await chmod(path, 0o777);
      return { path, seconds: `9${randomBytes(4).readUInt32BE()}.${randomBytes(4).readUInt32BE()}` };
    },
    [Symbol.asyncDispose]: async () => {
      await sshd.close();
      await temp.remove();
    },
  };
};
