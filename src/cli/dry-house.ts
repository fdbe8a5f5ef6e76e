import type { AuditRecord } from '../audit/record.ts';
import type { Action, Clock, Log, SessionId, Target } from '../call.ts';
import { isSessionId } from '../call.ts';
import { Failure } from '../errors.ts';
import { Gate } from '../gate/gate.ts';
import type { Policy } from '../policy/decide.ts';
import type { Directory } from '../ssh/directory.ts';
import type { Fleet } from '../ssh/fleet.ts';
import { memoryStore } from '../state/memory.ts';
import type { House } from '../tools/tool.ts';

/** A house in which everything is real but the hosts and the disk: calls are judged, charged and recorded, and end at the fleet's door. */
export type DryHouse = {
  readonly house: House;
  readonly records: readonly AuditRecord[];
  /** The action that the last call named, since it was forgotten. */
  readonly action: () => Action | undefined;
  readonly forget: () => void;
};

type Parts = {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly target: (host: string) => Target;
  readonly session?: string | undefined;
  readonly addedBy?: Directory['addedBy'];
};

/** What a permitted call meets instead of a host. */
export class Admitted extends Error {
  override readonly name = 'Admitted';
}

/** Builds one. Its counters begin at nothing. */
export const dryHouse = ({
  policy,
  clock,
  target,
  session = SOMEWHERE,
  addedBy = () => undefined,
}: Parts): DryHouse => {
  const records: AuditRecord[] = [];
  let last: Action | undefined;
  const forget = (): void => {
    last = undefined;
  };
  const log: Log = () => undefined;
  const audit = {
    admit: async (record: AuditRecord) => void records.push(record),
    note: (record: AuditRecord) => void records.push(record),
    close: () => undefined,
  };
  const directory: Directory = {
    target,
    targets: () => [],
    addedBy,
    session: (_grant, id) => ({ id: sessionId(id), target: target(session), cwd: '~', home: '~', env: {} }),
    terminal: () => undefined,
    hostOf: (_grant, action) => {
      last = action;
      return undefined;
    },
  };
  const gate = new Gate({ policy: () => policy, store: memoryStore(clock), audit, clock, log });
  const hosts = { add: admitted, remove: admitted };
  return { house: { gate, fleet: dryFleet(directory), hosts, version: '' }, records, action: () => last, forget };
};

/** Where a session runs is known to the server alone. */
const SOMEWHERE = '(the host of the session)';

const sessionId = (id: string): SessionId => {
  if (isSessionId(id)) return id;
  throw new Failure('UNKNOWN_ID', 'There is no such session.');
};

const dryFleet = (directory: Directory): Fleet => ({
  directory,
  ready: async () => undefined,
  hosts: admitted,
  status: admitted,
  connect: admitted,
  disconnect: admitted,
  run: admitted,
  command: admitted,
  cancel: admitted,
  open: admitted,
  send: admitted,
  session: admitted,
  end: admitted,
  transfer: admitted,
  openTunnel: admitted,
  closeTunnel: admitted,
  rejudge: () => undefined,
  shutdown: async () => undefined,
});

const admitted = (): never => {
  throw new Admitted();
};
