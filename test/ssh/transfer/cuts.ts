import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../src/errors.ts';
import type { Transferred } from '../../../src/ssh/transfer/transfer.ts';
import type { Sshd } from '../../support/sshd.ts';
import { cuttingRelayTo } from './cutting-relay.ts';
import { groundOn, namesIn, sha256, sumOf } from './ground.ts';
import { watch } from './watcher.ts';

/** What became of a transfer that was cut again and again, and gone on with each time. */
export type CutStory = {
  readonly cuts: number;
  /** Bytes that went over the line in both directions, all logins with them. */
  readonly passed: number;
  readonly size: number;
  /** How often it went on with bytes that were there. */
  readonly resumed: number;
  readonly same: boolean;
  /** Sizes other than the right one that stood under the final name, and how often somebody looked. */
  readonly wrong: readonly number[];
  readonly looks: number;
  /** Codes of the failures between. */
  readonly codes: readonly string[];
  /** What stands in the folder at the end. */
  readonly left: number;
};

type Wanted = {
  readonly way: 'up' | 'down';
  readonly cuts: number;
  readonly size: number;
  /** Bytes until the next cut. */
  readonly next: () => number;
};

/** Moves one file while its line is cut, so often, each time after `next` bytes more; then lets it end. */
export const cutAndGoOn = async (sshd: Sshd, { way, cuts, size, next }: Wanted): Promise<CutStory> => {
  using relay = await cuttingRelayTo(sshd.port);
  await using ground = await groundOn(sshd, { port: relay.port });
  const bytes = randomBytes(size);
  const [source, goal] = way === 'up' ? [ground.here, ground.there] : [ground.there, ground.here];
  await writeFile(join(source, 'big'), bytes);
  const watcher = await watch(join(goal, 'big'), size);
  const codes: string[] = [];
  let resumed = 0;
  let done: Transferred | undefined;
  while (done === undefined) {
    if (relay.cuts() < cuts) relay.cutAfter(next());
    try {
      done = await (way === 'up' ? ground.up : ground.down)('big', 'big', { resume: true });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      codes.push(error.code);
      if (codes.length > 4 * cuts) throw error;
      if ('resumable_bytes' in error.details) resumed += 1;
    }
  }
  const { looks, wrong } = await watcher.end();
  const same = (await sumOf(join(goal, 'big'))) === sha256(bytes);
  const left = (await namesIn(goal)).length;
  return { cuts: relay.cuts(), passed: relay.passed(), size, resumed, same, wrong, looks, codes, left };
};
