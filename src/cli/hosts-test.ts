import { loadConfig } from '../config/load.ts';
import { Failure } from '../errors.ts';
import { createConnections } from '../ssh/connection/connections.ts';
import { fixedInventory } from '../ssh/inventory.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, writeJson } from './io.ts';
import { exitOf, failureData, hostNamed, partsFor, withEveryHost } from './link.ts';
import { logTo } from './log.ts';
import { byWhat, isSlow, probe } from './probe.ts';

/** `hosts test`: connects and logs in as a call would; 1 when the key is not trusted, 4 when it cannot be reached. */
export const hostsTest = async (io: Io, { options, operands }: Request): Promise<number> => {
  const config = await withEveryHost(io, loadConfig(options, io).config, options);
  const host = hostNamed(config, operands[0]);
  const connections = createConnections(fixedInventory([...config.hosts, host]), {
    ...partsFor(io, config, logTo(io, options.logLevel)),
    meetsStrangers: true,
  });
  try {
    const found = await probe(connections.get(host.name), io.clock, io.stopped);
    const data = {
      host: host.name,
      ok: true,
      server: found.server,
      fingerprint: found.fingerprint,
      ...(found.login === undefined ? {} : { login: found.login }),
      shell: found.shell,
      round_trip_ms: Math.round(found.roundTripMs * 10) / 10,
      command_ms: Math.round(found.commandMs * 10) / 10,
      ...(isSlow(found) ? { shell_startup_ms: Math.round(found.startupMs) } : {}),
    };
    if (options.json) writeJson(io, data);
    else
      print(
        io,
        `${host.name}: logged in as ${host.user}${byWhat(found)} at ${host.address}:${host.port}
  server      ${data.server}
  host key    ${data.fingerprint}
  shell       ${data.shell}
  round trip  ${data.round_trip_ms} ms, a command ${data.command_ms} ms${isSlow(found) ? `, of which ${data.shell_startup_ms} ms for its shell to start` : ''}`,
      );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (options.json) writeJson(io, { host: host.name, ok: false, error: failureData(error) });
    else say(io, `${host.name}: ${error.code}: ${error.operator ?? error.message} ${error.next}`);
    return exitOf(error);
  } finally {
    connections.closeAll();
  }
};
