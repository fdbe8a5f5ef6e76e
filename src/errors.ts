/** Who has to act before the same call can succeed. */
type Actor = 'agent' | 'operator' | 'developer';

type Kind = { readonly who: Actor; readonly retry: 'no' | 'changed' | 'later' | 'unsafe'; readonly next: string };

/** Every failure there is: who must act, whether trying again makes sense, and the next step when none is more exact. */
export const FAILURES = {
  UNKNOWN_TOOL: { who: 'agent', retry: 'changed', next: 'Call one of the tools that tools/list names.' },
  INVALID_INPUT: { who: 'agent', retry: 'changed', next: 'Correct the arguments and call again.' },
  UNKNOWN_HOST: { who: 'agent', retry: 'changed', next: 'Call ssh_list_hosts for the names that exist.' },
  UNKNOWN_ID: { who: 'agent', retry: 'changed', next: 'Call ssh_status for what is open.' },
  POLICY_DENIED: { who: 'agent', retry: 'no', next: 'Ask the operator if this should be allowed.' },
  RATE_LIMITED: { who: 'agent', retry: 'later', next: 'Wait as long as retry_after_ms says, then call again.' },
  APPROVAL_REQUIRED: {
    who: 'operator',
    retry: 'later',
    next: 'Ask the operator to answer it, then call again with exactly the same arguments.',
  },
  APPROVAL_DECLINED: { who: 'agent', retry: 'no', next: 'Do it in another way, or ask the person what to do instead.' },
  APPROVAL_EXPIRED: {
    who: 'operator',
    retry: 'later',
    next: 'Nobody answered in time: call again when somebody is there to answer.',
  },
  APPROVAL_UNAVAILABLE: {
    who: 'operator',
    retry: 'no',
    next: 'Ask the operator to run it, or to allow it without approval.',
  },
  POLICY_UNAVAILABLE: { who: 'operator', retry: 'later', next: 'Run sallyport doctor: the limits cannot be counted.' },
  AUDIT_UNAVAILABLE: { who: 'operator', retry: 'later', next: 'Run sallyport doctor: the audit cannot be written.' },
  CONFIG_UNAVAILABLE: {
    who: 'operator',
    retry: 'later',
    next: 'Run sallyport doctor: the list of hosts cannot be changed.',
  },
  HOST_KEY_UNKNOWN: { who: 'operator', retry: 'no', next: 'A person enrols the key with sallyport hosts trust.' },
  HOST_KEY_CHANGED: { who: 'operator', retry: 'no', next: 'A person must find out why before anybody connects.' },
  HOST_KEY_REVOKED: { who: 'operator', retry: 'no', next: 'Replace the key of the host: this one is marked @revoked.' },
  AUTH_FAILED: {
    who: 'operator',
    retry: 'no',
    next: 'Run sallyport hosts test HOST and correct the login in config.json.',
  },
  UNREACHABLE: { who: 'operator', retry: 'later', next: 'Check that the host is up, then call again.' },
  CONNECTION_LOST: { who: 'agent', retry: 'unsafe', next: 'It may have run: look before you repeat it.' },
  BUSY: { who: 'agent', retry: 'later', next: 'End something that is open, or wait, then call again.' },
  NO_SUCH_FILE: { who: 'agent', retry: 'changed', next: 'Check the path, and call again.' },
  FILE_DENIED: {
    who: 'operator',
    retry: 'no',
    next: 'The account on the host may not do this: choose another place, or ask the operator.',
  },
  FILE_FAILED: { who: 'agent', retry: 'changed', next: 'Look at what is there, and call again.' },
  FILE_MOVED: { who: 'agent', retry: 'later', next: 'Something on the host changes this path: look, then call again.' },
  LOCAL_DENIED: {
    who: 'operator',
    retry: 'no',
    next: 'Use a path inside the folder that files.root of config.json names, or ask the operator.',
  },
  LOCAL_FAILED: {
    who: 'operator',
    retry: 'later',
    next: 'Ask the operator to look at the disk of the machine that Sallyport runs on.',
  },
  PORT_TAKEN: { who: 'agent', retry: 'changed', next: 'Leave listen_port out to get a free one.' },
  UNSUPPORTED: { who: 'agent', retry: 'changed', next: 'Choose one of the ways that the message names.' },
  PASSWORD_ASKED: {
    who: 'operator',
    retry: 'no',
    next: 'Press ctrl-c to leave it, and ask the operator for a way that needs no password.',
  },
  CANCELLED: { who: 'agent', retry: 'changed', next: 'Call again if it is still wanted.' },
  SHUTTING_DOWN: { who: 'agent', retry: 'later', next: 'Start the server again.' },
  DEFECT: { who: 'developer', retry: 'no', next: 'Report it with the call_id; the cause is on stderr.' },
} as const satisfies Record<string, Kind>;

/** A failure's name: stable, and all a client may branch on. */
export type FailureCode = keyof typeof FAILURES;

/** What a client may read beside the code: JSON values only, never a secret. */
export type FailureDetails = { readonly [key: string]: unknown };

/** We could not do what was asked: refused, or failed before it could end by itself. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly next: string;
  readonly details: FailureDetails;
  readonly #operator: string | undefined;

  /** `message` says what happened, as a sentence; `next` overrides the table's next step, `operator` adds what is not for clients. */
  constructor(
    code: FailureCode,
    message: string,
    more: { next?: string; details?: FailureDetails; operator?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Failure';
    this.code = code;
    this.next = more.next ?? FAILURES[code].next;
    this.details = more.details ?? {};
    this.#operator = more.operator;
  }

  /** What happened with the paths, names and causes of this machine: for the log and the command line, never for a client. */
  get operator(): string | undefined {
    return this.#operator;
  }

  /** `CODE: what happened. What to do next.` */
  get text(): string {
    return `${this.code}: ${this.message} ${this.next}`;
  }
}

/** One thing that is wrong in a file, and where: `file:line:column pointer message`. */
export type Problem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly pointer: string;
  readonly message: string;
};

/** A file that cannot be used, with every problem in it. */
export class InvalidFile extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'InvalidFile';
    this.problems = problems;
  }
}

/** One line a person and an editor can follow. */
export const formatProblem = (problem: Problem): string =>
  `${problem.file}:${problem.line}:${problem.column} ${problem.pointer === '' ? '/' : problem.pointer} ${problem.message}`;
