import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf, type Home, homeFor, type Raw, raw, structured } from '../support/home.ts';
import { noneLeft } from '../support/processes.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

const POLICY = {
  version: '1',
  default: 'allow',
  rules: [
    {
      id: 'cat',
      effect: 'allow',
      actions: ['exec', 'input'],
      commands: ['cat -u'],
      input: ['h', 'i', 'enter', 'ctrl-d'],
    },
    { id: 'view', effect: 'allow', commands: ['vim -u NONE', 'sleep 947301'] },
  ],
};
const CLOSED = { ...POLICY, rules: POLICY.rules.slice(0, 1) };

const start = async (server: Raw, args: Record<string, unknown>): Promise<Record<string, unknown>> =>
  structured(await server.call('ssh_session_start', { host: 'web-1', ...args }));

const replace = async (place: Home, document: unknown): Promise<void> => {
  const path = join(place.path, '.config/sallyport/policy.json');
  await writeFile(`${path}.new`, JSON.stringify(document), { mode: 0o600 });
  await rename(`${path}.new`, path);
};

test('a program is started, typed to as far as its rule lists keys, seen, and ended', async () => {
  await using place = await homeFor(sshd, POLICY);
  await using server = raw(place);
  const begun = await start(server, { mode: 'program', command: 'cat  -u', cols: 40, rows: 10 });
  expect(begun).toMatchObject({ mode: 'program', status: 'running', state: 'waiting_input', cols: 40, rows: 10 });
  const { session_id } = begun;
  const sent = await server.call('ssh_session_send', { session_id, input: 'hi', keys: ['enter'] });
  expect(structured(sent)).toMatchObject({
    state: 'waiting_input',
    foreground: expect.arrayContaining(['cat']),
    text: 'hi\nhi\n',
  });
  expect(JSON.stringify(sent.content)).toContain('waiting_input');
  const screen = structured(await server.call('ssh_session_read', { session_id, view: 'screen' }));
  expect(screen).toMatchObject({
    screen: {
      lines: ['hi', 'hi'],
      omitted: 0,
      cursor: { row: 2, column: 0, visible: true },
      alternate: false,
      title: '',
    },
  });
  const refused = errorOf(await server.call('ssh_session_send', { session_id, input: 'hunter22' }));
  expect(refused).toMatchObject({ code: 'POLICY_DENIED', rule: '(no rule)' });
  const resized = structured(await server.call('ssh_session_send', { session_id, cols: 50, rows: 12 }));
  expect(resized).toMatchObject({ cols: 50, rows: 12 });
  const status = structured(await server.call('ssh_status'));
  expect(status.sessions).toMatchObject([{ session_id, host: 'web-1', mode: 'program', running: begun.command_id }]);
  expect(structured(await server.call('ssh_session_end', { session_id }))).toMatchObject({ outcome: 'confirmed' });
  expect(errorOf(await server.call('ssh_session_read', { session_id }))).toMatchObject({ code: 'UNKNOWN_ID' });
  server.child.stdin.end();
  await server.exited;
  const audit = await place.audit();
  expect(audit).toContainEqual(
    expect.objectContaining({
      event: 'admitted',
      action: expect.objectContaining({ kind: 'open', mode: 'program', command: 'cat  -u', runs: "'cat' '-u'" }),
    }),
  );
  expect(audit).toContainEqual(
    expect.objectContaining({
      event: 'admitted',
      action: expect.objectContaining({
        kind: 'type',
        session: session_id,
        keys: ['enter'],
        input: expect.any(Object),
      }),
    }),
  );
  expect(await place.everything()).not.toContain('hunter22');
});

test('a session whose program is no longer allowed ends as revoked, and can be read to its end', async () => {
  await using place = await homeFor(sshd, POLICY);
  await using server = raw(place);
  const { session_id, command_id } = await start(server, { mode: 'program', command: 'sleep 947301' });
  await replace(place, CLOSED);
  await noneLeft('sleep 947301');
  const read = structured(await server.call('ssh_read_output', { command_id, wait_ms: 5_000 }));
  expect(read.status).toBe('revoked');
  expect(structured(await server.call('ssh_session_read', { session_id }))).toMatchObject({
    status: 'revoked',
    state: 'ended',
  });
});

test.each([
  ['ssh_session_start', { host: 'web-1', mode: 'program' }],
  ['ssh_session_start', { host: 'web-1', mode: 'terminal', command: 'cat' }],
  ['ssh_session_start', { host: 'web-1', command: 'cat' }],
  ['ssh_session_start', { host: 'web-1', mode: 'program', command: 'cat', argv: ['cat'] }],
  ['ssh_session_start', { host: 'web-1', mode: 'terminal', cols: 1 }],
  ['ssh_session_send', { session_id: 'ses_AAAAAAAAAAAAAAAAAAAAAA' }],
  ['ssh_session_send', { session_id: 'ses_AAAAAAAAAAAAAAAAAAAAAA', keys: ['ctrl-C'] }],
])('%s does not take %j', async (tool, args) => {
  await using place = await homeFor(sshd, { version: '1', default: 'allow' });
  await using server = raw(place);
  expect(errorOf(await server.call(tool, args))).toMatchObject({ code: 'INVALID_INPUT' });
});

test('a managed session has neither keys nor a screen', async () => {
  await using place = await homeFor(sshd, { version: '1', default: 'allow' });
  await using server = raw(place);
  const { session_id } = await start(server, {});
  for (const [tool, args] of [
    ['ssh_session_send', { keys: ['enter'] }],
    ['ssh_session_send', { input: 'true', keys: ['enter'] }],
    ['ssh_session_send', { cols: 10, rows: 10 }],
    ['ssh_session_read', { view: 'screen' }],
  ] as const)
    expect(errorOf(await server.call(tool, { session_id, ...args }))).toMatchObject({ code: 'INVALID_INPUT' });
});
