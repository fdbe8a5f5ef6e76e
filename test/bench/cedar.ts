import { setFlagsFromString } from 'node:v8';
import { getCedarSDKVersion, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Untried } from '../../src/policy/compile.ts';

// Node 20 aborts when a function is deoptimized in such an inlined call that returns an object, as all of Cedar's do.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/**
 * A call as Cedar is told of it: somebody else has split the command into its words, and the options from the others. The
 * action is the program, or the tool when none runs: Cedar is quickest when the head of a policy tells it apart.
 */
export type Asked = {
  readonly action: string;
  readonly host: string;
  readonly options: readonly string[];
  readonly operands: string;
};

/** Which Cedar answers, and how it is asked: documents are parsed once, calls cross into WebAssembly as JSON. */
export const CEDAR = `Cedar ${getCedarSDKVersion()}, statefulIsAuthorized`;

/** Parses policies once, and gives what decides by them. */
export const cedarOf = (name: string, policies: readonly string[]): ((asked: Asked) => boolean) => {
  const parsed = preparsePolicySet(name, { staticPolicies: policies.join('\n') });
  if (parsed.type === 'failure') throw new Error(parsed.errors.map(({ message }) => message).join('; '));
  return ({ action, host, options, operands }) => {
    const answer = statefulIsAuthorized({
      principal: { type: 'Grant', id: 'local' },
      action: { type: 'Action', id: action },
      resource: { type: 'Host', id: host },
      context: { options: [...options], operands, host, tags: [] },
      preparsedPolicySetId: name,
      entities: [],
    });
    if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
    return answer.response.decision === 'allow';
  };
};

/** A tool of a gateway's document. Cedar keeps no counters: its limits are left out. */
export const toolPolicy = (tool: string): string => `permit(principal, action == Action::"${tool}", resource);`;

/** One rule for one program on one host, its synopsis being `program [-v] <name>`. */
export const hostPolicy = (host: string, program: string): string =>
  `permit(principal, action == Action::"${program}", resource == Host::"${host}") when {
    ["-v"].containsAll(context.options) && context.operands like "*" };`;

/**
 * A document's rules for commands: a policy for every synopsis, for its programs, with its options as a set and a
 * folder as `like`. Cedar reads no shell text, and knows neither values of options, nor the order and the number of words,
 * nor wrappers, nor what is only possible: each of these policies grants more than the synopsis that it comes from.
 */
export const rulePolicies = ({ document, rules }: Untried): readonly string[] =>
  rules.flatMap(({ effect, commands }, index) => {
    if (commands === undefined || commands === 'any') return [];
    const hosts = hostsOf(document, document.rules?.[index]?.hosts);
    return commands.entries.map(({ pattern: { program, options, source } }) => {
      const folder = /<path:([^*>{]+)\*/.exec(source)?.[1];
      const clauses = [
        hosts,
        `${setOf(options.keys())}.containsAll(context.options)`,
        folder === undefined ? undefined : `context.operands like ${JSON.stringify(`${folder}*`)}`,
      ].filter(clause => clause !== undefined);
      const head = effect === 'deny' ? 'forbid' : 'permit';
      const actions = [...program.literals].map(name => `Action::${JSON.stringify(name)}`);
      const action = program.closed ? `action in [${actions.join(', ')}]` : 'action';
      return `${head}(principal, ${action}, resource) when { ${clauses.join(' && ')} };`;
    });
  });

const hostsOf = (
  { hosts: sets = {} }: Untried['document'],
  hosts: readonly string[] | undefined,
): string | undefined =>
  hosts === undefined
    ? undefined
    : `(${hosts
        .flatMap(entry => sets[entry] ?? [entry])
        .map(entry =>
          entry.startsWith('tag:')
            ? `context.tags.contains(${JSON.stringify(entry.slice(4))})`
            : `context.host like ${JSON.stringify(entry)}`,
        )
        .join(' || ')})`;

const setOf = (texts: Iterable<string>): string => `[${[...texts].map(text => JSON.stringify(text)).join(', ')}]`;
