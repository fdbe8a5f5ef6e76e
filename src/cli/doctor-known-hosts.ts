import type { Host } from '../ssh/host.ts';
import { readKnownHosts } from '../ssh/trust/trust.ts';
import { advice, type Finding, well, wrong } from './finding.ts';
import { counted } from './io.ts';

const CHECK = 'known_hosts';
/** Places of broken lines that are shown of one file. */
const SHOWN = 5;

/** Reads every known_hosts file that some host is looked up in, as a dial does: `files` are those of the configuration. */
export const checkKnownHosts = async (
  files: readonly [string, ...string[]],
  hosts: readonly Host[],
): Promise<readonly Finding[]> => {
  const all = new Set([...files, ...hosts.flatMap(({ knownHosts = [] }) => knownHosts)]);
  const looked = await Promise.all([...all].map(file => checkFile(file, file === files[0])));
  return looked.flat();
};

const checkFile = async (file: string, first: boolean): Promise<readonly Finding[]> => {
  const { lines, problems, absent, unreadable } = await readKnownHosts(file);
  if (absent === true) return first ? [well(CHECK, `${file} is not there yet; sallyport hosts trust makes it`)] : [];
  if (unreadable !== undefined)
    return [
      wrong(CHECK, `${unreadable.join('; ')}, so that no key can be trusted`, `make ${file} readable, or take it out`),
    ];
  const shown = problems.slice(0, SHOWN).map(problem => `${problem.file}:${problem.line} ${problem.message}`);
  const more = problems.length > SHOWN ? ` and ${problems.length - SHOWN} more` : '';
  return [
    well(CHECK, `${file}, ${counted(lines.length, 'key')}`),
    ...(problems.length === 0
      ? []
      : [
          advice(
            CHECK,
            `lines that are not used: ${shown.join('; ')}${more}`,
            `correct them in ${file}, or leave them`,
          ),
        ]),
  ];
};
