import type { Config } from '../config/config.ts';
import { faultOfRoot } from '../ssh/transfer/local-place.ts';
import { type Finding, well, wrong } from './finding.ts';
import type { Io } from './io.ts';
import { keptFrom, type Naming } from './kept-files.ts';
import type { Options } from './options.ts';

const CHECK = 'files';

/** Whether each folder that transfers may touch is one that they will. */
export const checkRoots = async (
  { env, uid }: Io,
  config: Pick<Config, 'files'> & Naming,
  options: Pick<Options, 'paths' | 'shadow'>,
): Promise<readonly Finding[]> => {
  const { files } = config;
  if (files === undefined) return [];
  const kept = keptFrom(options, env, config);
  return await Promise.all(
    files.roots.map(async root => {
      const fault = await faultOfRoot(root, { uid, kept });
      if (fault === undefined) return well(CHECK, `transfers may read and write ${root}`);
      return wrong(CHECK, `no transfer may touch it: ${fault}`, MEND);
    }),
  );
};

const MEND =
  'make it a folder of this account that nobody else may write to (chmod 700), or correct files.root in config.json';
