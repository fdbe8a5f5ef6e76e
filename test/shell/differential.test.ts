import { expect, test } from 'vitest';
import { attacks, benign } from './corpus.ts';
import { randomLines } from './lines.ts';
import { fiveShells } from './recorder.ts';
import { trial } from './trial.ts';

const LINES = 20_000;
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 1_000_000_007);
const corpus = [...attacks, ...benign].map(({ command }) => command);
const shells = fiveShells();

test('the same seed gives the same lines, and no line twice', () => {
  const lines = randomLines(7, 2_000, corpus);
  expect(randomLines(7, 2_000, corpus)).toEqual(lines);
  expect(randomLines(8, 2_000, corpus)).not.toEqual(lines);
  expect(new Set(lines).size).toBe(2_000);
});

test(`no shell runs a word that was not predicted, in ${LINES} random lines and the corpus (seed ${seed})`, async () => {
  const own = corpus.map(line => line.replaceAll('/', '_'));
  const lines = [...new Set([...own, ...randomLines(seed, LINES, corpus, { tame: 1, wild: 8 })])];
  const result = await trial(shells, lines);
  process.stdout.write(
    `differential: seed ${seed}, ${result.lines} distinct lines, ${result.known} known, ${result.runs} runs, ` +
      `${result.started} programs started, ${result.mismatches.length} mismatches\n`,
  );
  expect(result.mismatches).toEqual([]);
  expect(result.lines).toBeGreaterThanOrEqual(LINES);
  expect(result.known).toBeGreaterThan(2_000);
  expect(result.started).toBeGreaterThan(shells.length * 2_000);
}, 600_000);
