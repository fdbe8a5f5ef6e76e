import type { Command } from './commands.ts';

/** The commands for the author of a policy. */
export const POLICY_COMMANDS: readonly Command[] = [
  {
    words: ['policy', 'validate'],
    synopsis: '[FILE]',
    about: 'check a policy: every problem at once, with its line',
    examples: [
      'sallyport policy validate',
      'sallyport policy validate policy.json',
      'sallyport policy validate policy.json --json',
    ],
    flags: {},
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).policyValidate,
  },
  {
    words: ['policy', 'test'],
    synopsis: '[FILE] [--coverage]',
    about: 'run the tests and examples that a policy brings',
    examples: [
      'sallyport policy test',
      'sallyport policy test policy.json --coverage',
      'sallyport policy test policy.json --json',
    ],
    flags: { coverage: { about: 'also show the rules and tools that no test or example reaches' } },
    operands: { min: 0, max: 1 },
    load: async () => (await import('./desk.ts')).policyTest,
  },
  {
    words: ['policy', 'explain'],
    synopsis: '[FILE] [--args JSON] [--host NAME] -- TOOL [KEY=VALUE]...',
    about: 'what a policy decides about one call, and why: every gate and every rule',
    examples: [
      "sallyport policy explain -- ssh_exec host=web command='uptime'",
      'sallyport policy explain policy.json -- ssh_list_hosts',
      `sallyport policy explain --args '{"host":"web","argv":["ls","-l"]}' -- ssh_exec`,
    ],
    flags: {
      args: { value: 'JSON', about: "the call's arguments as one JSON object" },
      host: { value: 'NAME', about: 'where the session of the call runs, when it names a session' },
    },
    operands: { min: 0, max: 1, rest: true },
    load: async () => (await import('./desk.ts')).policyExplain,
  },
  {
    words: ['policy', 'can'],
    synopsis: '[FILE] host=NAME [user=NAME]',
    about: 'what may be done on a host: every rule that is about it, packs written out',
    examples: [
      'sallyport policy can host=web',
      'sallyport policy can policy.json host=web user=deploy',
      'sallyport policy can host=web --json',
    ],
    flags: {},
    operands: { min: 1, max: 3 },
    load: async () => (await import('./desk.ts')).policyCan,
  },
  {
    words: ['policy', 'diff'],
    synopsis: 'OLD NEW [--replay AUDIT.jsonl]',
    about: 'what is decided otherwise by another policy; 1 when anything widens',
    examples: [
      'sallyport policy diff policy.json new.json',
      'sallyport policy diff policy.json new.json --replay ~/.local/state/sallyport/audit/local.jsonl',
      'sallyport policy diff policy.json new.json --json',
    ],
    flags: { replay: { value: 'AUDIT.jsonl', about: 'also judge the calls of this file of the audit again' } },
    operands: { min: 2, max: 2 },
    load: async () => (await import('./desk.ts')).policyDiff,
  },
  {
    words: ['policy', 'init'],
    synopsis: '[--preset observe|operate|admin] [--print]',
    about: 'write a first policy; one that is there stays as it is',
    examples: [
      'sallyport policy init',
      'sallyport policy init --preset operate --policy ~/policies/operate.json',
      'sallyport policy init --preset admin --print',
    ],
    flags: {
      preset: { value: 'NAME', about: 'observe (the default), operate or admin' },
      print: { about: 'show what would be written, and write nothing' },
    },
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).policyInit,
  },
  {
    words: ['policy', 'schema'],
    synopsis: '',
    about: 'the JSON Schema of a policy, for an editor',
    examples: [
      'sallyport policy schema',
      'sallyport policy schema > policy.schema.json',
      'sallyport policy schema --json',
    ],
    flags: {},
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).policySchemaCommand,
  },
];
