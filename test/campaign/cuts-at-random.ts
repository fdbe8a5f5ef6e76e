// Transfers that are cut at random bytes and gone on with: node scripts/run.mjs test/campaign/cuts-at-random.ts --count 1000 --seed 1 --megabytes 40
import { parseArgs } from 'node:util';
import { type CutStory, cutAndGoOn } from '../ssh/transfer/cuts.ts';
import { startSshd } from '../support/sshd.ts';
import { chance } from './chance.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    megabytes: { type: 'string', default: '40' },
  },
});
const [count, size] = [Number(values.count), Number(values.megabytes) * 1_000_000];
/** A line that is cut before its greeting is dialled again, and is no cut of the transfer. */
const LOGIN = 8_000;
/** What may be on its way when a line is cut, and what a login takes. */
const LOST = 4 * 2 ** 20 + 65_536;
/** Cuts of one file; the rest are of the next one. */
const OF_ONE = 100;

const problemsOf = ({ same, wrong, passed, cuts }: CutStory): readonly string[] => [
  ...(same ? [] : ['the file is another one at the end']),
  ...(wrong.length === 0 ? [] : [`sizes that stood under the final name: ${wrong.join(', ')}`]),
  ...(passed < size + cuts * LOST ? [] : [`${passed} bytes went over the line`]),
];

const next = chance(Number(values.seed));
const began = performance.now();
const sshd = await startSshd();
let problems = 0;
try {
  for (const way of ['up', 'down'] as const)
    for (let done = 0; done < count / 2; done += OF_ONE) {
      const cuts = Math.min(OF_ONE, Math.ceil(count / 2) - done);
      const story = await cutAndGoOn(sshd, {
        way,
        cuts,
        size,
        next: () => LOGIN + next(Math.floor((2 * size) / cuts)),
      });
      const found = problemsOf(story);
      problems += found.length;
      for (const problem of found) process.stdout.write(`${way}: ${problem}\n`);
      const { passed, resumed, looks, left } = story;
      process.stdout.write(
        `${way}: ${story.cuts} cuts, ${(passed / size).toFixed(2)} of the size, ${resumed} resumed, ${looks} looks, ${left - 1} parts left\n`,
      );
    }
} finally {
  await sshd.close();
}
const seconds = Math.round((performance.now() - began) / 1000);
process.stdout.write(`${count} cuts, ${problems} problems, ${seconds} s\n`);
process.exitCode = problems === 0 ? 0 : 1;
