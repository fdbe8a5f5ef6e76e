import type { z } from 'zod';
import type { Action, Input } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Gate } from '../gate/gate.ts';
import type { Permit } from '../gate/permit.ts';
import type { Directory, Fleet } from '../ssh/fleet.ts';

/** What a tool may do to the world, from which its four annotations follow. */
export type Risk = 'read' | 'stop' | 'change' | 'execute';

/** What a call gives a tool beside its arguments: when to give up, and where to report progress. */
export type Moment = {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
};

/** Everything behind a tool; the same for every call of a process. */
export type House = { readonly gate: Gate; readonly fleet: Fleet; readonly version: string };

/** Both forms of one answer, each complete: clients show the model only one of them. `failure` when it is no success. */
export type Answer = {
  readonly structured: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly failure?: Failure | undefined;
};

/** A tool as the protocol sees it: described by data, served in one way. */
export type Tool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly risk: Risk;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Parses, passes the gate, runs. Throws a `Failure` for whatever could not be done. */
  readonly serve: (raw: Input, caller: Caller, house: House) => Promise<Answer>;
};

/** Who calls: the id of the call, the grant it counts against, and its moment. */
export type Caller = Moment & { readonly id: string; readonly grant: string };

type Definition<In extends z.ZodObject, A extends Action, Out extends z.ZodObject> = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly risk: Risk;
  readonly input: In;
  readonly output: Out;
  /** Names what the call would do. */
  readonly action: (input: z.output<In>, scene: { readonly directory: Directory; readonly grant: string }) => A;
  readonly run: (permit: Permit<A>, house: House, moment: Caller, input: z.output<In>) => Promise<z.output<Out>>;
  readonly text: (out: z.output<Out>) => string;
  /** The failure that an answer is, when it is one (`lost`). */
  readonly failure?: (out: z.output<Out>) => Failure | undefined;
};

/** The only way to make a tool, and the only place where one meets the gate: no tool can forget it. */
export const defineTool = <In extends z.ZodObject, A extends Action, Out extends z.ZodObject>(
  definition: Definition<In, A, Out>,
): Tool => {
  const { name, title, description, risk, input, output } = definition;
  const serve: Tool['serve'] = async (raw, caller, house) => {
    const { id, grant } = caller;
    const { gate, fleet } = house;
    const parsed = input.safeParse(raw);
    if (!parsed.success || hidesKey(raw)) {
      const failure = parsed.success ? hidden(name) : invalid(name, parsed.error, input);
      gate.hear({ id, grant, tool: name, arguments: Object.keys(raw) }, failure);
      throw failure;
    }
    const out = await gate.pass<A, z.output<Out>>({
      id,
      grant,
      tool: name,
      input: parsed.data,
      action: () => definition.action(parsed.data, { directory: fleet.directory, grant }),
      hostOf: action => fleet.directory.hostOf(grant, action),
      run: permit => definition.run(permit, house, caller, parsed.data),
    });
    return { structured: out, text: definition.text(out), failure: definition.failure?.(out) };
  };
  return { name, title, description, risk, input, output, serve };
};

/** `__proto__` as a key of its own: parsers drop it without a word, and what was judged must be all that was sent. */
const hidesKey = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.hasOwn(value, '__proto__') || Object.values(value).some(hidesKey));

const hidden = (tool: string): Failure =>
  new Failure('INVALID_INPUT', `${tool} does not accept a key named __proto__.`, { next: 'Leave it out.' });

const MOST_ISSUES = 10;
const LONGEST_ISSUE = 200;

const invalid = (tool: string, error: z.ZodError, schema: z.ZodObject): Failure => {
  const all = error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  const issues = all
    .slice(0, MOST_ISSUES)
    .map(text => (text.length > LONGEST_ISSUE ? `${text.slice(0, LONGEST_ISSUE)}…` : text));
  const more = all.length > MOST_ISSUES ? `; and ${all.length - MOST_ISSUES} more` : '';
  return new Failure('INVALID_INPUT', `${tool} does not accept these arguments: ${issues.join('; ')}${more}.`, {
    next: `It takes ${Object.keys(schema.shape).join(', ') || 'no arguments'}.`,
    details: { issues },
  });
};
