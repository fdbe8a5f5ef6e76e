// The differential proof at length: node scripts/run.mjs test/shell/campaign.ts --lines 1000000 --scripts 20000 --seed 1
import { parseArgs } from 'node:util';
import { attacks, benign } from './corpus.ts';
import { randomLines } from './lines.ts';
import { type Account, loginShells, posixShells } from './recorder.ts';
import { randomScripts } from './scripts.ts';
import { type Trial, trial, trialOfScripts } from './trial.ts';

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '100000' },
    scripts: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const LINES = 4_000;
const SCRIPTS = 500;

const began = Date.now();
const corpus = [...attacks, ...benign].map(({ command }) => command);
const say = (what: string): void => {
  process.stdout.write(`${Math.round((Date.now() - began) / 1000)} s ${what}\n`);
};

/** Runs batches until there are enough distinct lines, every other one in another locale. */
const campaign = async (
  what: string,
  total: number,
  run: (batch: number, account: Account) => Promise<Trial>,
): Promise<number> => {
  const sum = { lines: 0, known: 0, runs: 0, started: 0, mismatches: 0 };
  for (let batch = 0; sum.lines < total; batch += 1) {
    const result = await run(batch, { locale: batch % 2 === 0 ? 'C.UTF-8' : 'C', home: {} });
    for (const mismatch of result.mismatches) say(mismatch);
    sum.lines += result.lines;
    sum.known += result.known;
    sum.runs += result.runs;
    sum.started += result.started;
    sum.mismatches += result.mismatches.length;
    if (batch % 5 === 4 || sum.lines >= total) say(`${what} ${JSON.stringify(sum)}`);
  }
  return sum.mismatches;
};

const posix = posixShells();
const all = loginShells();
say(
  `seed ${seed}; texts in ${posix.map(({ name }) => name).join(' ')}; scripts in ${all.map(({ name }) => name).join(' ')}`,
);
const seen = new Set<string>();
const wrong =
  (await campaign('texts', Number(values.lines), (batch, account) => {
    const lines = randomLines(seed + batch * 7919, LINES, corpus).filter(line => !seen.has(line));
    for (const line of lines) seen.add(line);
    return trial(posix, lines, account);
  })) +
  (await campaign('scripts', Number(values.scripts), (batch, account) => {
    // yash cannot take text outside ASCII in the C locale: it starts nothing.
    const shells = account.locale === 'C' ? all.filter(({ name }) => name !== 'yash') : all;
    return trialOfScripts(shells, randomScripts(seed + batch * 7919, SCRIPTS), account);
  }));
process.exitCode = wrong === 0 ? 0 : 1;
