import type { Run } from '../../src/call.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';

/** A document that allows every tool, with these rules. */
export const policyOf = (rules: readonly object[], more: object = {}): Policy =>
  compile(JSON.stringify({ version: '1', default: 'allow', rules, ...more }), 'p.json');

/** A command on `web-1`, with what matters of it. */
export type Command = Partial<Omit<Run, 'kind' | 'target'>> & {
  readonly text?: string;
  readonly argv?: readonly [string, ...string[]];
  readonly host?: string;
  readonly user?: string;
  readonly tags?: readonly string[];
  readonly at?: string;
};

export const runOf = ({ text = 'uptime', argv, host = 'web-1', user = 'deploy', tags = [], ...more }: Command): Run => {
  const { at: _at, ...rest } = more;
  return {
    kind: 'exec',
    target: { host, user, address: host, port: 22, tags },
    program: argv === undefined ? { text } : { argv },
    env: {},
    timeoutMs: 600_000,
    ...rest,
  };
};

/** What a policy decides of a command. */
export const decided = (policy: Policy, command: Command): Decision<Run> => {
  const at = Date.parse(command.at ?? '2026-11-20T10:00:00Z');
  const call = { id: 'c', grant: 'local', tool: 'ssh_exec', input: {}, action: runOf(command), at };
  return decide(policy, call, { host: command.host ?? 'web-1' });
};

/** `effect rule` of the decision, and the rest of its rules. */
export const said = (policy: Policy, command: Command | string): string => {
  const decision = decided(policy, typeof command === 'string' ? { text: command } : command);
  return [decision.effect, ...decision.because.map(({ rule }) => rule)].join(' ');
};

/** What would run. */
export const runs = (policy: Policy, command: Command | string): Run['program'] | string => {
  const decision = decided(policy, typeof command === 'string' ? { text: command } : command);
  return decision.effect === 'deny' ? decision.because[0].reason : decision.action.program;
};
