import { readFile } from 'node:fs/promises';
import type { SecretResolver } from '../ssh/secret.ts';
import { type Env, homeOf } from './paths.ts';
import { outputOf } from './secret-command.ts';

/**
 * Fetches secrets from where configuration files say they lie. One trailing newline is taken off, as `echo` and
 * password managers add it. Commands run in the home folder, because the working directory may be anybody's, and with
 * `programEnv`. Rejects with a sentence that names the place, never what was found there.
 */
export const secretResolver =
  (env: Env, programEnv = env): SecretResolver =>
  async reference => {
    if ('env' in reference) {
      const text = env[reference.env];
      if (text === undefined) throw new Error(`the environment has no ${reference.env}`);
      return text;
    }
    if ('command' in reference)
      return withoutNewline(await outputOf(reference.command, { env: programEnv, cwd: homeOf(env) }));
    return withoutNewline(await readFile(reference.file, 'utf8'));
  };

const withoutNewline = (text: string): string => text.replace(/\r?\n$/, '');
