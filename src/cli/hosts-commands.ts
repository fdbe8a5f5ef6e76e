import type { Command } from './commands.ts';

/** Every subcommand of `hosts`. */
export const HOSTS_COMMANDS: readonly Command[] = [
  {
    words: ['hosts', 'list'],
    synopsis: '',
    about: 'the configured hosts, and what is known of their keys',
    examples: ['sallyport hosts list', 'sallyport hosts --json', 'sallyport hosts list --config ~/other.json'],
    flags: {},
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).hostsList,
  },
  {
    words: ['hosts', 'test'],
    synopsis: 'HOST',
    about: 'connect and log in to a host as a call would',
    examples: ['sallyport hosts test web', 'sallyport hosts test web --json', 'sallyport doctor web'],
    flags: {},
    operands: { min: 1, max: 1 },
    load: async () => (await import('./desk.ts')).hostsTest,
  },
  {
    words: ['hosts', 'trust'],
    synopsis: 'HOST [--fingerprint SHA256:...]',
    about: "show a host's key and enrol it in known_hosts, if you say so",
    examples: [
      'sallyport hosts trust web',
      'sallyport hosts trust web --fingerprint SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOFi0fZe1mZQHgV2A',
      'sallyport hosts test web',
    ],
    flags: {
      fingerprint: {
        value: 'SHA256:...',
        about: 'enrol this key without asking, if it is the one that the host presents',
      },
    },
    operands: { min: 1, max: 1 },
    load: async () => (await import('./desk.ts')).hostsTrust,
  },
  {
    words: ['hosts', 'show'],
    synopsis: 'HOST',
    about: 'everything that is known of a host, and where it is said; nothing is dialled',
    examples: ['sallyport hosts show web', 'sallyport hosts show web --json', 'sallyport hosts test web'],
    flags: {},
    operands: { min: 1, max: 1 },
    load: async () => (await import('./desk.ts')).hostsShow,
  },
  {
    words: ['hosts', 'add'],
    synopsis:
      'NAME=USER@ADDRESS[:PORT] [--agent] [--key FILE]... [--via HOST] [--tag TAG]... [--password-command -- PROGRAM [WORD]...] | NAME --entry JSON',
    about: 'put a host into config.json, leaving everything else in it as it is',
    examples: [
      'sallyport hosts add web=deploy@10.0.0.5 --key ~/.ssh/id_ed25519 --via bastion --tag prod',
      'sallyport hosts add db=deploy@10.0.0.9:2222 --password-command -- pass show db',
      'sallyport hosts add old --entry \'{"address": "10.0.0.7", "user": "me", "transport": "openssh"}\'',
    ],
    flags: {
      agent: { about: 'log in by the ssh-agent' },
      key: { value: 'FILE', many: true, about: 'log in by this private key' },
      'password-env': { value: 'NAME', about: 'log in by the password in this variable' },
      'password-file': { value: 'FILE', about: 'log in by the password in this file' },
      'password-command': { about: 'log in by the password that the program after -- prints' },
      via: { value: 'HOST', about: 'the configured host whose connection leads there' },
      tag: { value: 'TAG', many: true, about: 'a tag, for rules of the policy' },
      entry: { value: 'JSON', about: 'the whole entry, as config.json has it' },
    },
    operands: { min: 1, max: 1, rest: true },
    load: async () => (await import('./desk.ts')).hostsAdd,
  },
  {
    words: ['hosts', 'remove'],
    synopsis: 'HOST',
    about: 'take a host out of config.json, with the comments that are its own',
    examples: ['sallyport hosts remove web', 'sallyport hosts remove web --json', 'sallyport hosts undo'],
    flags: {},
    operands: { min: 1, max: 1 },
    load: async () => (await import('./desk.ts')).hostsRemove,
  },
  {
    words: ['hosts', 'undo'],
    synopsis: '',
    about: 'put config.json back to what it was before the last host was added or removed, by a person or an agent',
    examples: ['sallyport hosts undo', 'sallyport hosts undo --json', 'sallyport hosts undo --config ~/other.json'],
    flags: {},
    operands: { min: 0, max: 0 },
    load: async () => (await import('./desk.ts')).hostsUndo,
  },
];
