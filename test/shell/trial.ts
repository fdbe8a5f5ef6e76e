import { read } from '../../src/shell/read.ts';
import { commandsOf, type Script } from '../../src/shell/script.ts';
import { write } from '../../src/shell/write.ts';
import { NAMES } from './lines.ts';
import { unpredicted, writtenBy } from './prediction.ts';
import { type Account, HOSTILE_FILES, record, type Shell } from './recorder.ts';
import { sent } from './sent.ts';

/** What a trial found: `mismatches` must stay empty. */
export type Trial = {
  readonly lines: number;
  readonly known: number;
  readonly runs: number;
  readonly started: number;
  readonly mismatches: readonly string[];
};

type Case = { readonly line: string; readonly script: Script };

/** Builtins that start something else by themselves, evaluate a quoted word again, or leave the folder. */
const NOT_TRIED = new Set(
  (
    '. source exec eval command builtin trap cd chdir pushd popd alias kill noglob enable hash wait suspend fc r ' +
    'printf print [ test declare typeset local let read export readonly unset getopts mapfile compgen ulimit shift'
  ).split(' '),
);

/** Reads every line, and has every shell run those that are known. */
export const trial = async (shells: readonly Shell[], lines: readonly string[], account?: Account): Promise<Trial> => {
  const cases = lines.flatMap((line): readonly Case[] => {
    const analysis = read(line);
    if (analysis.kind === 'unknown') return [];
    const isTried = commandsOf(analysis.script).every(({ words: [{ text }] }) => !NOT_TRIED.has(text));
    return isTried ? [{ line, script: analysis.script }] : [];
  });
  const results = await Promise.all(shells.map(shell => tryOne(shell, cases, account)));
  return {
    lines: lines.length,
    known: cases.length,
    runs: cases.length * shells.length,
    started: results.reduce((sum, { started }) => sum + started, 0),
    mismatches: results.flatMap(({ mismatches }) => mismatches),
  };
};

const tryOne = async (shell: Shell, cases: readonly Case[], account?: Account) => {
  const names = cases.flatMap(({ line, script }) => [
    ...commandsOf(script).map(({ words: [{ text }] }) => text),
    ...piecesOf(line),
  ]);
  const { ran, files } = await record(
    shell,
    cases.map(({ line }) => line),
    [...NAMES, ...names],
    account,
  );
  const expected = new Set<string>([...HOSTILE_FILES, ...cases.flatMap(({ script }) => writtenBy(script))]);
  const wrong = cases.flatMap(({ line, script }, index) =>
    unpredicted(script, ran[index] ?? []).map(
      argv => `${shell.name} ran ${JSON.stringify(argv)} of ${JSON.stringify(line)}`,
    ),
  );
  const strange = files.filter(file => !expected.has(file)).map(file => `${shell.name} wrote ${JSON.stringify(file)}`);
  return { started: ran.reduce((sum, { length }) => sum + length, 0), mismatches: [...wrong, ...strange] };
};

/** Names that another reading of the line could come up with. */
const piecesOf = (line: string): readonly string[] => [...line.split(/[\s;&|<>()]+/), ...line.split(/[^A-Za-z0-9_]+/)];

/** Has every shell run the canonical form, as it is sent, of each script: exactly its commands must start. */
export const trialOfScripts = async (
  shells: readonly Shell[],
  scripts: readonly Script[],
  account: Account,
): Promise<Trial> => {
  const names = scripts.flatMap(script => commandsOf(script).map(({ words: [{ text }] }) => text));
  const lines = scripts.map(script => sent(write(script)));
  const results = await Promise.all(
    shells.map(async shell => {
      const { ran } = await record(shell, lines, [...NAMES, ...names, 'pwned'], account);
      const wrong = scripts.flatMap((script, index) => {
        const started = ran[index] ?? [];
        const isWhole = started.length === commandsOf(script).length && unpredicted(script, started).length === 0;
        return isWhole ? [] : [`${shell.name} ran ${JSON.stringify(started)} of ${lines[index]}`];
      });
      return { started: ran.reduce((sum, { length }) => sum + length, 0), mismatches: wrong };
    }),
  );
  return {
    lines: scripts.length,
    known: scripts.length,
    runs: scripts.length * shells.length,
    started: results.reduce((sum, { started }) => sum + started, 0),
    mismatches: results.flatMap(({ mismatches }) => mismatches),
  };
};
