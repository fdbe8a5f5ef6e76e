import { createHash } from 'node:crypto';
import type { Action, Configure, Program, Run, Transfer, Typed } from '../call.ts';
import type { Effect, Reason } from '../policy/decision.ts';
import { listed } from './bounds.ts';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How something permitted ended, as JSON: at least `how`. Output by size and hash, never its bytes. */
export type Outcome = { readonly how: string; readonly [key: string]: Json };

/** What one policy answers, by its first reason. */
export type Judged = {
  readonly decision: Effect;
  readonly rule: string;
  readonly reason: string;
  readonly policy: string;
};

/** An approver: the name that signers are listed under, and the fingerprint of the key. */
export type Person = { readonly principal: string; readonly key: string };

/** One thing worth remembering. `time`, `seq`, `prev` and `mac` are added when it is written. */
export type AuditRecord =
  | {
      readonly event: 'refused';
      readonly call_id: string;
      readonly grant: string;
      readonly tool: string;
      readonly code: string;
      readonly because?: readonly Reason[];
      readonly reason?: string;
      readonly arguments?: readonly string[];
      readonly action?: Json;
      readonly policy: string;
    }
  | {
      readonly event: 'admitted';
      readonly call_id: string;
      readonly grant: string;
      readonly tool: string;
      readonly because: readonly Reason[];
      readonly reason?: string;
      readonly action: Json;
      /** The question whose answer let it run. */
      readonly approval?: string;
      readonly policy: string;
    }
  | {
      readonly event: 'ended';
      readonly call_id: string;
      readonly grant: string;
      readonly tool: string;
      readonly end: Outcome;
      /** How much it was refused on its way; the first hundred have records of their own. */
      readonly refused?: number;
      /** Which rules of which policy ended it, when it was revoked. */
      readonly because?: readonly Reason[];
      readonly policy?: string;
    }
  | {
      readonly event: 'asked';
      readonly call_id: string;
      readonly approval: string;
      readonly grant: string;
      readonly tool: string;
      readonly host: string;
      /** The digest of all that is asked for. */
      readonly request: string;
      readonly by: 'client' | 'operator';
      readonly approvers: number;
      readonly expires_ms: number;
      readonly because: readonly Reason[];
      readonly policy: string;
    }
  /** The client was sent the question, or an operator's command line has shown it. */
  | { readonly event: 'shown'; readonly approval: string; readonly channel: 'client' | 'operator' }
  | {
      readonly event: 'answered';
      readonly approval: string;
      readonly decision: string;
      /** The client, or who signed; on an answer that is not believed, who says to have. */
      readonly by: 'client' | 'operator' | readonly Person[];
      readonly note?: string;
    }
  | {
      readonly event: 'used';
      readonly call_id: string;
      readonly approval: string;
      readonly by: 'client' | readonly Person[];
      readonly uses: number;
      readonly of: number;
    }
  /** It ended unused: `how` is expired, declined or withdrawn. */
  | { readonly event: 'expired'; readonly approval: string; readonly how: string; readonly note?: string }
  | {
      readonly event: 'reload';
      readonly ok: true;
      /** What is in force from now on, and what was before. */
      readonly policy: string;
      readonly was: string;
      /** How many calls it ended. */
      readonly revoked: number;
    }
  | {
      readonly event: 'reload';
      readonly ok: false;
      /** What stays in force. */
      readonly policy: string;
      readonly problems: number;
      /** The first of them. */
      readonly reason: string;
    }
  | {
      readonly event: 'shadow';
      readonly call_id: string;
      readonly grant: string;
      readonly tool: string;
      readonly live: Judged;
      readonly candidate: Judged;
    }
  | { readonly event: 'started' | 'stopped' | 'recovered' | 'operator'; readonly detail: Json };

/** The append-only record. */
export type Audit = {
  /** On disk when it resolves; `AUDIT_UNAVAILABLE` when it cannot be, and then the work must not begin. */
  readonly admit: (record: AuditRecord) => Promise<void>;
  /** On disk soon (100 ms), in order; never throws: a failure makes the next `admit` refuse. */
  readonly note: (record: AuditRecord) => void;
  /** Writes all that waits, synchronously, and closes the file: the last act of a process. */
  readonly close: () => void;
};

const digest = (text: string): Json => ({
  bytes: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
});

/**
 * An action as the record keeps it: what was asked for and where, and what `runs` where the policy writes it anew; what is
 * fed to it only by size and hash, values of the environment not at all.
 */
export const describe = (action: Action, judged: Action = action): Json => {
  if (!('target' in action))
    return 'id' in action
      ? { kind: action.kind, what: action.what, id: action.id }
      : { kind: action.kind, what: action.what };
  const { host, user, address, port } = action.target;
  const where = { host, user, address, port };
  switch (action.kind) {
    case 'exec':
      return { kind: action.kind, ...where, ...runOf(action, judged) };
    case 'open':
      return {
        kind: action.kind,
        mode: action.mode,
        ...where,
        ...(action.mode === 'program' ? programsOf(action.asked, judged) : {}),
      };
    case 'type':
      return { kind: action.kind, mode: action.mode, ...where, session: action.session, ...typedOf(action.typed) };
    case 'transfer':
      return { kind: action.kind, direction: action.direction, ...where, ...filesOf(action) };
    case 'forward':
      return {
        ...{ kind: action.kind, direction: action.direction, ...where },
        ...{ listen_port: action.listenPort, to_host: action.to.host, to_port: action.to.port },
      };
    case 'connect':
      return { kind: action.kind, ...where };
    case 'configure':
      return { kind: action.kind, change: action.change, ...where, ...likeOf(action) };
    case 'stop':
      return { kind: action.kind, what: action.what, ...where };
  }
};

const runOf = (action: Run, judged: Action): { readonly [key: string]: Json } => ({
  ...programsOf(action.program, judged),
  ...(action.cwd === undefined ? {} : { cwd: action.cwd }),
  ...(Object.keys(action.env).length === 0 ? {} : { env: Object.keys(action.env) }),
  ...(action.stdin === undefined ? {} : { stdin: digest(action.stdin) }),
  ...(action.session === undefined ? {} : { session: action.session }),
  ...(action.detach === undefined ? {} : { detach: action.detach }),
  timeout_ms: judged.kind === 'exec' ? judged.timeoutMs : action.timeoutMs,
});

/** Which files, and what of a text that is written there: its size and hash. */
const filesOf = (action: Transfer): { readonly [key: string]: Json } => ({
  remote_path: action.remotePath,
  ...('localPath' in action ? { local_path: action.localPath } : {}),
  ...('from' in action ? { content: digest(action.from.content) } : {}),
  ...('from' in action && action.from.mode !== undefined ? { mode: action.from.mode } : {}),
  ...('to' in action ? { offset: action.offset, max_bytes: action.maxBytes } : {}),
  ...('localPath' in action && action.tree !== undefined
    ? { tree: { links: action.tree.links, delete_extra: action.tree.deleteExtra } }
    : {}),
  ...(action.resume ? { resume: true } : {}),
});

const likeOf = (action: Configure): { readonly [key: string]: Json } =>
  action.change === 'add' ? { like: action.like.host, tags: listed(action.target.tags) } : {};

const programOf = (program: Program): { readonly [key: string]: Json } => {
  if ('text' in program) return { command: program.text };
  return 'argv' in program ? { argv: program.argv } : { runs: program.canonical };
};

/** What was asked for, and what the policy has made of it. */
const programsOf = (asked: Program, judged: Action): { readonly [key: string]: Json } => ({
  ...programOf(asked),
  ...('program' in judged && judged.program !== asked ? runsOf(judged.program) : {}),
});

/** What is typed may be a secret, also key by key: only keys that are no characters are told. */
const typedOf = ({ text, keys = [], size }: Typed): { readonly [key: string]: Json } => ({
  ...(text === undefined ? {} : { input: digest(text) }),
  ...(keys.length === 0 ? {} : { keys: listed(keys.map(key => (Array.from(key).length === 1 ? '·' : key))) }),
  ...(size === undefined ? {} : { cols: size.cols, rows: size.rows }),
});

const runsOf = (program: Program): { readonly [key: string]: Json } =>
  'text' in program ? { runs: program.text } : programOf(program);
