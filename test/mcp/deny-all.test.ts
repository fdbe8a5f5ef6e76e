import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { TOOLS } from '../../src/tools/index.ts';
import { errorOf, home, raw } from '../support/home.ts';

const ID = 'A'.repeat(22);
const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  ssh_list_hosts: {},
  ssh_exec: { host: 'web-1', command: 'id' },
  ssh_read_output: { command_id: `cmd_${ID}` },
  ssh_cancel_command: { command_id: `cmd_${ID}` },
  ssh_session_start: { host: 'web-1' },
  ssh_session_send: { session_id: `ses_${ID}`, input: 'id' },
  ssh_session_read: { session_id: `ses_${ID}` },
  ssh_session_end: { session_id: `ses_${ID}` },
  ssh_upload: { host: 'web-1', remote_path: '/tmp/x', content: 'x' },
  ssh_download: { host: 'web-1', remote_path: '/etc/passwd' },
  ssh_tunnel_start: { host: 'web-1', direction: 'local', to_host: '127.0.0.1', to_port: 80 },
  ssh_tunnel_stop: { tunnel_id: `tun_${ID}` },
  ssh_connect: { host: 'web-1' },
  ssh_disconnect: { host: 'web-1' },
  ssh_host_add: { name: 'web-2', address: '192.0.2.2', like: 'web-1' },
  ssh_host_remove: { name: 'web-1' },
  ssh_status: {},
};

const everyTool = TOOLS.map(tool => tool.name);
const POLICIES: readonly {
  readonly title: string;
  readonly policy: unknown;
  readonly rule: (tool: string) => string;
}[] = [
  { title: 'no document', policy: undefined, rule: () => '(no policy)' },
  { title: 'a default of deny', policy: { version: '1', default: 'deny' }, rule: () => '(default deny)' },
  { title: 'everything hidden', policy: { version: '1', default: 'allow', hide: ['*'] }, rule: () => '(hidden)' },
  {
    title: 'an unconditional deny on each tool',
    policy: {
      version: '1',
      default: 'allow',
      tools: Object.fromEntries(everyTool.map(tool => [tool, { action: 'deny', reason: 'Not today.' }])),
    },
    rule: tool => `/tools/${tool}/action`,
  },
];

test('the table has arguments for every tool', () => {
  expect(Object.keys(ARGUMENTS)).toEqual(everyTool);
});

test.each(POLICIES)(
  'under $title every tool is refused, on record, and not one TCP connection is made [G2]',
  async ({ policy, rule }) => {
    let connections = 0;
    const listener = createServer(socket => {
      connections += 1;
      socket.destroy();
    });
    const port = await new Promise<number>(resolve =>
      listener.listen(0, '127.0.0.1', () => {
        const address = listener.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    const entry = { address: '127.0.0.1', port, user: 'nobody', auth: { key: '~/.ssh/id' } };
    await using place = await home({ 'web-1': entry }, policy);
    const server = raw(place);
    for (const tool of everyTool) {
      const result = await server.call(tool, ARGUMENTS[tool]);
      expect({ tool, isError: result.isError, error: errorOf(result) }).toMatchObject({
        tool,
        isError: true,
        error: { code: 'POLICY_DENIED', rule: rule(tool), decision: 'deny' },
      });
    }
    server.child.stdin.end();
    await server.exited;
    listener.close();
    expect(connections).toBe(0);
    const lines = (await place.audit()).filter(line => line.event === 'refused');
    expect(lines.map(line => line.tool)).toEqual(everyTool);
    expect((await place.audit()).filter(line => line.event === 'admitted')).toEqual([]);
  },
);
