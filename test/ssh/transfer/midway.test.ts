import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { leaveOf } from '../../support/leave.ts';
import { failureOf, type Ground, layGround, namesIn } from './ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround();
});
afterAll(async () => await ground[Symbol.asyncDispose]());

const SIZE = 40_000_000;

test.each(['up', 'down'] as const)(
  'what allowed a file and ends midway is felt within eight mebibytes, and nothing of it stays (%s)',
  async way => {
    const [source, goal] = way === 'up' ? [ground.here, ground.there] : [ground.there, ground.here];
    await writeFile(join(source, way), randomBytes(SIZE));
    let asked = 0;
    const leave = leaveOf(undefined, async (bytes, total) => {
      if (bytes === 0 && total === SIZE) asked += 1;
      return asked === 3 ? new Failure('POLICY_DENIED', 'The hours are over.') : undefined;
    });
    const failure = await failureOf(ground[way](way, way, { leave }));
    expect([failure.code, failure.message, failure.details]).toEqual(['POLICY_DENIED', 'The hours are over.', {}]);
    expect(leave.asked.slice(-4)).toEqual([{ bytes: SIZE }, { bytes: 0 }, { bytes: 0 }, { bytes: 0 }]);
    expect((await namesIn(goal)).filter(name => name.includes(way))).toEqual([]);
  },
);

test.each(['up', 'down'] as const)(
  'a file that may move to its end is asked about once for every 8 MiB, and before its final name (%s)',
  async way => {
    const source = way === 'up' ? ground.here : ground.there;
    await writeFile(join(source, `all-${way}`), randomBytes(SIZE));
    const leave = leaveOf();
    await ground[way](`all-${way}`, `all-${way}`, { leave });
    const charges = leave.asked.flatMap(one => ('bytes' in one ? [one.bytes] : []));
    const midway = charges.slice(charges.indexOf(SIZE) + 1);
    expect(midway).toEqual([0, 0, 0, 0, 0]);
  },
);
