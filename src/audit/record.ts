import { createHash } from 'node:crypto';
import type { Action, Configure, Program, Typed } from '../call.ts';
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
      readonly policy: string;
    }
  | {
      readonly event: 'ended';
      readonly call_id: string;
      readonly grant: string;
      readonly tool: string;
      readonly end: Outcome;
      /** Which rules of which policy ended it, when it was revoked. */
      readonly because?: readonly Reason[];
      readonly policy?: string;
    }
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
      return {
        kind: action.kind,
        ...where,
        ...programsOf(action.program, judged),
        ...(action.cwd === undefined ? {} : { cwd: action.cwd }),
        ...(Object.keys(action.env).length === 0 ? {} : { env: Object.keys(action.env) }),
        ...(action.stdin === undefined ? {} : { stdin: digest(action.stdin) }),
        ...(action.session === undefined ? {} : { session: action.session }),
        ...(action.detach === undefined ? {} : { detach: action.detach }),
        timeout_ms: judged.kind === 'exec' ? judged.timeoutMs : action.timeoutMs,
      };
    case 'open':
      return {
        kind: action.kind,
        mode: action.mode,
        ...where,
        ...(action.mode === 'program' ? programsOf(action.asked, judged) : {}),
      };
    case 'type':
      return { kind: action.kind, mode: action.mode, ...where, session: action.session, ...typedOf(action.typed) };
    case 'connect':
      return { kind: action.kind, ...where };
    case 'configure':
      return { kind: action.kind, change: action.change, ...where, ...likeOf(action) };
    case 'stop':
      return { kind: action.kind, what: action.what, ...where };
  }
};

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
