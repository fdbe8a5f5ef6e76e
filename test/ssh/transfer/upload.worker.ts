import { mint } from '../../../src/gate/permit.ts';
import { targetOf } from '../../../src/ssh/directory.ts';
import type { Host } from '../../../src/ssh/host.ts';
import { testFleet } from '../../support/fleet.ts';
import { leaveOf } from '../../support/leave.ts';
import { hurriedClock } from './hurried-clock.ts';

/** What this process is told: it uploads one file, a line on stdout for each step, and the sum at the end. */
export type Told = {
  readonly host: Host;
  readonly knownHosts: string;
  readonly here: string;
  readonly localPath: string;
  readonly remotePath: string;
};

const told: Told = JSON.parse(process.argv[2] ?? '');
const { host, knownHosts, here, ...paths } = told;
const files = { roots: [here], uid: process.getuid?.() } as const;
const test = testFleet(host, { knownHosts, files, clock: hurriedClock() });
const action = { kind: 'transfer', target: targetOf(host), direction: 'upload', resume: false, ...paths } as const;
const call = { id: 'call_1', grant: 'local', tool: 'test', input: {}, action, at: 0 };
const progress = (message: string): void => void process.stdout.write(`${message}\n`);
const done = await test.fleet.transfer(mint(call, {}, new AbortController().signal, leaveOf()), { progress });
process.stdout.write(`done ${'sha256' in done ? done.sha256 : ''}\n`);
test[Symbol.dispose]();
