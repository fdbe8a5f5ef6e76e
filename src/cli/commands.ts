import { APPROVALS_COMMANDS } from './approvals-commands.ts';
import { HOSTS_COMMANDS } from './hosts-commands.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import { POLICY_COMMANDS } from './policy-commands.ts';
import { SESSIONS_COMMANDS } from './sessions-commands.ts';

/** A flag: a switch, or one that takes a value; `many` may be given again. */
export type Flag = {
  readonly value?: string;
  readonly many?: boolean;
  readonly short?: string;
  readonly about: string;
};
/** Flags by their names, without dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was typed, once it is known to be well formed. */
export type Request = {
  readonly options: Options;
  /** The values of the command's own flags, in the order given; switches have an empty list. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  /** The words after `--`, when there is one. */
  readonly rest: readonly string[] | undefined;
};

/** One subcommand, as help and the parser see it; its code is loaded when it is called. */
export type Command = {
  readonly words: readonly [string, ...string[]];
  /** What follows the words in a usage line. */
  readonly synopsis: string;
  readonly about: string;
  readonly examples: readonly [string, string, string];
  readonly flags: Flags;
  readonly operands: { readonly min: number; readonly max: number; readonly rest?: boolean };
  /** Ends by itself when it is told to stop; every other command is simply left. */
  readonly serves?: boolean;
  /** Resolves with the exit code. */
  readonly load: () => Promise<(io: Io, request: Request) => Promise<number>>;
};

/** The flags that every subcommand takes; each that has a value, and `--json`, has a twin in the environment. */
export const COMMON: Flags = {
  config: { value: 'FILE', about: 'the configuration (hosts, logins)' },
  policy: { value: 'FILE', about: 'the policy that guards every call' },
  state: { value: 'DIR', about: 'where counters and the audit are kept' },
  grant: { value: 'NAME', about: 'whose calls these are: limits and handles belong to a grant' },
  'log-level': { value: 'LEVEL', about: 'error, warn, info or debug: what is said on stderr' },
  json: { about: 'print data as JSON' },
  help: { short: 'h', about: 'show help' },
  version: { about: 'show the version' },
};

/** Every subcommand there is. */
export const COMMANDS: readonly Command[] = [
  {
    words: ['serve'],
    synopsis: '[--pin sha256:...] [--shadow FILE]',
    about: 'serve MCP on stdin and stdout',
    examples: [
      'sallyport serve',
      'sallyport serve --grant ci --log-level info',
      'sallyport serve --policy ~/policies/observe.json',
    ],
    flags: {
      pin: { value: 'sha256:...', about: 'the only policy that may be in force, by its digest' },
      shadow: {
        value: 'FILE',
        about: 'a candidate to judge beside the policy: what it would answer otherwise is logged',
      },
    },
    operands: { min: 0, max: 0 },
    serves: true,
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    words: ['init'],
    synopsis: '[--client NAME] [--host NAME=USER@ADDRESS[:PORT]]... [--preset observe|operate|admin] [--print]',
    about: 'write a first configuration and policy, and show how to register the server',
    examples: [
      'sallyport init --host web=deploy@10.0.0.5',
      'sallyport init --client claude-code',
      'sallyport init --print',
    ],
    flags: {
      client: { value: 'NAME', about: 'claude-code, codex, gemini, cursor, vscode or claude-desktop' },
      host: { value: 'NAME=USER@ADDRESS[:PORT]', many: true, about: 'a host to put into a new config.json' },
      preset: { value: 'NAME', about: 'observe (the default): look; operate: look and restart; admin: everything' },
      print: { about: 'show what would be written, and write nothing' },
    },
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).init,
  },
  {
    words: ['doctor'],
    synopsis: '[HOST]',
    about: 'check everything that a call needs, and say how to mend what is wrong',
    examples: ['sallyport doctor', 'sallyport doctor web', 'sallyport doctor --json'],
    flags: {},
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).doctor,
  },
  ...HOSTS_COMMANDS,
  ...POLICY_COMMANDS,
  ...SESSIONS_COMMANDS,
  ...APPROVALS_COMMANDS,
  {
    words: ['audit', 'verify'],
    synopsis: '',
    about: 'check that nothing in the audit was edited, cut, swapped or lost',
    examples: ['sallyport audit verify', 'sallyport audit verify --json', 'sallyport audit verify --state ~/copy'],
    flags: {},
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).auditVerify,
  },
  {
    words: ['audit', 'show'],
    synopsis: '--approvals ID',
    about: 'the story of one approval: asked, shown, answered, used or ended, and the call that it was for',
    examples: [
      'sallyport audit show --approvals ap_MTIzNDU2Nzg5MDEyMzQ1Ng',
      'sallyport audit show --approvals ap_MTIzNDU2Nzg5MDEyMzQ1Ng --json',
      'sallyport audit show --approvals ap_MTIzNDU2Nzg5MDEyMzQ1Ng --state ~/copy',
    ],
    flags: { approvals: { value: 'ID', about: 'the id of the question' } },
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).auditShow,
  },
];
