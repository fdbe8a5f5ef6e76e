import type { Command } from './commands.ts';

/** The subcommands that see and end what servers of this account have open. */
export const SESSIONS_COMMANDS: readonly Command[] = [
  {
    words: ['sessions', 'list'],
    synopsis: '',
    about:
      'everything that the running servers of this account have open: commands, sessions, transfers, tunnels, connections',
    examples: ['sallyport sessions', 'sallyport sessions list --json', 'sallyport sessions list --state ~/other'],
    flags: {},
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).sessionsList,
  },
  {
    words: ['sessions', 'watch'],
    synopsis: '[ID]',
    about:
      'show what one command or session writes, or how far a transfer is, until it ends; without ID, what begins and ends',
    examples: [
      'sallyport sessions watch cmd_MTIzNDU2Nzg5MDEyMzQ1Ng',
      'sallyport sessions watch',
      'sallyport sessions watch --json',
    ],
    flags: {},
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).sessionsWatch,
  },
  {
    words: ['sessions', 'end'],
    synopsis: 'ID',
    about: 'end a command, a session with all that runs in it, a transfer or a tunnel, and say what that proved',
    examples: [
      'sallyport sessions end cmd_MTIzNDU2Nzg5MDEyMzQ1Ng',
      'sallyport sessions end ses_MTIzNDU2Nzg5MDEyMzQ1Ng',
      'sallyport sessions end cmd_MTIzNDU2Nzg5MDEyMzQ1Ng --json',
    ],
    flags: {},
    operands: { min: 1, max: 1 },
    load: async () => (await import('./desk.ts')).sessionsEnd,
  },
];
