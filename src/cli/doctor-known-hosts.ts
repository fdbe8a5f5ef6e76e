import { readFile, stat } from 'node:fs/promises';
import type { Host } from '../ssh/host.ts';
import { parseKnownHosts } from '../ssh/known-hosts.ts';
import { isCode } from '../state/private.ts';
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
  const read = await textOf(file);
  if (read.how === 'absent')
    return first ? [well(CHECK, `${file} is not there yet; sallyport hosts trust makes it`)] : [];
  if (read.how === 'unreadable')
    return [
      wrong(CHECK, `${file} ${read.why}, so that no key can be trusted`, `make ${file} readable, or take it out`),
    ];
  const { lines, problems } = parseKnownHosts(read.text, file);
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

type Read =
  | { readonly how: 'read'; readonly text: string }
  | { readonly how: 'absent' }
  | { readonly how: 'unreadable'; readonly why: string };

const textOf = async (file: string): Promise<Read> => {
  try {
    // A pipe would be waited for without end.
    if (!(await stat(file)).isFile()) return { how: 'unreadable', why: 'is no file' };
    return { how: 'read', text: await readFile(file, 'latin1') };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return { how: 'absent' };
    return { how: 'unreadable', why: `cannot be read (${error instanceof Error ? error.message : String(error)})` };
  }
};
