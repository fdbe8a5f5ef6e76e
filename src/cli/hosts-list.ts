import { load } from '../config/load.ts';
import type { Host } from '../ssh/host.ts';
import { loadTrust } from '../ssh/trust/trust.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';
import { tableOf } from './table.ts';

/** `hosts list`: the configured hosts and what is known of their keys, without dialling any. */
export const hostsList = async (io: Io, { options }: Request): Promise<number> => {
  const { config: own, hasConfig } = load(options, io);
  const config = await withEveryHost(io, own, options);
  const hosts = await Promise.all(
    config.hosts.map(async host => ({
      name: host.name,
      user: host.user,
      address: host.address,
      port: host.port,
      tags: host.tags,
      ...(host.via === undefined ? {} : { via: host.via.name }),
      ...(host.addedBy === undefined ? {} : { added_by: host.addedBy }),
      auth: host.auth.map(login => login.kind),
      key: (await loadTrust(host, config.knownHosts)).standing,
    })),
  );
  if (options.json) {
    writeJson(io, { file: options.paths.config, hosts });
    return EXIT.ok;
  }
  if (hosts.length === 0) say(io, noHosts(options.paths.config, hasConfig));
  const rows = hosts.map(({ name, user, address, port, tags, auth, key }) => [
    name,
    `${user}@${address}:${port}`,
    auth.join(','),
    key,
    tags.join(','),
  ]);
  if (rows.length > 0) print(io, tableOf([['NAME', 'ACCOUNT', 'LOGIN', 'KEY', 'TAGS'], ...rows]));
  return EXIT.ok;
};

/** What to do about an empty list. */
export const noHosts = (file: string, hasConfig: boolean): string =>
  hasConfig
    ? `No hosts are configured. Put them under "hosts" in ${file}.`
    : `No hosts are configured. Run sallyport init --host NAME=USER@ADDRESS to write ${file}.`;

/** The host of this name in a configuration. */
export const named = (hosts: readonly Host[], name: string): Host | undefined => hosts.find(host => host.name === name);
