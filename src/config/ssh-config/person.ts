import { homedir, hostname, userInfo } from 'node:os';
import type { Env } from '../paths.ts';

/** Whose ssh_config it is, as ssh sees it: by the system's list of accounts, whatever `$HOME` says. */
export type Person = {
  readonly env: Env;
  readonly home: string;
  readonly user: string;
  readonly uid: number | undefined;
  readonly machine: string;
};

/** The account that runs this. */
export const personIn = (env: Env): Person => {
  const machine = hostname();
  try {
    const { homedir: home, username: user, uid } = userInfo();
    return { env, home, user, uid: uid < 0 ? undefined : uid, machine };
  } catch {
    // An account without an entry: ssh refuses to run for it.
    return { env, home: homedir(), user: '', uid: undefined, machine };
  }
};
