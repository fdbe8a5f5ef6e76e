import { join } from 'node:path';
import { type Env, homeOf } from '../config/paths.ts';
import type { Options } from './options.ts';

/** What no transfer may touch on this machine, wherever `files.root` is: the files of this program, and those that ssh logs in with. */
export const keptFrom = ({ paths }: Pick<Options, 'paths'>, env: Env): readonly string[] => [
  paths.config,
  paths.policy,
  paths.state,
  join(homeOf(env), '.ssh'),
];
