import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALLOW_ALL, home, hostEntry, type Raw, raw, structured } from '../support/home.ts';
import { noneLeft, processesWith } from '../support/processes.ts';
import { type Relay, relayTo } from '../support/relay.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';

let sshd: Sshd;
let state: TempFolder;
beforeAll(async () => {
  state = await tempFolder();
  sshd = await startSshd({ config: [`SetEnv XDG_STATE_HOME=${state.path}`] });
});
afterAll(async () => {
  await sshd.close();
  await state.remove();
});

/** The shortest lease that can be configured, and what stopping takes after it on a busy machine. */
const LEASE_MS = 5_000;
const STOPPING_MS = 4_000;

/** Every process under a server, the deepest last. */
const under = (pid: number): readonly number[] => {
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
  return children.flatMap(child => [child, ...under(child)]);
};

const sshdProcesses = (): readonly number[] =>
  under(sshd.pid).filter(pid =>
    // One that has ended meanwhile is none, and ps exits with 1.
    spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('sshd'),
  );

const signal = (pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void => {
  for (const pid of pids) process.kill(pid, name);
};

type Scene = { readonly server: Raw; readonly relay: Relay };
type Way = {
  readonly way: string;
  readonly gone: (scene: Scene) => void;
  readonly after?: (scene: Scene) => void;
  readonly atOnce: boolean;
};

let stopped: readonly number[] = [];
const WAYS: readonly Way[] = [
  { way: 'this server is killed', gone: ({ server }) => void server.child.kill('SIGKILL'), atOnce: true },
  {
    way: 'this machine sleeps',
    gone: ({ server }) => void server.child.kill('SIGSTOP'),
    after: ({ server }) => void server.child.kill('SIGCONT'),
    atOnce: false,
  },
  {
    way: 'the sshd is stopped',
    gone: () => {
      stopped = sshdProcesses();
      signal(stopped, 'SIGSTOP');
    },
    after: () => signal(stopped, 'SIGCONT'),
    atOnce: false,
  },
  { way: 'the line goes dead', gone: ({ relay }) => relay.goSilent(), atOnce: false },
  { way: 'the line is reset', gone: ({ relay }) => relay.reset(), atOnce: true },
];

/** Something that ignores what it can, in the background, in a session of its own, and in the foreground. */
const tree = (mark: string): string =>
  `export TRACE=${mark}; setsid sleep 7801 & nohup sh -c 'trap "" INT TERM HUP; while :; do sleep 7802; done' >/dev/null 2>&1 & sleep 7803`;

describe('remote work ends within its lease, and what was detached does not', () => {
  test.each(WAYS)('when $way [G14]', { timeout: 60_000 }, async ({ gone, after, atOnce }) => {
    using relay = await relayTo(sshd.port);
    const entry = { ...(await hostEntry(sshd)), port: relay.port, hostKey: sshd.hostKeys[0]?.fingerprint };
    const timeouts = { leaseMs: LEASE_MS };
    await using place = await home({ 'web-1': entry }, ALLOW_ALL, { knownHosts: [sshd.knownHosts], timeouts });
    await using server = raw(place);
    const mark = randomBytes(8).toString('hex');
    const run = { host: 'web-1', command: tree(mark), wait_ms: 1 };
    const detached = `detached${mark.toUpperCase()}`;
    const apart = { host: 'web-1', command: `export TRACE=${detached}; sleep 7804`, detach: true };
    const started = await Promise.all([
      server.call('ssh_exec', run),
      server.call('ssh_exec', run),
      server.call('ssh_exec', apart),
    ]);
    expect(started.map(result => structured(result).status)).toEqual(['running', 'running', 'running']);
    await expect.poll(async () => (await processesWith(mark)).length).toBeGreaterThanOrEqual(8);
    const began = performance.now();
    gone({ server, relay });
    await noneLeft(mark);
    const took = performance.now() - began;
    after?.({ server, relay });
    await using next = raw(place);
    expect(await processesWith(detached)).not.toEqual([]);
    const { command_id } = structured(started[2]);
    const cancelled = await next.call('ssh_cancel_command', { command_id });
    expect(structured(cancelled)).toMatchObject({ outcome: 'confirmed' });
    expect(await processesWith(detached)).toEqual([]);
    expect(took).toBeLessThan((atOnce ? 0 : LEASE_MS) + STOPPING_MS);
  });
});
