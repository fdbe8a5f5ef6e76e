import type { Action, Program, SessionId, Target } from '../call.ts';
import { Failure } from '../errors.ts';
import { didYouMean } from '../text/nearest.ts';
import { safeLine } from '../text/safe.ts';
import type { Opened } from './fleet.ts';
import type { Host } from './host.ts';
import type { Inventory } from './inventory.ts';

/** What a call may be about, for naming its action before the gate: reads configuration and our own handles, nothing remote. */
export type Directory = {
  /** `UNKNOWN_HOST`, with the nearest names, when it is not configured. */
  readonly target: (host: string) => Target;
  /** Every configured account. */
  readonly targets: () => readonly Target[];
  /** The grant whose agent has added a host; undefined when a person configured it. */
  readonly addedBy: (host: string) => string | undefined;
  /** Where a line of this session would run; `UNKNOWN_ID` when the grant has no such session. */
  readonly session: (
    grant: string,
    id: string,
  ) => {
    readonly id: SessionId;
    readonly target: Target;
    readonly cwd: string;
    readonly home: string;
    readonly env: Readonly<Record<string, string>>;
  };
  /** Which terminal a handle of this grant is, if it is one: the program there as it was asked for, undefined for the login shell. */
  readonly terminal: (
    grant: string,
    id: string,
  ) => { readonly id: SessionId; readonly target: Target; readonly asked: Program | undefined } | undefined;
  /** Which host a handle of this grant belongs to, if there is one: for limits per host. */
  readonly hostOf: (grant: string, action: Action) => string | undefined;
};

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
  { commands, detached, sessions, terminals, tunnels }: Opened,
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
    if (what === 'tunnel') return tunnels.find(grant, id)?.host;
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
