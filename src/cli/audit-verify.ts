import type { Request } from './commands.ts';
import { counted, EXIT, type Io, print, say, writeJson } from './io.ts';
import { logTo } from './log.ts';
import { lookAtRecord } from './record.ts';

/** `audit verify`: names, for each file, the first place that was edited, cut or swapped; 1 when there is one. */
export const auditVerify = async (io: Io, { options }: Request): Promise<number> => {
  const looked = await lookAtRecord(io, options.paths.state, logTo(io, options.logLevel));
  if (looked === undefined) {
    if (options.json) writeJson(io, { ok: true, files: 0, records: 0, problems: [], notes: [] });
    else say(io, `There is no audit in ${options.paths.state} yet.`);
    return EXIT.ok;
  }
  const { verdict, unvouched } = looked;
  const { files, records, problems, notes } = verdict;
  const ok = problems.length === 0;
  if (options.json) {
    writeJson(io, { ok, ...verdict, ...(unvouched === undefined ? {} : { unvouched }) });
  } else {
    for (const { file, line, what } of problems) print(io, `${file}:${line} ${what}`);
    for (const { file, line, what } of notes) print(io, `${file}:${line} ${what} (note)`);
    if (unvouched !== undefined) say(io, `A file that is gone or cut cannot be told: ${unvouched}.`);
    print(
      io,
      `${counted(records, 'record')} in ${counted(files, 'file')}: ${ok ? 'nothing was changed' : `${problems.length} were tampered with`}`,
    );
  }
  if (!ok) return EXIT.no;
  return unvouched === undefined ? EXIT.ok : EXIT.environment;
};
