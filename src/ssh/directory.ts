import type { Action, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { didYouMean } from '../text/nearest.ts';
import { safeLine } from '../text/safe.ts';
import type { Directory, Opened } from './fleet.ts';
import type { Host } from './host.ts';
import type { Inventory } from './inventory.ts';

const SHOWN_CHARS = 60;

/** The account that a configured host stands for. */
export const targetOf = ({ name, user, address, port, tags }: Host): Target => ({
  host: name,
  user,
  address,
  port,
  tags,
});

/** Names actions by the configuration and our own handles; touches no host. */
export const createDirectory = (
  inventory: Inventory,
  { commands, detached, sessions, terminals }: Opened,
): Directory => {
  const target = (name: string): Target => {
    const found = inventory.get(name);
    if (found !== undefined) return targetOf(found);
    const shown = safeLine(name, SHOWN_CHARS);
    const guess = didYouMean(
      shown,
      inventory.all().map(host => host.name),
    );
    throw new Failure('UNKNOWN_HOST', `No host is called ${JSON.stringify(shown)}${guess === '' ? '.' : guess}`);
  };
  const handleHost = (grant: string, action: Action): string | undefined => {
    if (!('id' in action)) return undefined;
    const { id, what } = action;
    const found =
      what === 'session'
        ? (sessions.find(grant, id) ?? terminals.find(grant, id))
        : (commands.find(grant, id) ?? detached.find(grant, id));
    return found?.host;
  };
  return {
    target,
    targets: () => inventory.all().map(targetOf),
    addedBy: name => inventory.get(name)?.addedBy,
    session: (grant, id) => {
      const session = sessions.get(grant, id);
      return { id: session.id, target: session.target, cwd: session.cwd, home: session.home, env: session.env };
    },
    terminal: (grant, id) => terminals.find(grant, id),
    hostOf: (grant, action) => ('target' in action ? action.target.host : handleHost(grant, action)),
  };
};
