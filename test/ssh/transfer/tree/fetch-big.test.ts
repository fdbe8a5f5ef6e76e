import { fstatSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disk, OPENED } from '../../../../src/ssh/transfer/tree/disk.ts';
import { diskThread, holdDiskThread } from '../../../../src/ssh/transfer/tree/disk-thread.ts';
import { untilTrue } from '../../../support/until.ts';
import { layTreeGround } from './ground.ts';
import { failureOf, layIn } from './lay.ts';

test('of a big file that is given up nothing is written to what another file has the number of by then', async () => {
  await using ground = await layTreeGround();
  const from = await layIn(await ground.folder(), { big: Buffer.alloc(8_000_000, 'not zeros') });
  const others = await ground.folder();
  const release = holdDiskThread();
  await untilTrue(() => diskThread() !== undefined);
  for (let round = 0; round < 5; round += 1) {
    const abort = new AbortController();
    const fds: number[] = [];
    let over = false;
    // Each lane asks a moment later than the one before it, so that one of them asks next, whatever is closed.
    const openOn = async (lane: number): Promise<void> => {
      for (let count = 0; !over && count < 100; count += 1) {
        const path = join(others, `${round}-${lane}-${count}`);
        for (let moment = 0; moment < lane; moment += 1) await undefined;
        fds.push(await disk.open(Buffer.from(path), OPENED.make, 0o600));
      }
    };
    let opening: Promise<unknown> | undefined;
    let writes = 0;
    const moved = (total: number): void => {
      writes += 1;
      if (total < 800_000 || abort.signal.aborted) return;
      opening = Promise.all(Array.from({ length: 24 }, (_, lane) => openOn(lane)));
      abort.abort();
    };
    const failure = await failureOf(ground.download(from, ground.nothing(), { signal: abort.signal, moved }));
    const before = writes;
    over = true;
    await opening;
    // What was still to be written is written by then.
    for (let count = 0; count < 20; count += 1) await disk.look(Buffer.from(others));
    const sizes = fds.map(fd => fstatSync(fd).size).filter(size => size > 0);
    await Promise.all(fds.map(fd => disk.close(fd)));
    expect([failure.code, sizes, writes - before]).toEqual(['CANCELLED', [], 0]);
  }
  release();
});
