import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config.ts';
import { liveInventory } from '../../src/config/inventory.ts';
import { type AskSsh, askSsh } from '../../src/config/ssh-config/ask.ts';
import type { TempFolder } from './temp.ts';

type Options = {
  /** config.json without `sshConfig`. */
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly ask?: AskSsh;
};

/** An inventory over config.json and the file `ssh_config` of a folder that is also the home, what it said, and what ssh was asked. */
export const testInventory = async (temp: TempFolder, { config = {}, env: more = {}, ask }: Options = {}) => {
  const env = { HOME: temp.path, PATH: process.env.PATH, ...more };
  const { username: user, uid } = userInfo();
  const said: string[] = [];
  const asked: string[] = [];
  const real = ask ?? askSsh({ env, cwd: temp.path });
  const text = JSON.stringify({ sshConfig: 'ssh_config', ...config });
  const file = await temp.write('config.json', text);
  const inventory = liveInventory({
    ...{ file, text, env, uid },
    config: readConfig(text, file, env),
    log: (level, message) => said.push(`${level}: ${message.replaceAll(temp.path, '~')}`),
    asking: {
      person: { env, home: temp.path, user, uid, machine: hostname() },
      ask: async args => {
        asked.push(args[args.indexOf('--') + 1] ?? '');
        return await real(args);
      },
      uid,
    },
  });
  return { inventory, said, asked, env, ssh: join(temp.path, 'ssh_config') };
};
