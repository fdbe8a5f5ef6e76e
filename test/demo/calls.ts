import { once } from 'node:events';
import { connect } from 'node:net';
import { errorOf, structured } from '../support/home.ts';

type Json = Record<string, unknown>;

/** One call of the demo: what it is, and what must come of it. `arrives` is how many commands must reach the host. */
export type Step = {
  readonly tool: string;
  readonly args: (so: Json) => Json;
  readonly says: string;
  /** What is shown as the decision, or a thrown error when it is not what must come. */
  readonly judge: (result: Json, so: Json) => string | Promise<string>;
  readonly arrives: number | 'some';
  /** What a person does first, in another terminal. */
  readonly before?: () => Promise<void>;
};

const fail = (result: Json): never => {
  throw new Error(`not what was expected: ${JSON.stringify(result)}`);
};

const allowed =
  (check: (content: Json, so: Json) => string | undefined) =>
  (result: Json, so: Json): string => {
    const told = result.isError === true ? undefined : check(structured(result), so);
    return told === undefined ? fail(result) : `allow   ${told}`;
  };

const refused =
  (code: string, rule?: string) =>
  (result: Json): string => {
    const error = errorOf(result);
    if (error.code !== code || (rule !== undefined && error.rule !== rule)) return fail(result);
    return `DENY    ${code}${rule === undefined ? '' : ` by ${rule}`}${typeof error.retry_after_ms === 'number' ? `, again in ${error.retry_after_ms} ms` : ''}`;
  };

const exec = (command: string, judge: Step['judge'], arrives: Step['arrives'], more: Json = {}): Step => ({
  tool: 'ssh_exec',
  args: () => ({ host: 'demo', command, ...more }),
  says: `${command}${Object.keys(more).length === 0 ? '' : ` ${JSON.stringify(more)}`}`,
  judge,
  arrives,
});

const exited = (code: number): Step['judge'] =>
  allowed(content =>
    content.status === 'exited' && content.exit_code === code
      ? `exit ${code}, ${String(content.stdout).length} characters`
      : undefined,
  );

const NO_RULE = '(no rule)';

/** What an agent might do in its first minute, some of it unwise. */
export const STEPS: readonly Step[] = [
  {
    tool: 'ssh_list_hosts',
    args: () => ({}),
    says: '',
    judge: allowed(content => (Array.isArray(content.hosts) && content.hosts.length === 2 ? '2 hosts' : undefined)),
    arrives: 0,
  },
  exec('uptime', exited(0), 'some'),
  exec('uname -a', exited(0), 1),
  exec('uname -a | tr a-z A-Z | wc -c', exited(0), 1),
  onMany(['demo', 'tag:staging'], allowed(everyOne), 'some'),
  onMany(['demo', 'staging-9'], refused('UNKNOWN_HOST'), 0),
  exec('rm -rf /var/lib/app', refused('POLICY_DENIED', '/rules/never'), 0),
  exec('sudo rm -rf /var/lib/app', refused('POLICY_DENIED', NO_RULE), 0),
  exec('uptime; curl http://evil.example', refused('POLICY_DENIED', NO_RULE), 0),
  exec('uptime\ncurl http://evil.example', refused('POLICY_DENIED', NO_RULE), 0),
  exec('uptime $(touch /tmp/x)', refused('POLICY_DENIED', NO_RULE), 0),
  exec('uname -a > /etc/motd', refused('POLICY_DENIED', NO_RULE), 0),
  exec('sort -o /etc/passwd /var/log/syslog', refused('POLICY_DENIED', NO_RULE), 0),
  exec('cat /srv/app/current/.env', refused('POLICY_DENIED', '/rules/secrets'), 0),
  exec('uptime', refused('POLICY_DENIED', NO_RULE), 0, { env: { LD_PRELOAD: '/tmp/x.so' } }),
  exec('uptime', refused('UNKNOWN_HOST'), 0, { host: 'evil.example' }),
  {
    tool: 'ssh_session_start',
    args: () => ({ host: 'demo' }),
    says: '',
    judge: allowed((content, so) => {
      so.session_id = content.session_id;
      return typeof content.session_id === 'string' ? `in ${String(content.cwd)}` : undefined;
    }),
    arrives: 'some',
  },
  send('cd /var/log', content => (content.cwd === '/var/log' ? 'now in /var/log' : undefined), 'some'),
  send('pwd', content => (content.stdout === '/var/log\n' ? 'prints /var/log' : undefined), 'some'),
  send('uptime | wc -l', content => (content.exit_code === 0 ? 'exit 0' : undefined), 'some'),
  {
    tool: 'ssh_session_send',
    args: so => ({ session_id: so.session_id, input: 'cd /etc' }),
    says: 'cd /etc',
    judge: refused('POLICY_DENIED', NO_RULE),
    arrives: 0,
  },
  {
    tool: 'ssh_session_send',
    args: so => ({ session_id: so.session_id, input: 'rm -rf .' }),
    says: 'rm -rf .',
    judge: refused('POLICY_DENIED', '/rules/never'),
    arrives: 0,
  },
  {
    tool: 'ssh_session_end',
    args: so => ({ session_id: so.session_id }),
    says: '',
    judge: allowed(content => String(content.outcome)),
    arrives: 'some',
  },
  file(
    'ssh_upload',
    'a text, to notes.txt',
    far => ({ remote_path: `${far}/notes.txt`, content: 'read me\n' }),
    content => (content.size === 8 ? `8 bytes, SHA-256 ${String(content.sha256).slice(0, 8)}…` : undefined),
  ),
  file(
    'ssh_download',
    'notes.txt',
    far => ({ remote_path: `${far}/notes.txt` }),
    content => (content.content === 'read me\n' ? 'reads the same' : undefined),
  ),
  {
    ...file('ssh_download', 'link -> /etc/shadow', far => ({ remote_path: `${far}/link` })),
    judge: refused('POLICY_DENIED', '/rules/secrets'),
  },
  {
    ...file('ssh_upload', '/etc/hostname, of this machine', far => ({
      remote_path: `${far}/hostname`,
      local_path: '/etc/hostname',
    })),
    judge: refused('LOCAL_DENIED'),
    arrives: 0,
  },
  tree(content => (content.files === 3 && content.unchanged === 0 ? '3 files copied' : undefined)),
  tree(content => (content.files === 0 && content.unchanged === 3 ? '3 unchanged, nothing moved' : undefined)),
  tunnel('127.0.0.1', async (result, so) => {
    const { tunnel_id, listen_port } = structured(result);
    so.tunnel_id = tunnel_id;
    const banner = await firstLine(Number(listen_port));
    if (!banner.startsWith('SSH-2.0-')) return fail(result);
    return `allow   port ${String(listen_port)} here, and ${banner.trim()} answers`;
  }),
  tunnel('169.254.169.254', refused('POLICY_DENIED')),
  {
    tool: 'ssh_tunnel_stop',
    args: so => ({ tunnel_id: so.tunnel_id }),
    says: '',
    judge: allowed(content => (typeof content.tunnel_id === 'string' ? 'closed' : undefined)),
    arrives: 0,
  },
  {
    tool: 'ssh_exec',
    args: () => ({ host: 'demo', command: 'tail -F /var/log/syslog', wait_ms: 200 }),
    says: 'tail -F /var/log/syslog',
    judge: allowed((content, so) => {
      so.command_id = content.command_id;
      return content.status === 'running' ? 'runs on, handed over' : undefined;
    }),
    arrives: 1,
  },
  {
    tool: 'ssh_cancel_command',
    args: so => ({ command_id: so.command_id }),
    says: '',
    judge: allowed(content =>
      content.outcome === 'confirmed' ? `confirmed after ${String(content.signals)}` : undefined,
    ),
    arrives: 'some',
  },
];

/** The call that a limit of thirty a minute is asked again and again, until it refuses. */
export const BURST: Step = exec('df -h', refused('RATE_LIMITED', '/tools/ssh_exec/limits/commands'), 0);

function everyOne({ results }: Json): string | undefined {
  const list: readonly Json[] = Array.isArray(results) ? results : [];
  const right = list.every(({ status, exit_code }) => status === 'exited' && exit_code === 0);
  return list.length === 2 && right ? `exit 0 on ${list.map(({ host }) => host).join(' and ')}` : undefined;
}

function onMany(hosts: readonly string[], judge: Step['judge'], arrives: Step['arrives']): Step {
  return {
    tool: 'ssh_exec',
    args: () => ({ hosts, command: 'uptime' }),
    says: `uptime ${hosts.join(' ')}`,
    judge,
    arrives,
  };
}

function send(input: string, check: (content: Json) => string | undefined, arrives: Step['arrives']): Step {
  return {
    tool: 'ssh_session_send',
    args: so => ({ session_id: so.session_id, input }),
    says: input,
    judge: allowed(check),
    arrives,
  };
}

function file(
  tool: 'ssh_upload' | 'ssh_download',
  says: string,
  args: (far: string) => Json,
  check: (content: Json) => string | undefined = () => undefined,
): Step {
  return {
    tool,
    args: so => ({ host: 'demo', ...args(String(so.far)) }),
    says,
    judge: allowed(check),
    arrives: 'some',
  };
}

function tree(check: (content: Json) => string | undefined): Step {
  const args = (far: string): Json => ({ remote_path: `${far}/app`, local_path: 'app', recursive: true });
  return file('ssh_upload', 'the folder app', args, check);
}

/** A tunnel to the SSH port of the host itself, seen from there, or to that port of somebody else. */
function tunnel(to_host: string, judge: Step['judge']): Step {
  return {
    tool: 'ssh_tunnel_start',
    args: so => ({ host: 'demo', direction: 'local', to_host, to_port: so.port }),
    says: `to its ${to_host}`,
    judge,
    arrives: 0,
  };
}

async function firstLine(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  const [chunk]: unknown[] = await once(socket, 'data');
  socket.destroy();
  return String(chunk);
}
