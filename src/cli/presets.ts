import { didYouMean } from '../text/nearest.ts';
import { Usage } from './io.ts';

/** Commands that look and change nothing, whatever they find; each is allowed as it stands and in no other form. */
const LOOKS = [
  'uptime',
  'hostname',
  'whoami',
  'id',
  'date',
  'uname -a',
  'cat /etc/os-release',
  'df -h',
  'free -m',
  'nproc',
  'ps aux',
  'ip addr',
  'ss -tln',
  'systemctl --failed --no-pager',
  'journalctl -p err -n 100 --no-pager',
];

const observe = {
  version: '1',
  description:
    'Observe: the agent sees which hosts there are and runs the commands listed below, exactly as they stand. Nothing else.',
  default: 'deny',
  tools: {
    ssh_list_hosts: {},
    ssh_status: {},
    ssh_connect: {},
    ssh_disconnect: {},
    ssh_exec: {
      require: [
        {
          conditions: [{ path: 'args.command', op: 'in', value: LOOKS }],
          on_deny: `Only these commands are allowed, word for word: ${LOOKS.join('; ')}.`,
        },
      ],
      deny_if: [
        { path: 'args.env', op: 'exists', on_deny: 'Leave out env.' },
        { path: 'args.cwd', op: 'exists', on_deny: 'Leave out cwd.' },
        { path: 'args.stdin', op: 'exists', on_deny: 'Leave out stdin.' },
      ],
      limits: [{ counter: 'ssh_exec_rate', window: 'minute', max: 60, scope: 'grant' }],
    },
    ssh_read_output: {},
    ssh_cancel_command: {},
  },
};

const PRESETS: Readonly<Record<string, { readonly about: string; readonly document: unknown }>> = {
  observe: { about: `look at hosts with ${LOOKS.length} fixed commands, change nothing`, document: observe },
};

/** A first policy by its name, as the text of a file; throws a `Usage` for a name that there is not. */
export const presetText = (name: string): string => {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) return `${JSON.stringify(preset.document, null, 2)}\n`;
  const names = Object.keys(PRESETS);
  throw new Usage(
    `unknown preset ${JSON.stringify(name)}${didYouMean(name, names) || `; there is ${names.join(', ')}`}`,
  );
};
