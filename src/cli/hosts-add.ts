import { existsSync } from 'node:fs';
import { readConfig } from '../config/config.ts';
import { edited, NotEdited, type Written } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { expandHome, homeOf } from '../config/paths.ts';
import { rewrite } from '../config/rewrite.ts';
import { InvalidFile } from '../errors.ts';
import { didYouMean } from '../text/nearest.ts';
import type { Request } from './commands.ts';
import { byHand, configFile, mustBeThere } from './config-file.ts';
import { type HostLine, hostLine } from './first-config.ts';
import { waysIn } from './init.ts';
import { EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';

/** `hosts add`: writes one more host into the configuration, and says how it is trusted. */
export const hostsAdd = async (io: Io, request: Request): Promise<number> => {
  const { options } = request;
  const { name, entry } = hostFrom(io, request);
  mustBeThere(options);
  const file = options.paths.config;
  await checkWay(io, request, entry.via);
  const add = (text: string | undefined): string => {
    const after = edited(text, file, { change: 'add', name, entry });
    checkEntry(io, file, text, after);
    return after;
  };
  try {
    await byHand(rewrite(configFile(io, options), `added ${name}`, add));
  } catch (error) {
    if (!(error instanceof NotEdited)) throw error;
    throw new Usage(`there is a host called ${name} already; sallyport hosts show ${name} shows it`);
  }
  const next = `sallyport hosts trust ${name}`;
  if (options.json) writeJson(io, { file, host: name, entry, next });
  else print(io, `${name}: added to ${file}`);
  say(io, `Next: ${next}`);
  return EXIT.ok;
};

/** The way may be a host of ssh_config, which the file alone does not tell. */
const checkWay = async (io: Io, { options }: Request, via: unknown): Promise<void> => {
  if (typeof via !== 'string') return;
  const { hosts } = await withEveryHost(io, loadConfig(options, io).config, options);
  const names = hosts.map(host => host.name);
  if (names.includes(via)) return;
  throw new Usage(`the way there is no configured host: ${JSON.stringify(via)}${didYouMean(via, names)}`);
};

type Named = { readonly name: string; readonly entry: Written };

const hostFrom = (io: Io, { operands: [text = ''], flags, rest }: Request): Named => {
  const whole = flags.get('entry')?.[0];
  if (whole === undefined) {
    const { name, ...line } = hostLine(text, 'hosts add');
    return { name, entry: entryOf(io, line, flags, rest) };
  }
  const other = [...flags.keys()].find(flag => OF_ENTRY.includes(flag));
  if (other !== undefined || rest !== undefined)
    throw new Usage(`--entry says everything: leave out ${other === undefined ? 'what follows --' : `--${other}`}`);
  return { name: text, entry: objectFrom(whole) };
};

const OF_ENTRY = ['agent', 'key', 'password-env', 'password-file', 'password-command', 'via', 'tag'];

const objectFrom = (json: string): Written => {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, without the text: it may hold what should not be shown.
  }
  throw new Usage('--entry must be one JSON object, as config.json has it for a host');
};

const entryOf = (io: Io, line: Omit<HostLine, 'name'>, flags: Request['flags'], rest: Request['rest']): Written => {
  const auth = loginsFrom(io, flags, rest);
  const [via, tags] = [flags.get('via')?.[0], flags.get('tag') ?? []];
  return {
    ...line,
    ...(auth.length === 0 ? {} : { auth: auth.length === 1 ? auth[0] : auth }),
    ...(via === undefined ? {} : { via }),
    ...(tags.length === 0 ? {} : { tags }),
  };
};

/** In the order in which they are tried: agent, keys, password. Without a flag, what ssh would try here. */
const loginsFrom = (io: Io, flags: Request['flags'], rest: Request['rest']): readonly Written[] => {
  const keys = (flags.get('key') ?? []).map(path => ({ key: pathOf(io, path) }));
  const logins = [...(flags.has('agent') ? [{ agent: true }] : []), ...keys, ...passwordsFrom(io, flags, rest)];
  if (logins.length > 0) return logins;
  const ways = waysIn(io);
  return [...(ways.agent || ways.keys.length === 0 ? [{ agent: true }] : []), ...ways.keys.map(key => ({ key }))];
};

/** A path as it was typed counts from the working directory, and in the file from the file's folder. */
const pathOf = (io: Io, path: string): string => {
  const whole = path.startsWith('~/') ? path : io.resolve(path);
  if (!existsSync(expandHome(whole, homeOf(io.env)))) say(io, `There is no ${whole} yet.`);
  return whole;
};

const passwordsFrom = (io: Io, flags: Request['flags'], rest: Request['rest']): readonly Written[] => {
  const isCommand = flags.has('password-command');
  if (isCommand !== (rest !== undefined && rest.length > 0))
    throw new Usage(
      '--password-command and -- PROGRAM [WORD...] go together, as in --password-command -- pass show db',
    );
  const variables = flags.get('password-env') ?? [];
  const files = flags.get('password-file') ?? [];
  return [
    ...variables.map(env => ({ password: { env } })),
    ...files.map(file => ({ password: { file: pathOf(io, file) } })),
    ...(isCommand ? [{ password: { command: rest } }] : []),
  ];
};

/** What the new host makes wrong is wrong on the command line; a file that was wrong before says so itself. */
const checkEntry = (io: Io, file: string, before: string | undefined, after: string): void => {
  try {
    readConfig(after, file, io.env);
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    readConfig(before ?? '{}', file, io.env);
    throw new Usage(error.problems.map(({ pointer, message }) => `${pointer} ${message}`).join('\n'));
  }
};
