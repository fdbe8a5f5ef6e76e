import { existsSync } from 'node:fs';
import type { Request } from './commands.ts';
import { writeNew } from './files.ts';
import { EXIT, type Io, say, writeJson } from './io.ts';
import { presetText } from './presets.ts';

/** `policy init`: writes a first policy where the one in force is looked for; 1 when there is one already, which stays. */
export const policyInit = async (io: Io, { options, flags }: Request): Promise<number> => {
  const content = presetText(flags.get('preset')?.[0] ?? 'observe');
  const path = options.paths.policy;
  const dry = flags.has('print');
  const made = !dry && writeNew(path, content, io.random(8).toString('hex'));
  const status = made ? 'written' : !dry || existsSync(path) ? 'exists' : 'not written';
  if (options.json) writeJson(io, { path, status, content });
  else if (dry) io.stdout.write(content);
  else say(io, made ? `${path} written` : `${path} exists, and nothing is changed; --print shows the preset`);
  return dry || made ? EXIT.ok : EXIT.no;
};
