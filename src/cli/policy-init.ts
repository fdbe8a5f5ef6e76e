import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Request } from './commands.ts';
import { writeNew } from './files.ts';
import { EXIT, type Io, say, writeJson } from './io.ts';
import { policySchema } from './policy-schema.ts';
import { presetText, SCHEMA_NAME } from './presets.ts';

/** `policy init`: writes a first policy where the one in force is looked for; 1 when there is one already, which stays. */
export const policyInit = async (io: Io, { options, flags }: Request): Promise<number> => {
  const content = presetText(flags.get('preset')?.[0] ?? 'observe');
  const path = options.paths.policy;
  const dry = flags.has('print');
  const made = !dry && writeFirst(io, path, content);
  const status = made ? 'written' : !dry || existsSync(path) ? 'exists' : 'not written';
  if (options.json) writeJson(io, { path, status, content });
  else if (dry) io.stdout.write(content);
  else say(io, made ? `${path} written` : `${path} exists, and nothing is changed; --print shows the preset`);
  return dry || made ? EXIT.ok : EXIT.no;
};

/** Writes a first policy, and beside it the schema by which an editor reads it; false, and nothing is written, where there is one. */
export const writeFirst = (io: Io, path: string, content: string): boolean => {
  const unique = (): string => io.random(8).toString('hex');
  const made = writeNew(path, content, unique());
  if (made) writeNew(join(dirname(path), SCHEMA_NAME), policySchema(), unique());
  return made;
};
