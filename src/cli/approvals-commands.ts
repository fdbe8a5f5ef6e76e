import type { Command } from './commands.ts';

const NOTE = { value: 'TEXT', about: 'a line that goes with the answer' } as const;

/** The subcommands by which an operator answers what agents may not do by themselves. */
export const APPROVALS_COMMANDS: readonly Command[] = [
  {
    words: ['approvals', 'list'],
    synopsis: '[--all]',
    about: 'the questions that wait for an answer',
    examples: ['sallyport approvals', 'sallyport approvals list --all', 'sallyport approvals list --json'],
    flags: { all: { about: 'those that are over too' } },
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).approvalsList,
  },
  {
    words: ['approvals', 'show'],
    synopsis: '[ID]',
    about: 'one question, whole: the host, every word that would run, the rule that asks',
    examples: [
      'sallyport approvals show',
      'sallyport approvals show ap_MTIzNDU2Nzg5MDEyMzQ1Ng',
      'sallyport approvals show ap_MTIz --json',
    ],
    flags: {},
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).approvalsShow,
  },
  {
    words: ['approvals', 'approve'],
    synopsis: '[ID] [--key FILE] [--note TEXT] [--host NAME]',
    about: 'show a question, have the name of its host typed, and sign a yes with an SSH key',
    examples: [
      'sallyport approvals approve',
      'sallyport approvals approve ap_MTIz --note "CHG-1234"',
      'sallyport approvals approve ap_MTIz --key ~/.ssh/id_ed25519_sk',
    ],
    flags: {
      key: { value: 'FILE', about: 'the key to sign with; a public one when an agent holds the private half' },
      note: NOTE,
      host: { value: 'NAME', about: 'the name of the host, which a terminal asks for' },
    },
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).approvalsApprove,
  },
  {
    words: ['approvals', 'deny'],
    synopsis: '[ID] [--note TEXT]',
    about: 'answer a question with no',
    examples: [
      'sallyport approvals deny',
      'sallyport approvals deny ap_MTIz --note "not during the freeze"',
      'sallyport approvals deny ap_MTIz --json',
    ],
    flags: { note: NOTE },
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).approvalsDeny,
  },
  {
    words: ['approvals', 'watch'],
    synopsis: '[ID]',
    about: 'show what is asked and what becomes of it, as it happens; with ID until that is over',
    examples: ['sallyport approvals watch', 'sallyport approvals watch ap_MTIz', 'sallyport approvals watch --json'],
    flags: {},
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).approvalsWatch,
  },
];
