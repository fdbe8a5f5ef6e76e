import { ALLOW_ALL, homeFor, type Raw, raw, structured } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, figuresOf, timed } from './figures.ts';

const start = async (server: Raw, command: string): Promise<unknown> => {
  const { command_id, status } = structured(await server.call('ssh_exec', { host: 'web-1', command, wait_ms: 1 }));
  if (status !== 'running') throw new Error(`${command} did not go on`);
  return command_id;
};

/** What is stopped, and how often as a share of the runs: what needs KILL takes most of a second each time. */
const TREES = {
  'one program': ['sleep 4321', 1],
  'a pipeline': ['sleep 4321 | cat | cat', 1],
  'a session of its own': ['setsid sleep 4321 >/dev/null 2>&1 & sleep 4321', 0.5],
  'INT ignored': ["trap '' INT; sleep 4321; sleep 4321", 0.5],
  'INT and TERM ignored': ["trap '' INT TERM; while :; do sleep 1; done", 0.3],
  'sixty processes': [
    'for i in 1 2 3 4 5 6; do (for j in 1 2 3 4 5 6 7 8 9; do sleep 4321 & done; wait) & done; wait',
    0.5,
  ],
} as const;

/** From asking for a stop to the proof that nothing is alive, by what is stopped. */
export const cancelToProof = async (sshd: Sshd, runs: number): Promise<Readonly<Record<string, Figures>>> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  await using server = raw(place);
  const stop = async (command: string): Promise<number> => {
    const command_id = await start(server, command);
    return timed(async () => {
      const { outcome } = structured(await server.call('ssh_cancel_command', { command_id }));
      if (outcome !== 'confirmed') throw new Error(`${command}: ${String(outcome)}`);
    });
  };
  const samples = Object.entries(TREES).map(([name, [command, share]]) => {
    const times: number[] = [];
    return { name, command, share, times };
  });
  for (let count = 0; count < runs; count += 1)
    for (const { command, share, times } of samples) if (count < runs * share) times.push(await stop(command));
  return Object.fromEntries(samples.map(({ name, times }) => [name, figuresOf(times)]));
};

/** From the client's last byte to the end of a server with two commands and a session alive. */
export const exitWhenAlone = async (sshd: Sshd, runs: number): Promise<Figures> => {
  const times: number[] = [];
  for (let count = 0; count < runs; count += 1) {
    await using place = await homeFor(sshd, ALLOW_ALL);
    const server = raw(place);
    await server.call('ssh_session_start', { host: 'web-1' });
    await Promise.all([start(server, 'sleep 4321'), start(server, 'sleep 4321')]);
    const begun = performance.now();
    server.child.stdin.end();
    const { atMs } = await server.exited;
    times.push(atMs - begun);
  }
  return figuresOf(times);
};
