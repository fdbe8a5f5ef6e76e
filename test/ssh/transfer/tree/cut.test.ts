import { randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { chance } from '../../../campaign/chance.ts';
import { startSshd } from '../../../support/sshd.ts';
import { cuttingRelayTo } from '../cutting-relay.ts';
import { layTreeGround } from './ground.ts';
import { failureOf, layIn, manyFiles } from './lay.ts';
import { diff, here, tableOf } from './same.ts';

test('a tree that is cut anywhere is copied by the next calls, and no file was ever half there', async () => {
  const seed = randomInt(2 ** 32);
  const next = chance(seed);
  await using sshd = await startSshd();
  using relay = await cuttingRelayTo(sshd.port);
  const hostKeys = sshd.hostKeys.map(({ fingerprint }) => fingerprint);
  await using ground = await layTreeGround({ sshd, host: { port: relay.port, hostKeys } });
  const from = await layIn(await ground.folder(), {
    ...manyFiles(150, 9),
    'd1/big': Buffer.alloc(3_000_000, 'not zeros'),
    'empty/': '',
  });
  for (const way of ['upload', 'download'] as const) {
    const whole = new Set(tableOf(from, way === 'download' ? here : undefined));
    for (let round = 0; round < 6; round += 1) {
      const to = ground.nothing();
      let cuts = 0;
      for (;;) {
        // What is there already does not move again, so that each call gets further.
        relay.cutAfter(20_000 + next(1_500_000) * (1 + cuts));
        const done = await ground[way](from, to, { resume: true }).catch((error: unknown) => error);
        const files = tableOf(to).filter(line => / file /.test(line) && !/\.part file /.test(line));
        expect({ seed, wrong: files.filter(line => !whole.has(line)) }).toEqual({ seed, wrong: [] });
        if (!(done instanceof Error)) break;
        expect({ seed, code: (await failureOf(Promise.reject(done))).code }).toEqual({
          seed,
          code: expect.stringMatching(/CONNECTION_LOST|UNREACHABLE/),
        });
        cuts += 1;
        expect(cuts).toBeLessThan(40);
      }
      relay.cutAfter(Number.POSITIVE_INFINITY);
      expect({ seed, diff: await diff(from, to) }).toEqual({ seed, diff: '' });
      expect((await readdir(to, { recursive: true })).filter(name => name.endsWith('.part'))).toEqual([]);
      expect(tableOf(to)).toEqual([...whole].sort());
    }
  }
}, 120_000);
