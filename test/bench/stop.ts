import { ALLOW_ALL, homeFor, type Raw, raw, structured } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, figuresOf, timed } from './figures.ts';

const start = async (server: Raw, command: string): Promise<unknown> => {
  const { command_id, status } = structured(await server.call('ssh_exec', { host: 'web-1', command, wait_ms: 1 }));
  if (status !== 'running') throw new Error(`${command} did not go on`);
  return command_id;
};

/** From asking for a stop to the proof that nothing is alive, for a command that obeys and for one that ignores INT and TERM. */
export const cancelToProof = async (
  sshd: Sshd,
  runs: number,
): Promise<{ readonly obeys: Figures; readonly ignores: Figures }> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  await using server = raw(place);
  const stop = async (command: string): Promise<number> => {
    const command_id = await start(server, command);
    return timed(async () => {
      const { outcome } = structured(await server.call('ssh_cancel_command', { command_id }));
      if (outcome !== 'confirmed') throw new Error(`${command}: ${String(outcome)}`);
    });
  };
  const obeys: number[] = [];
  const ignores: number[] = [];
  for (let count = 0; count < runs; count += 1) {
    obeys.push(await stop('sleep 4321'));
    if (count < runs / 3) ignores.push(await stop("trap '' INT TERM; while :; do sleep 1; done"));
  }
  return { obeys: figuresOf(obeys), ignores: figuresOf(ignores) };
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
