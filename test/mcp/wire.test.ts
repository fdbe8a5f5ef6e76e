import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALLOW_ALL, ENVELOPE, errorOf, type Home, handshake, homeFor, raw, structured } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const withHome = async <T>(run: (place: Home) => Promise<T>): Promise<T> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  return await run(place);
};

test('lines that are no messages are passed over, and the next call is served', () =>
  withHome(async place => {
    await using server = raw(place);
    server.write('not json\n{"jsonrpc":"2.0"}\n[]\n"text"\n{"jsonrpc":"2.0","id":{},"method":1}\n\n');
    const hosts = structured(await server.call('ssh_list_hosts'));
    expect(hosts.hosts).toEqual([
      { name: 'web-1', user: sshd.user, address: '127.0.0.1', port: sshd.port, tags: [], state: 'idle', key: 'known' },
    ]);
    expect(server.noise).toEqual([]);
  }));

test('an unknown tool is an invalid-params error that names the nearest one, and is on record', () =>
  withHome(async place => {
    const server = raw(place);
    const answer = await server.request('tools/call', { name: 'ssh_exce', arguments: { host: 'web-1' } });
    server.child.stdin.end();
    await server.exited;
    expect(answer.error).toMatchObject({
      code: -32602,
      message: 'UNKNOWN_TOOL: There is no such tool. Did you mean ssh_exec?',
    });
    expect(await place.audit()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: 'refused', tool: 'ssh_exce', code: 'UNKNOWN_TOOL', arguments: ['host'] }),
      ]),
    );
  }));

/** Every shape of a call that no handler sees, and the tool that the record names. */
const MALFORMED: readonly {
  readonly title: string;
  readonly message: Record<string, unknown>;
  readonly tool: string;
}[] = [
  {
    title: 'arguments that are a list',
    message: { params: { _meta: ENVELOPE, name: 'ssh_exec', arguments: [] } },
    tool: 'ssh_exec',
  },
  {
    title: 'arguments that are a text',
    message: { params: { _meta: ENVELOPE, name: 'ssh_exec', arguments: 'id' } },
    tool: 'ssh_exec',
  },
  {
    title: 'arguments that are null',
    message: { params: { _meta: ENVELOPE, name: 'ssh_exec', arguments: null } },
    tool: 'ssh_exec',
  },
  { title: 'no name', message: { params: { _meta: ENVELOPE, arguments: {} } }, tool: '' },
  { title: 'a name that is a number', message: { params: { _meta: ENVELOPE, name: 7, arguments: {} } }, tool: '' },
  { title: 'params that are a list', message: { params: [] }, tool: '' },
  {
    title: 'a _meta that is a number',
    message: { params: { _meta: 5, name: 'ssh_exec', arguments: {} } },
    tool: 'ssh_exec',
  },
  {
    title: 'a progressToken that is an object',
    message: { params: { _meta: { ...ENVELOPE, progressToken: {} }, name: 'ssh_exec', arguments: {} } },
    tool: 'ssh_exec',
  },
  {
    title: 'an envelope of a revision that does not exist',
    message: {
      params: {
        _meta: { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '1999-01-01' },
        name: 'ssh_exec',
        arguments: {},
      },
    },
    tool: 'ssh_exec',
  },
];

test.each(MALFORMED)('a call with $title is answered with an error, and on record', ({ message, tool }) =>
  withHome(async place => {
    const server = raw(place);
    await server.request('server/discover');
    server.send({ jsonrpc: '2.0', id: 'bad', method: 'tools/call', ...message });
    const answer = await server.message(one => one.id === 'bad');
    server.child.stdin.end();
    await server.exited;
    expect(answer.error).toMatchObject({ code: expect.any(Number) });
    const refused = (await place.audit()).filter(line => line.event === 'refused');
    expect(refused).toEqual([expect.objectContaining({ tool, code: 'INVALID_INPUT', arguments: [] })]);
  }),
);

test('a line that is too long is refused and on record, and what runs goes on', () =>
  withHome(async place => {
    const server = raw(place);
    const run = structured(await server.call('ssh_exec', { host: 'web-1', command: 'sleep 4711', wait_ms: 1 }));
    const padding = 'x'.repeat(11 * 1024 * 1024);
    server.send({
      jsonrpc: '2.0',
      id: 'long',
      method: 'tools/call',
      params: { _meta: ENVELOPE, name: 'ssh_exec', arguments: { padding } },
    });
    const answer = await server.message(one => 'error' in one);
    const cancelled = structured(await server.call('ssh_cancel_command', { command_id: run.command_id }));
    server.child.stdin.end();
    await server.exited;
    expect(answer.error).toMatchObject({ code: -32600, message: expect.stringContaining('INVALID_INPUT: A line of ') });
    expect(cancelled.outcome).toBe('confirmed');
    expect((await place.audit()).filter(line => line.event === 'refused')).toEqual([
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    ]);
  }));

test('a call that asks for much in wrong arguments is told little', () =>
  withHome(async place => {
    await using server = raw(place);
    const env = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`bad name ${index}`, '1']));
    const result = await server.call('ssh_exec', { host: 'web-1', command: 'id', env, ['k\u202e'.repeat(10_000)]: 1 });
    expect(JSON.stringify(result).length).toBeLessThan(20_000);
    expect(JSON.stringify(result)).not.toContain('\u202e');
  }));

const INVALID: readonly {
  readonly title: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly says: string;
}[] = [
  {
    title: 'a key that is not in the schema',
    tool: 'ssh_exec',
    args: { host: 'web-1', command: 'id', dryRun: true },
    says: 'dryRun',
  },
  { title: 'neither command nor argv', tool: 'ssh_exec', args: { host: 'web-1' }, says: 'either command or argv' },
  {
    title: 'both command and argv',
    tool: 'ssh_exec',
    args: { host: 'web-1', command: 'id', argv: ['id'] },
    says: 'either command or argv',
  },
  { title: 'a command that is a number', tool: 'ssh_exec', args: { host: 'web-1', command: 7 }, says: 'command' },
  {
    title: 'a variable that is no name',
    tool: 'ssh_exec',
    args: { host: 'web-1', command: 'id', env: { 'A B': '1' } },
    says: 'env',
  },
  { title: 'a negative wait', tool: 'ssh_exec', args: { host: 'web-1', command: 'id', wait_ms: -1 }, says: 'wait_ms' },
  { title: 'no handle', tool: 'ssh_cancel_command', args: {}, says: 'command_id' },
];

test.each(INVALID)('a call with $title is a result that says so, and on record', ({ tool, args, says }) =>
  withHome(async place => {
    const server = raw(place);
    const result = await server.call(tool, args);
    server.child.stdin.end();
    await server.exited;
    expect(result.isError).toBe(true);
    expect(errorOf(result)).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(says) });
    const refused = (await place.audit()).filter(line => line.event === 'refused');
    expect(refused).toEqual([expect.objectContaining({ tool, code: 'INVALID_INPUT', arguments: Object.keys(args) })]);
    expect(sshd.log()).not.toContain('dryRun');
  }),
);

test('a key that a client adds by itself is taken off', () =>
  withHome(async place => {
    await using server = raw(place);
    const result = await server.call('ssh_list_hosts', { wait_for_previous: true });
    expect(result.isError).toBeUndefined();
  }));

test('calls run side by side and each answer carries its own output', () =>
  withHome(async place => {
    await using server = raw(place);
    const tags = Array.from({ length: 40 }, (_, index) => `tag-${index}-${(index * 7919) % 1000}`);
    const results = await Promise.all(
      tags.map(tag => server.call('ssh_exec', { host: 'web-1', command: `echo ${tag}` })),
    );
    expect(results.map(result => structured(result).stdout)).toEqual(tags.map(tag => `${tag}\n`));
  }));

test('progress comes only with a token, strictly increases, and ends with the result', () =>
  withHome(async place => {
    await using server = raw(place);
    const silent = await server.call('ssh_exec', { host: 'web-1', command: 'sleep 1.2' });
    expect(silent.isError).toBeUndefined();
    expect(server.messages.filter(message => message.method === 'notifications/progress')).toEqual([]);
    const answer = server.request('tools/call', {
      name: 'ssh_exec',
      arguments: { host: 'web-1', command: 'sleep 3.4' },
      _meta: { ...ENVELOPE, progressToken: 'p1' },
    });
    await answer;
    const told = server.messages
      .filter(message => message.method === 'notifications/progress')
      .map(message => message.params);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.length).toBeLessThanOrEqual(3);
    expect(told).toEqual(
      told.map((_, index) => ({
        progressToken: 'p1',
        progress: index + 1,
        message: expect.stringMatching(/^web-1: running for [1-4] s, 0 bytes of output$/),
      })),
    );
  }));

test.each([
  { era: '2026-07-28', meta: { _meta: ENVELOPE }, begin: async () => undefined },
  { era: '2025-11-25', meta: {}, begin: handshake },
])('in $era a cancelled call stops the remote command and is not answered', ({ meta, begin }) =>
  withHome(async place => {
    const server = raw(place);
    await begin(server);
    const args = { host: 'web-1', command: 'echo begun; sleep 86391.5', wait_ms: 60_000 };
    const call = (id: number, name: string, given: Record<string, unknown>): void =>
      server.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { ...meta, name, arguments: given } });
    /** Asks until the commands stand as wanted: the answers are the events. */
    const until = async (from: number, wanted: RegExp): Promise<string> => {
      for (let id = from; ; id += 1) {
        call(id, 'ssh_status', {});
        const told = JSON.stringify(await server.message(message => message.id === id));
        if (wanted.test(told)) return told;
      }
    };
    await sshd.caughtUp();
    const { sessions } = sshd.counts();
    call(77, 'ssh_exec', args);
    // One session is the warden's, one asks for the login shell, and the third is the command.
    await sshd.waitForLog(/Starting session: /, sessions + 3);
    server.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { ...meta, requestId: 77, reason: 'no' },
    });
    await until(100_000, /"status":"cancelled"/);
    server.child.stdin.end();
    await server.exited;
    expect(server.messages.filter(message => message.id === 77)).toEqual([]);
    const ends = (await place.audit()).filter(line => line.event === 'ended' && line.tool === 'ssh_exec');
    expect(ends).toEqual([expect.objectContaining({ end: expect.objectContaining({ how: 'cancelled' }) })]);
  }),
);
