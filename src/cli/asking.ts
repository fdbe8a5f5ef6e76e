import { setTimeout as pauseFor } from 'node:timers/promises';
import type { Audit } from '../audit/record.ts';
import type { Action, Log } from '../call.ts';
import type { Config } from '../config/config.ts';
import { homeOf, withoutVariables } from '../config/paths.ts';
import { outputOf } from '../config/secret-command.ts';
import { Asking } from '../gate/ask.ts';
import type { Question } from '../gate/asking.ts';
import type { Policy } from '../policy/decide.ts';
import type { Inventory } from '../ssh/inventory.ts';
import { loadTrust } from '../ssh/trust/trust.ts';
import type { Store } from '../state/store.ts';
import { approversFrom } from './approvers.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import type { KeygenPlace } from './ssh-keygen.ts';

type Parts = {
  readonly config: Config;
  readonly inventory: Inventory;
  readonly policy: () => Policy;
  readonly store: Store;
  readonly audit: Audit;
  readonly log: Log;
};

/** How long the program that is told of a question may take. */
const NOTIFY_MS = 10_000;

/** How this process asks people. The list of approvers is read now. */
export const askingOf = (io: Io, options: Options, { config, inventory, ...parts }: Parts): Asking => {
  const { approvals, knownHosts } = config;
  const approvers = approversFrom(approvals, keygenPlace(io, options, config), parts.log);
  const hostKeysOf = async (action: Action): Promise<readonly string[] | undefined> => {
    // A host that is to be added has no key that anybody could know.
    if (!('target' in action) || action.kind === 'configure') return [];
    const host = inventory.get(action.target.host);
    if (host === undefined) return undefined;
    const { standing, anchors } = await loadTrust(host, knownHosts);
    return standing === 'unknown' ? undefined : anchors;
  };
  return new Asking({
    ...parts,
    clock: io.clock,
    hostKeysOf,
    ...(approvers === undefined ? {} : { approvers }),
    notify: question => notify(io, config, question, parts.log),
    limits: approvals.limits,
    pause: async (ms, signal) => void (await pauseFor(ms, undefined, { signal }).catch(() => undefined)),
    later: (ms, work) => void setTimeout(work, Math.min(ms, LONGEST_MS)).unref(),
  });
};

const LONGEST_MS = 2 ** 31 - 1;

/** Where ssh-keygen is run from, with an environment that holds no secret of the configuration. */
export const keygenPlace = ({ env, uid }: Io, { paths }: Options, { secretVariables }: Config): KeygenPlace => ({
  folder: paths.state,
  uid,
  env: withoutVariables(env, secretVariables),
});

/** Tells a person of a new question: which and where, and nothing of what would be done. */
const notify = (
  { env }: Pick<Io, 'env'>,
  { approvals, secretVariables }: Config,
  { id, host, tool, grant, expiresAt }: Question,
  log: Log,
): void => {
  if (approvals.notify === undefined) return;
  const told = {
    APPROVAL_ID: id,
    APPROVAL_HOST: host,
    APPROVAL_TOOL: tool,
    APPROVAL_GRANT: grant,
    APPROVAL_EXPIRES_AT: new Date(expiresAt).toISOString(),
  };
  const place = { env: { ...withoutVariables(env, secretVariables), ...told }, cwd: homeOf(env) };
  outputOf(approvals.notify, place, NOTIFY_MS).catch((error: unknown) =>
    log('warn', 'nobody was told of a question', { approval: id, cause: String(error) }),
  );
};
