import { safeParse } from 'zod';
import type { Input, Target } from '../call.ts';
import { LOCAL_GRANT } from '../config/grant.ts';
import { loadConfig } from '../config/load.ts';
import { compile } from '../policy/compile.ts';
import { NO_POLICY, type Policy } from '../policy/decide.ts';
import type { Host } from '../ssh/host.ts';
import { TOOLS } from '../tools/index.ts';
import { SERVED } from '../tools/known.ts';
import type { Request } from './commands.ts';
import { type Explanation, explainer } from './explain.ts';
import { EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { withEveryHost } from './link.ts';
import { policyInForce } from './policy-validate.ts';

/** `policy explain`: what the policy answers to one call; 0 when it allows it, 1 when it asks or denies. */
export const policyExplain = async (io: Io, request: Request): Promise<number> => {
  const { options } = request;
  const { tool, args } = callFrom(request);
  const config = await withEveryHost(io, loadConfig(options, io).config, options);
  const target = targetIn(config.hosts, io);
  const asked = { tool, args, grant: options.grant ?? LOCAL_GRANT };
  const session = request.flags.get('host')?.[0];
  const policy = compiled(io, request);
  const { allowedSigners } = config.approvals;
  const parts = {
    ...{ policy, clock: io.clock, target, session, addedBy: adderIn(config.hosts, asked.grant) },
    hasApprovers: allowedSigners !== undefined,
  };
  const explanation = await explainer(parts).explain(asked);
  if (options.json) writeJson(io, explanation);
  else tell(io, tool, explanation);
  return explanation.decision === 'allow' ? EXIT.ok : EXIT.no;
};

const compiled = (io: Io, request: Request): Policy => {
  const found = policyInForce(io, request);
  return found === undefined ? NO_POLICY : compile(found.text, found.file, SERVED);
};

const tell = (io: Io, tool: string, explanation: Explanation): void => {
  const { decision, code, rule, reason, gates, charges, policy, runs, rules = [] } = explanation;
  print(io, `${decision.toUpperCase()} ${tool}${code === undefined ? '' : ` ${code}`}`);
  print(io, `  rule    ${rule}`);
  print(io, `  reason  ${reason}`);
  if (runs !== undefined) print(io, `  runs    ${runs}`);
  print(io, `  policy  ${policy}`);
  for (const { gate, answer } of gates) print(io, `  ${gate.padEnd(9)} ${answer}`);
  for (const charge of charges) print(io, `  takes ${charge.amount} of ${charge.max}: ${charge.rule}`);
  for (const { answer, effect, rule, grants, why } of rules)
    print(
      io,
      `  ${answer.padEnd(9)} ${effect.padEnd(5)} ${rule}${grants === undefined ? '' : `: ${grants.join('; ')}`}${why === undefined ? '' : `: ${why}`}`,
    );
};

const targetIn =
  (hosts: readonly Host[], io: Io) =>
  (name: string): Target => {
    const host = hosts.find(candidate => candidate.name === name);
    if (host === undefined) {
      if (hosts.length > 0) say(io, `${name} is not configured: a real call would be refused with UNKNOWN_HOST.`);
      return { host: name, user: '', address: name, port: 22, tags: [] };
    }
    const { user, address, port, tags } = host;
    return { host: name, user, address, port, tags };
  };

/** A host that is not configured would have been added before it is removed. */
const adderIn =
  (hosts: readonly Host[], grant: string) =>
  (name: string): string | undefined => {
    const host = hosts.find(candidate => candidate.name === name);
    return host === undefined ? grant : host.addedBy;
  };

type Call = { readonly tool: string; readonly args: Input };

const FORM = "sallyport policy explain [FILE] -- TOOL KEY=VALUE..., such as -- ssh_exec host=web command='uptime'";

/** The call after `--`: `KEY=VALUE` words, or one JSON object after `--args`, there or before. */
const callFrom = ({ rest, flags }: Request): Call => {
  const [tool, ...words] = rest ?? [];
  if (tool === undefined) throw new Usage(`the call is missing: ${FORM}`);
  const [first, second, ...more] = words;
  const json = flags.get('args')?.[0] ?? (first === '--args' ? (second ?? '') : undefined);
  if (json === undefined) return { tool, args: Object.fromEntries(words.map(word => argument(tool, word))) };
  if (more.length > 0 || (first !== undefined && first !== '--args'))
    throw new Usage('give the arguments as KEY=VALUE or as --args JSON, not both');
  return { tool, args: objectFrom(json) };
};

const objectFrom = (json: string): Input => {
  const value = parsed(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Usage('--args must be one JSON object');
  return Object.fromEntries(Object.entries(value));
};

/** A text where the tool takes a text, otherwise the JSON value that it spells. */
const argument = (tool: string, word: string): readonly [string, unknown] => {
  const at = word.indexOf('=');
  if (at < 1) throw new Usage(`${JSON.stringify(word)} is not KEY=VALUE: ${FORM}`);
  const [key, text] = [word.slice(0, at), word.slice(at + 1)];
  const shape = TOOLS.find(({ name }) => name === tool)?.input.shape[key];
  if (shape === undefined || safeParse(shape, text).success) return [key, text];
  return [key, parsed(text) ?? text];
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};
