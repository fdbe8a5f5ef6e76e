declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** A command that runs or ran: `cmd_` and 128 random bits in base64url. */
export type CommandId = Id<'command'>;
/** A session that is or was open: `ses_` and 128 random bits in base64url. */
export type SessionId = Id<'session'>;
/** A tunnel that is or was open: `tun_` and 128 random bits in base64url. */
export type TunnelId = Id<'tunnel'>;
/** A transfer that is under way, for the operator alone: `tra_` and 128 random bits in base64url. */
export type TransferId = Id<'transfer'>;

const RANDOM_128 = /^[A-Za-z0-9_-]{22}$/;

/** Whether the text has the form of a command's handle. */
export const isCommandId = (text: string): text is CommandId =>
  text.startsWith('cmd_') && RANDOM_128.test(text.slice(4));
/** Whether the text has the form of a session's handle. */
export const isSessionId = (text: string): text is SessionId =>
  text.startsWith('ses_') && RANDOM_128.test(text.slice(4));
/** Whether the text has the form of a tunnel's handle. */
export const isTunnelId = (text: string): text is TunnelId => text.startsWith('tun_') && RANDOM_128.test(text.slice(4));

/** Sixteen random bytes for a handle; injected, so that tests can choose them. */
export type Random = (bytes: number) => Buffer;

/** A new handle of its kind. */
export const newCommandId = (random: Random): CommandId =>
  checked(`cmd_${random(16).toString('base64url')}`, isCommandId);
/** A new handle of its kind. */
export const newSessionId = (random: Random): SessionId =>
  checked(`ses_${random(16).toString('base64url')}`, isSessionId);
/** A new handle of its kind. */
export const newTransferId = (random: Random): TransferId =>
  checked(
    `tra_${random(16).toString('base64url')}`,
    (text): text is TransferId => text.startsWith('tra_') && RANDOM_128.test(text.slice(4)),
  );
/** A new handle of its kind. */
export const newTunnelId = (random: Random): TunnelId => checked(`tun_${random(16).toString('base64url')}`, isTunnelId);

const checked = <T extends string>(text: string, is: (text: string) => text is T & string): T => {
  if (!is(text)) throw new Error('a random source must give sixteen bytes');
  return text;
};

/**
 * Time as two clocks: `wallMs` for people (epoch), `monoMs` for spans (CLOCK_MONOTONIC, shared by all
 * processes of one boot), and the boot that the monotonic clock belongs to.
 */
export type Clock = { readonly wallMs: () => number; readonly monoMs: () => number; readonly bootId: string };

/** Lines for the operator, on stderr, never for the model; fields are JSON values without secrets. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** The account on a host that an action is for, as configured. */
export type Target = {
  readonly host: string;
  readonly user: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
};

/**
 * A command text for the login shell, a vector of words that needs no shell, or a text in the canonical form, written by
 * the policy for `/bin/sh` from the words that it judged.
 */
export type Program =
  | { readonly text: string }
  | { readonly argv: readonly [string, ...string[]] }
  | { readonly canonical: string };

/** Runs a command. `session` is the managed session that it is a line of, and `home` the directory where that one began. */
export type Run = {
  readonly kind: 'exec';
  readonly target: Target;
  readonly program: Program;
  readonly cwd?: string;
  readonly home?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly timeoutMs: number;
  /** It is to go on when this process has gone, its output kept on the host. */
  readonly detach?: true;
  readonly session?: SessionId;
};
/** The size of a terminal, in characters. */
export type Size = { readonly cols: number; readonly rows: number };
/**
 * Opens a session: managed, a directory and an environment that the server keeps between lines; or on a terminal, one program
 * or the login shell. `asked` is the program before the policy wrote it anew: what is typed to it is judged by that.
 */
export type Open = { readonly kind: 'open'; readonly target: Target } & (
  | { readonly mode: 'managed' }
  | { readonly mode: 'program'; readonly size: Size; readonly program: Program; readonly asked: Program }
  | { readonly mode: 'terminal'; readonly size: Size }
);
/** What is typed: a text, exactly its bytes, then keys by their names; and the size that the terminal gets before. */
export type Typed = { readonly size?: Size; readonly text?: string; readonly keys?: readonly string[] };
/** Types into a session on a terminal; `asked` is the program there, as its session was asked for. */
export type Type = {
  readonly kind: 'type';
  readonly target: Target;
  readonly session: SessionId;
  readonly typed: Typed;
} & ({ readonly mode: 'program'; readonly asked: Program } | { readonly mode: 'terminal' });
/** What may be done to a file or a folder: `list` is to see the names in a folder and what they are. */
export type FileAccess = 'read' | 'write' | 'list' | 'delete';
/** What becomes of symbolic links in a tree: left out, copied as what they lead to, or copied as links that stay inside it. */
export type Links = 'skip' | 'follow' | 'copy';
/**
 * Copies a file or a tree. `remotePath` is absolute, or `~` and what is below it, without `..`, NUL or control characters.
 * An upload comes from a file of this machine or is a text; a download goes to a file of this machine or becomes a text.
 */
export type Transfer = {
  readonly kind: 'transfer';
  readonly target: Target;
  readonly remotePath: string;
  /** Goes on where an earlier transfer of the same thing was cut. */
  readonly resume: boolean;
} & (
  | { readonly direction: 'upload'; readonly from: { readonly content: string; readonly mode?: number } }
  | {
      readonly direction: 'upload' | 'download';
      /** A path of this machine, as it was asked for. */
      readonly localPath: string;
      /** What a whole folder needs to be told; undefined for one file. */
      readonly tree?: { readonly links: Links; readonly deleteExtra: boolean };
    }
  | { readonly direction: 'download'; readonly to: 'text'; readonly offset: number; readonly maxBytes: number }
);
/**
 * Opens a tunnel: what connects to `listenPort` (0 is any free one) of the listening side's loopback is led to `to`. `local`
 * listens on this machine and the host dials; `remote` listens on the host and this machine dials.
 */
export type Forward = {
  readonly kind: 'forward';
  readonly target: Target;
  readonly direction: 'local' | 'remote';
  readonly listenPort: number;
  readonly to: { readonly host: string; readonly port: number };
};
/** Opens the connection to a host, without running anything on it. */
export type Connect = { readonly kind: 'connect'; readonly target: Target };
/** Looks at what this grant may reach, or at what it already runs. */
export type Observe = { readonly kind: 'observe' } & (
  | { readonly what: 'hosts' | 'status' }
  | { readonly what: 'command' | 'session'; readonly id: string }
);
/** Ends what this grant has open. An id is looked up only after the gate, so that a wrong one counts too. */
export type Stop = { readonly kind: 'stop' } & (
  | { readonly what: 'command' | 'session' | 'tunnel'; readonly id: string }
  | { readonly what: 'connection'; readonly target: Target }
);
/**
 * Changes the list of hosts: adds the target, which then logs in as `like` does and goes its way; or takes it away, `own`
 * when an agent of this grant has added it.
 */
export type Configure = { readonly kind: 'configure'; readonly target: Target } & (
  | { readonly change: 'add'; readonly like: Target }
  | { readonly change: 'remove'; readonly own: boolean }
);

/** What a call is about to do to the world: judged by the policy, and then run exactly as judged. */
export type Action = Run | Open | Type | Transfer | Forward | Connect | Observe | Stop | Configure;

/** The parsed arguments, as the policy's conditions read them. */
export type Input = Readonly<Record<string, unknown>>;

/** One call, judged as a whole: `at` is wall time in epoch milliseconds. */
export type Call<A extends Action = Action> = {
  readonly id: string;
  readonly grant: string;
  readonly tool: string;
  readonly input: Input;
  readonly action: A;
  readonly at: number;
};

/** The host that an action touches, when it names one. */
export const hostOf = (action: Action): string | undefined => ('target' in action ? action.target.host : undefined);
