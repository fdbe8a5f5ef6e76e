import { didYouMean } from '../text/nearest.ts';
import { Usage } from './io.ts';

/** What an agent needs to find out what is wrong with a host. */
const LOOKS = [
  '@inspect',
  '@processes',
  '@disk',
  '@network-read',
  '@logs(/var/log)',
  '@systemd-read',
  '@packages-read',
  '@text-filters',
];

const look = {
  id: 'look',
  effect: 'allow',
  commands: LOOKS,
  timeout: '2m',
  match: ['uptime', 'df -h', 'ps aux | grep nginx | head -n 5', 'systemctl status nginx', 'tail -n 50 /var/log/syslog'],
  not_match: ['id; rm -rf /srv', 'systemctl stop nginx', 'cat /etc/shadow', 'tail -n 5 /root/.bash_history'],
};

const SIGHT = { ssh_list_hosts: {}, ssh_status: {}, ssh_connect: {}, ssh_disconnect: {} };
const RUNS = {
  ssh_exec: {
    limits: [
      { counter: 'commands', window: 'minute', max: 60, scope: 'grant' },
      { counter: 'running', concurrent: true, max: 4, scope: 'host' },
    ],
  },
  ssh_read_output: {},
  ssh_cancel_command: {},
};
const READS = {
  ssh_download: {
    limits: [
      { counter: 'bytes_read', window: 'hour', max: 1_073_741_824, scope: 'grant', increment_from: 'args.size' },
    ],
  },
};
const SESSIONS = { ssh_session_start: {}, ssh_session_send: {}, ssh_session_read: {}, ssh_session_end: {} };

const run = (command: string, expect: 'allow' | 'deny', rule?: string) => ({
  tool: 'ssh_exec',
  host: 'web-1',
  args: { command },
  expect,
  ...(rule === undefined ? {} : { rule }),
});

const read = (remote_path: string, expect: 'allow' | 'deny', rule: string) => ({
  tool: 'ssh_download',
  host: 'web-1',
  args: { remote_path },
  expect,
  rule,
});

const logFiles = { id: 'log-files', effect: 'allow', actions: ['read', 'list'], paths: ['/var/log/**'] };

const observe = {
  version: '1',
  description: 'Observe: the agent finds out what is wrong with a host, and changes nothing.',
  default: 'deny',
  tools: { ...SIGHT, ...RUNS, ...READS },
  rules: [look, logFiles],
  tests: [
    run('uptime', 'allow', '/rules/look'),
    run('journalctl -u nginx -n 100 --no-pager | grep -i error | tail -n 20', 'allow', '/rules/look'),
    run('uptime; id > /tmp/x', 'deny'),
    run('systemctl restart nginx', 'deny'),
    run('echo $(id)', 'deny'),
    read('/var/log/syslog', 'allow', '/rules/log-files'),
    read('/etc/shadow', 'deny', '(no rule)'),
    { tool: 'ssh_session_start', host: 'web-1', expect: 'deny', rule: '(default deny)' },
    { tool: 'ssh_upload', host: 'web-1', expect: 'deny', rule: '(default deny)' },
  ],
};

const operate = {
  version: '1',
  description:
    'Operate: the agent finds out what is wrong with a host, reads what runs in /srv, and restarts services.',
  default: 'deny',
  tools: { ...SIGHT, ...RUNS, ...SESSIONS, ...READS },
  rules: [
    logFiles,
    { id: 'service-files', effect: 'allow', actions: ['read', 'list'], paths: ['/srv/**'] },
    { ...look, cwd: ['~', '/var/log/**', '/srv/**'] },
    {
      id: 'read-services',
      effect: 'allow',
      commands: ['@docker-read', '@git-read(/srv)', '@files-read(/srv)'],
      cwd: ['~', '/srv/**'],
      timeout: '2m',
      match: ['docker ps', 'cat /srv/app/package.json', 'git -C /srv/app status'],
      not_match: ['docker exec web sh', 'cat /etc/shadow', 'git -C /srv/app push'],
    },
    {
      id: 'restart',
      effect: 'allow',
      commands: ['@systemd-restart(nginx,apache2,app)'],
      timeout: '5m',
      limits: [{ counter: 'restarts', window: 'hour', max: 10, scope: 'host' }],
      match: ['systemctl restart nginx', 'sudo systemctl reload app'],
      not_match: ['systemctl stop nginx', 'systemctl restart sshd'],
    },
  ],
  tests: [
    run('uptime', 'allow', '/rules/look'),
    run('docker ps | grep web', 'allow', '/rules/read-services'),
    run('sudo systemctl restart nginx', 'allow', '/rules/restart'),
    run('systemctl restart nginx && systemctl status nginx', 'allow', '/rules/restart'),
    run('systemctl restart sshd', 'deny', '(no rule)'),
    run('sudo id', 'deny', '(no rule)'),
    run('docker run -v /:/host alpine', 'deny', '(no rule)'),
    { tool: 'ssh_session_send', host: 'web-1', args: { input: 'cd /srv/app' }, expect: 'allow' },
    { tool: 'ssh_session_send', host: 'web-1', args: { input: 'cd /root' }, expect: 'deny' },
    read('/var/log/syslog', 'allow', '/rules/log-files'),
    read('/srv/app/package.json', 'allow', '/rules/service-files'),
    read('/root/.ssh/id_ed25519', 'deny', '(no rule)'),
    { tool: 'ssh_upload', host: 'web-1', expect: 'deny', rule: '(default deny)' },
  ],
};

const admin = {
  version: '1',
  description: 'Admin: the agent does on every host whatever the account may do. Every call is recorded.',
  default: 'allow',
  hide: ['ssh_host_add', 'ssh_host_remove'],
  rules: [
    {
      id: 'everything',
      effect: 'allow',
      actions: ['exec', 'shell', 'input', 'read', 'write', 'list', 'delete', 'forward'],
      commands: 'any',
      input: 'any',
      paths: ['/**'],
      ports: ['1-65535'],
      addresses: ['*'],
      directions: ['local', 'remote'],
      timeout: '1h',
      match: ['sudo reboot', 'echo $(id)'],
    },
  ],
  tests: [
    run('sudo apt-get install nginx', 'allow', '/rules/everything'),
    run('for f in /srv/*; do echo "$f"; done', 'allow', '/rules/everything'),
    read('/etc/shadow', 'allow', '/rules/everything'),
    { tool: 'ssh_host_add', expect: 'deny', rule: '(hidden)' },
  ],
};

const PRESETS: Readonly<Record<string, object>> = { observe, operate, admin };

/** The name of the schema that lies beside a first policy. */
export const SCHEMA_NAME = 'policy.schema.json';

/** The names of the first policies that there are. */
export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** A first policy by its name, as the text of a file; throws a `Usage` for a name that there is not. */
export const presetText = (name: string): string => {
  if (Object.hasOwn(PRESETS, name))
    return `${JSON.stringify({ $schema: `./${SCHEMA_NAME}`, ...PRESETS[name] }, null, 2)}\n`;
  throw new Usage(
    `unknown preset ${JSON.stringify(name)}${didYouMean(name, PRESET_NAMES) || `; there are ${PRESET_NAMES.join(', ')}`}`,
  );
};
