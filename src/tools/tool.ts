import type { z } from 'zod';
import type { Action, Input } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Asker, Channel } from '../gate/asking.ts';
import type { Gate } from '../gate/gate.ts';
import type { Permit } from '../gate/permit.ts';
import type { Directory } from '../ssh/directory.ts';
import type { Fleet } from '../ssh/fleet.ts';
import { hostsFor, onEach, type Part } from './each.ts';
import type { HostList } from './host-change.ts';

/** What a tool may do to the world, from which its four annotations follow. */
export type Risk = 'read' | 'stop' | 'change' | 'replace' | 'execute';

/** What a call gives a tool beside its arguments: when to give up, and where to report progress. */
export type Moment = {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
};

/** Everything behind a tool; the same for every call of a process. */
export type House = {
  readonly gate: Gate;
  readonly fleet: Fleet;
  /** The list of hosts, where agents may change it. */
  readonly hosts: HostList;
  readonly version: string;
};

/** Both forms of one answer, each complete: clients show the model only one of them. `failure` when it is no success. */
export type Answer = {
  readonly structured: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly failure?: Failure | undefined;
};

type Forms = readonly (readonly string[])[];

/** A tool as the protocol sees it: described by data, served in one way. */
export type Tool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly risk: Risk;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Of an output that has several: which members each form has always. */
  readonly forms?: Forms | undefined;
  /** Parses, passes the gate, runs. Throws a `Failure` for whatever could not be done. */
  readonly serve: (raw: Input, caller: Caller, house: House) => Promise<Answer>;
};

/** Who calls: the id of the call, the grant it counts against, and its moment. */
export type Caller = Moment & {
  readonly id: string;
  readonly grant: string;
  /** What an error is to a client: a `Failure` itself, anything else a DEFECT whose cause is logged. */
  readonly failureOf: (error: unknown) => Failure;
  /** How the client of this call is asked about the whole of it, or about one host's part; absent where there is no client. */
  readonly asker?: (part: boolean) => Asker;
};

type Run<In extends z.ZodObject, A extends Action, Done> = (
  permit: Permit<A>,
  house: House,
  moment: Caller,
  input: z.output<In>,
) => Promise<Done>;

type Definition<In extends z.ZodObject, A extends Action, Out extends z.ZodObject, Done> = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly risk: Risk;
  readonly input: In;
  readonly output: Out;
  readonly forms?: Forms;
  /** Names what the call would do. */
  readonly action: (input: z.output<In>, scene: { readonly directory: Directory; readonly grant: string }) => A;
  readonly run: Run<In, A, z.output<Out>>;
  readonly text: (out: z.output<Out>) => string;
  /** The failure that an answer is, when it is one (`lost`). */
  readonly failure?: (out: z.output<Out>) => Failure | undefined;
  readonly many?: Many<In, A, Out, Done>;
};

/** How a tool does its one action on many hosts in one call: each is judged, charged and recorded as a call for it alone would be. */
type Many<In extends z.ZodObject, A extends Action, Out extends z.ZodObject, Done> = {
  /** The hosts, sets and tags that it is asked for; undefined in a call for one host. */
  readonly hosts: (input: z.output<In>) => readonly string[] | undefined;
  /** Does it on one of them, which is the `host` of the input now. */
  readonly run: Run<In, A, Done>;
  /** How that ended, in few words. */
  readonly word: (done: Done) => string;
  /** The one answer, in the order asked. */
  readonly join: (parts: readonly Part<Done>[]) => z.output<Out>;
};

/** The only way to make a tool, and the only place where one meets the gate: no tool can forget it. */
export const defineTool = <In extends z.ZodObject, A extends Action, Out extends z.ZodObject, Done = never>(
  definition: Definition<In, A, Out, Done>,
): Tool => {
  const { name, title, description, risk, input, output, forms, many } = definition;
  const serve: Tool['serve'] = async (raw, caller, house) => {
    const { id, grant } = caller;
    const { gate, fleet } = house;
    const parsed = input.safeParse(raw);
    if (!parsed.success || hidesKey(raw)) {
      const failure = parsed.success ? hidden(name) : invalid(name, parsed.error, input);
      gate.hear({ id, grant, tool: name, arguments: Object.keys(raw) }, failure);
      throw failure;
    }
    await fleet.ready();
    const pass = async <T>(call: Caller, input: z.output<In>, run: Run<In, A, T>, part = false): Promise<T> =>
      await gate.pass<A, T>({
        id: call.id,
        grant,
        tool: name,
        input,
        action: () => definition.action(input, { directory: fleet.directory, grant }),
        hostOf: action => fleet.directory.hostOf(grant, action),
        run: permit => run(permit, house, call, input),
        channel: channelOf(call, part),
      });
    const entries = many?.hosts(parsed.data);
    const passEach = async ({ run, word, join }: Many<In, A, Out, Done>, asked: readonly string[]) => {
      const hosts = hostsFor({ id, grant, tool: name, input: parsed.data }, asked, house);
      return join(await onEach(hosts, caller, (host, own) => pass(own, { ...parsed.data, host }, run, true), word));
    };
    const out =
      many === undefined || entries === undefined
        ? await pass(caller, parsed.data, definition.run)
        : await passEach(many, entries);
    return { structured: out, text: definition.text(out), failure: definition.failure?.(out) };
  };
  return { name, title, description, risk, input, output, forms, serve };
};

const channelOf = ({ signal, progress, asker }: Caller, part: boolean): Channel => ({
  ...{ signal, progress, part },
  ...(asker === undefined ? {} : { ask: asker(part) }),
});

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
