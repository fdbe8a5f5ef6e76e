import type { Action, Input } from '../call.ts';
import type { Channel } from './asking.ts';
import type { Permit } from './permit.ts';

/** A call with its parsed arguments, before anybody knows what it would do. */
export type Asked = { readonly id: string; readonly grant: string; readonly tool: string; readonly input: Input };

/** What somebody asks for: the parsed arguments, how to name the action, and what to do once it is permitted. */
export type Request<A extends Action, Out> = Asked & {
  /** Names the action; a `Failure` here (an unknown host) is a refusal. */
  readonly action: () => A;
  /** The host that a handle belongs to, for limits per host. */
  readonly hostOf: (action: A) => string | undefined;
  readonly run: (permit: Permit<A>) => Promise<Out>;
  /** How somebody can be asked about it; nobody can where it is absent. */
  readonly channel?: Channel;
};

/** A call that never became a request: an unknown tool, malformed arguments. */
export type Probe = {
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  readonly arguments: readonly string[];
};
