import { DB_PING } from './db-ping.ts';
import { DEPLOY_NODE } from './deploy-node.ts';
import { DISK } from './disk.ts';
import { DOCKER_READ } from './docker-read.ts';
import { FILES_READ } from './files-read.ts';
import { GIT_READ } from './git-read.ts';
import { INSPECT } from './inspect.ts';
import { KUBECTL_READ } from './kubectl-read.ts';
import { LOGS } from './logs.ts';
import { NETWORK_READ } from './network-read.ts';
import type { Pack } from './pack.ts';
import { PACKAGES_READ } from './packages-read.ts';
import { PROCESSES } from './processes.ts';
import { SYSTEMD_READ } from './systemd-read.ts';
import { SYSTEMD_RESTART } from './systemd-restart.ts';
import { TEXT_FILTERS } from './text-filters.ts';

const ALL: readonly Pack[] = [
  INSPECT,
  PROCESSES,
  DISK,
  NETWORK_READ,
  LOGS,
  FILES_READ,
  TEXT_FILTERS,
  GIT_READ,
  SYSTEMD_READ,
  SYSTEMD_RESTART,
  DOCKER_READ,
  KUBECTL_READ,
  PACKAGES_READ,
  DB_PING,
  DEPLOY_NODE,
];

/** The packs that every document can name, by name. */
export const PACKS: ReadonlyMap<string, Pack> = new Map(ALL.map(pack => [pack.name, pack]));
