import { readFile } from 'node:fs/promises';
import { ALLOW_ALL, homeFor, raw } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, figuresOf } from './figures.ts';

/** From spawn to the first answer, and the memory of the idle server after it. */
export const firstResponse = async (
  sshd: Sshd,
  runs: number,
): Promise<{ readonly start: Figures; readonly rssMb: number }> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  const times: number[] = [];
  const sizes: number[] = [];
  for (let count = 0; count < runs; count += 1) {
    const begun = performance.now();
    await using server = raw(place);
    await server.request('server/discover');
    times.push(performance.now() - begun);
    sizes.push(await residentMb(server.child.pid));
  }
  return { start: figuresOf(times), rssMb: figuresOf(sizes).p50 };
};

const residentMb = async (pid: number | undefined): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
};
