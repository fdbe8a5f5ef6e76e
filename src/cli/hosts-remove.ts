import { readConfig } from '../config/config.ts';
import { edited, entriesIn, NotEdited } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { rewrite, undo } from '../config/rewrite.ts';
import { InvalidFile } from '../errors.ts';
import type { Request } from './commands.ts';
import { byHand, configFile, mustBeThere } from './config-file.ts';
import { EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { hostNamed, withEveryHost } from './link.ts';
import type { Options } from './options.ts';

/** `hosts remove`: takes a host out of the configuration, unless others are reached through it; 1 when they are. */
export const hostsRemove = async (io: Io, { options, operands: [name = ''] }: Request): Promise<number> => {
  mustBeThere(options);
  const file = options.paths.config;
  let needing: readonly string[] = [];
  const led = await ledBy(io, options, name);
  const remove = (text: string | undefined): string | undefined => {
    const written = Object.entries(entriesIn(text, file)).flatMap(([other, { via }]) => (via === name ? [other] : []));
    needing = [...new Set([...led, ...written])];
    const after = edited(text, file, { change: 'remove', name });
    if (needing.length > 0) return text;
    readConfig(after, file, io.env);
    return after;
  };
  try {
    await byHand(rewrite(configFile(io, options), `removed ${name}`, remove));
  } catch (error) {
    if (error instanceof NotEdited) throw await notThere(io, options, name);
    throw error;
  }
  if (options.json) writeJson(io, { file, host: name, removed: needing.length === 0, needed_by: needing });
  else if (needing.length === 0) print(io, `${name}: removed from ${file}`);
  if (needing.length > 0) say(io, `${name} is the way to ${needing.join(', ')}: remove those first, or their "via".`);
  else say(io, 'sallyport hosts undo brings it back.');
  return needing.length === 0 ? EXIT.ok : EXIT.no;
};

/** The hosts that are reached through one that config.json has, those of ssh_config too; a broken file speaks for itself later. */
const ledBy = async (io: Io, options: Options, name: string): Promise<readonly string[]> => {
  const config = readable(() => loadConfig(options, io).config);
  if (config?.entries.has(name) !== true) return [];
  const { hosts } = await withEveryHost(io, config, options);
  return hosts.filter(({ via }) => via?.name === name).map(host => host.name);
};

const readable = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidFile) return undefined;
    throw error;
  }
};

/** A name that the file does not have may be one of ssh_config. */
const notThere = async (io: Io, options: Options, name: string): Promise<Usage> => {
  hostNamed(await withEveryHost(io, loadConfig(options, io).config, options), name);
  return new Usage(`${name} is not in ${options.paths.config}: it comes from ssh_config, and is removed there`);
};

/** `hosts undo`: puts back what the configuration was before the last change that was made here; 1 when it cannot. */
export const hostsUndo = async (io: Io, { options }: Request): Promise<number> => {
  mustBeThere(options);
  const file = options.paths.config;
  const undone = await byHand(undo(configFile(io, options)));
  if (options.json) writeJson(io, { file, undone: undone?.what ?? null });
  else if (undone !== undefined) print(io, `undone: ${undone.what}, in ${file}`);
  if (undone === undefined)
    say(io, `There is nothing to undo: since the last changes that were made here, ${file} was changed otherwise.`);
  return undone === undefined ? EXIT.no : EXIT.ok;
};
