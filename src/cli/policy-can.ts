import { loadConfig } from '../config/load.ts';
import { compile, readUntried } from '../policy/compile.ts';
import type { Place } from '../policy/rules/place.ts';
import { SERVED } from '../tools/known.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, Usage, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';
import { type Permission, type Permissions, permissionsAt } from './permissions.ts';
import { policyNamed } from './policy-validate.ts';

/** `policy can`: what may be done on a host; 1 when it is nothing. */
export const policyCan = async (io: Io, request: Request): Promise<number> => {
  const { files, host, user } = wordsOf(request.operands);
  const { file, text } = policyNamed(io, { ...request, operands: files });
  compile(text, file, SERVED);
  const can = permissionsAt(readUntried(text, file), await placeOf(io, request, host, user));
  if (request.options.json) writeJson(io, can);
  else tell(io, can);
  return mayAnything(can) ? EXIT.ok : EXIT.no;
};

type Words = { readonly files: readonly string[]; readonly host: string; readonly user: string | undefined };

const wordsOf = (operands: readonly string[]): Words => {
  const files = operands.filter(word => !/^(?:host|user)=/.test(word));
  const given = (key: string): string | undefined => {
    const values = operands.filter(word => word.startsWith(`${key}=`)).map(word => word.slice(key.length + 1));
    if (values.length > 1 || values[0] === '') throw new Usage(`give ${key}=NAME once`);
    return values[0];
  };
  const host = given('host');
  const extra = files[1];
  if (host === undefined) throw new Usage('the host is missing: sallyport policy can [FILE] host=NAME [user=NAME]');
  if (extra !== undefined) throw new Usage(`policy can does not take ${JSON.stringify(extra)}`);
  return { files, host, user: given('user') };
};

/** A configured host has its user and its tags. */
const placeOf = async (io: Io, { options }: Request, host: string, user: string | undefined): Promise<Place> => {
  const { hosts } = await withEveryHost(io, loadConfig(options, io).config, options);
  const known = hosts.find(({ name }) => name === host);
  return { host, user: user ?? known?.user ?? '', tags: known?.tags ?? [] };
};

const RUNNERS = ['ssh_exec', 'ssh_session_send', 'ssh_upload', 'ssh_download', 'ssh_tunnel_start'];

const mayAnything = ({ tools, actions }: Permissions): boolean =>
  tools.some(({ tool, answer }) => answer !== 'deny' && (actions !== null || RUNNERS.includes(tool))) &&
  (actions === null ||
    Object.values(actions)
      .flat()
      .some(({ effect }) => effect !== 'deny'));

const tell = (io: Io, can: Permissions): void => {
  const { host, user, tags, tools, actions } = can;
  print(io, `${host}${user === '' ? '' : ` as ${user}`}${tags.length === 0 ? '' : ` (${tags.join(', ')})`}`);
  if (actions === null) print(io, 'There are no rules: whatever the tools let through may be done.');
  for (const [action, permissions] of Object.entries(actions ?? {})) {
    print(io, action);
    for (const permission of permissions) tellRule(io, permission);
  }
  if (actions !== null && Object.keys(actions).length === 0) print(io, 'No rule is about it: nothing may be done.');
  print(io, 'tools');
  for (const { tool, answer, conditional } of tools)
    print(io, `  ${answer.padEnd(5)} ${tool}${conditional ? ', under conditions' : ''}`);
};

const tellRule = (io: Io, { rule, effect, commands, ...keys }: Permission): void => {
  const told = Object.entries(keys).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  print(io, `  ${effect.padEnd(5)} ${rule}${told.length === 0 ? '' : ` (${told.join(', ')})`}`);
  if (commands === 'any') print(io, '    any command');
  if (commands === undefined || commands === 'any') return;
  let last: string | undefined;
  for (const { synopsis, pack, stdin } of commands) {
    if (pack !== last && pack !== undefined) print(io, `    ${pack}`);
    last = pack;
    print(io, `    ${pack === undefined ? '' : '  '}${synopsis}${stdin ? '  < input' : ''}`);
  }
};
