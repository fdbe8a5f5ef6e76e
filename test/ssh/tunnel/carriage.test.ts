import { expect, test } from 'vitest';
import type { Lent } from '../../../src/ssh/connection/through.ts';
import { Carriage } from '../../../src/ssh/tunnel/carriage.ts';

test('a link that comes while the tunnel ends is given back, whichever is first', async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    const story: string[] = [];
    let fall = (): void => undefined;
    let retry = (): void => undefined;
    const link = (name: string): Lent => ({
      isOpen: () => true,
      onClosed: listener => {
        fall = listener;
        return () => undefined;
      },
      forward: () => Promise.reject(new Error('nobody connects')),
      listen: async () => ({ port: 7_000, close: async () => void story.push(`${name} listens no longer`) }),
      giveBack: () => void story.push(`${name} is given back`),
    });
    const links = ['first', 'second'];
    const carriage = new Carriage({
      lend: async () => link(links.shift() ?? 'third'),
      listen: { port: 0, knock: () => undefined },
      after: (ms, run) => {
        if (ms < 1_000) retry = run;
        return () => undefined;
      },
      jitter: () => 1,
      lost: () => void story.push('lost'),
      found: () => void story.push('found'),
      over: () => void story.push('over'),
      missed: () => void story.push('missed'),
    });
    await carriage.begin(new AbortController().signal);
    fall();
    retry();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await carriage.end();
    await new Promise(setImmediate);
    const [lost, back, ...rest] = story;
    expect([lost, back]).toEqual(['first is given back', 'lost']);
    expect([
      ['second is given back'],
      ['second listens no longer', 'second is given back'],
      ['found', 'second listens no longer', 'second is given back'],
    ]).toContainEqual(rest);
  }
});
