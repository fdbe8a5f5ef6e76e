import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Seal } from '../../src/mcp/seal.ts';
import type { Service } from '../../src/mcp/server.ts';
import { ASKED, type Sitting, sittingAt } from '../support/approval.ts';
import { wireTo } from '../support/clients.ts';
import { ENVELOPE } from '../support/home.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

type Json = Readonly<Record<string, unknown>>;

const CAPABILITIES = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } };
const YES = { approval: { action: 'accept', content: { host: 'web-1' } } };
const NO = { approval: { action: 'decline' } };

let sshd: Sshd;
let temp: TempFolder;
let sitting: Sitting;
let close: () => Promise<void>;
beforeAll(async () => {
  [sshd, temp] = await Promise.all([startSshd(), tempFolder()]);
});
afterAll(async () => {
  await Promise.all([sshd.close(), temp.remove()]);
});
beforeEach(async () => {
  sitting = await sittingAt(sshd, temp.path);
  close = async () => undefined;
});
afterEach(async () => {
  await close();
  sitting[Symbol.dispose]();
});

type Peer = (params: Json) => Promise<Json>;

/** A client of 2026-07-28 that sends what it likes: each call resolves with its whole answer. */
const peerOf = async (service: Service = sitting.service): Promise<Peer> => {
  const wire = wireTo({ ...sitting.entry, open: async () => service });
  await wire.transport.start();
  const before = close;
  close = async () => {
    await Promise.all([before(), wire.transport.close()]);
  };
  let last = 0;
  return async params => {
    last += 1;
    const id = last;
    const call = { _meta: { ...ENVELOPE, ...CAPABILITIES }, ...sitting.call, ...params };
    await wire.transport.send({ jsonrpc: '2.0', id, method: 'tools/call', params: call });
    await untilTrue(() => wire.received.some(message => message.id === id));
    return wire.received.find(message => message.id === id) ?? {};
  };
};

const resultOf = ({ result }: Json): Json => Object(result);

/** Calls, and takes the state of the question that comes of it. */
const ask = async (peer: Peer, params: Json = {}): Promise<string> => {
  const { resultType, requestState } = resultOf(await peer(params));
  expect({ resultType, requestState }).toEqual({ resultType: 'input_required', requestState: expect.any(String) });
  return String(requestState);
};

const refusal = (code: string): Json => ({
  result: { isError: true, structuredContent: { error: { code } } },
});
const DONE = { result: { structuredContent: { host: 'web-1', status: 'exited', exit_code: 0 } } };

test('the question is one form with a required name, and a state that says nothing', async () => {
  const peer = await peerOf();
  const { inputRequests, requestState, ...rest } = resultOf(await peer({}));
  expect(rest).toMatchObject({ resultType: 'input_required' });
  expect(inputRequests).toEqual({
    approval: {
      method: 'elicitation/create',
      params: {
        mode: 'form',
        message: expect.stringMatching(/^web-1: runs a command as /),
        requestedSchema: {
          type: 'object',
          properties: {
            host: { type: 'string', title: 'Host', description: 'Type web-1 to allow exactly this.', minLength: 1 },
          },
          required: ['host'],
        },
      },
    },
  });
  expect(requestState).toMatch(/^sp1\.[A-Za-z0-9_-]+$/);
  expect(sitting.runs()).toBe(0);
  expect(sitting.behind.dials()).toBe(0);
});

test('the same call with its state and the name runs; the state is worth nothing after that', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const first = await peer({ requestState, inputResponses: YES });
  const again = await peer({ requestState, inputResponses: YES });
  expect(first).toMatchObject(DONE);
  expect(again).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(1);
  expect(sitting.story()).toEqual([
    'asked web-1',
    'shown client',
    'refused APPROVAL_REQUIRED',
    'answered accepted',
    'used',
    'asked web-1',
    'answered refused',
    'ended withdrawn',
    'refused APPROVAL_DECLINED',
  ]);
});

test('of many that bring the same yes at once exactly one runs', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const answers = await Promise.all(Array.from({ length: 8 }, () => peer({ requestState, inputResponses: YES })));
  expect(answers.filter(({ result }) => Object(result).isError !== true)).toHaveLength(1);
  expect(sitting.runs()).toBe(1);
});

test('calls that are the same and come at once get the same question, each with a state of its own', async () => {
  const peer = await peerOf();
  const states = await Promise.all([ask(peer), ask(peer), ask(peer)]);
  const [first = '', second] = states;
  expect(new Set(states).size).toBe(3);
  expect(sitting.story().filter(line => line.startsWith('asked'))).toEqual(['asked web-1']);
  expect(await peer({ requestState: second, inputResponses: YES })).toMatchObject(DONE);
  expect(await peer({ requestState: first, inputResponses: YES })).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(1);
});

test('a no is for good: the yes that comes after it is none', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const no = await peer({ requestState, inputResponses: NO });
  const yes = await peer({ requestState, inputResponses: YES });
  expect(no).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(yes).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(0);
});

test('a wrong name ends the question: the right one cannot be tried after it', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const wrong = await peer({
    requestState,
    inputResponses: { approval: { action: 'accept', content: { host: 'x' } } },
  });
  const right = await peer({ requestState, inputResponses: YES });
  expect([wrong, right]).toMatchObject([refusal('APPROVAL_DECLINED'), refusal('APPROVAL_DECLINED')]);
  expect(sitting.runs()).toBe(0);
});

const UNANSWERED: readonly { readonly title: string; readonly inputResponses?: unknown }[] = [
  { title: 'no answers' },
  { title: 'answers that are no object', inputResponses: 'yes' },
  { title: 'an answer by another name', inputResponses: { other: YES.approval } },
  {
    title: 'an answer in an envelope',
    inputResponses: { approval: { method: 'elicitation/create', result: YES.approval } },
  },
  { title: 'an answer of another kind', inputResponses: { approval: { roots: [] } } },
  {
    title: 'an answer with another action',
    inputResponses: { approval: { action: 'ok', content: { host: 'web-1' } } },
  },
];

test.each(UNANSWERED)('a state with $title leaves the question open', async ({ title: _title, ...more }) => {
  const peer = await peerOf();
  const first = await ask(peer);
  const requestState = await ask(peer, { requestState: first, ...more });
  expect(sitting.runs()).toBe(0);
  expect(await peer({ requestState, inputResponses: YES })).toMatchObject(DONE);
  expect(sitting.runs()).toBe(1);
});

test('a yes without a state is no answer to anything', async () => {
  const peer = await peerOf();
  await ask(peer, { inputResponses: YES });
  expect(sitting.runs()).toBe(0);
});

const FOREIGN: readonly { readonly title: string; readonly params: (state: string) => Json }[] = [
  { title: 'a state that was made up', params: () => ({ requestState: `sp1.${'A'.repeat(150)}` }) },
  { title: 'a state that is empty', params: () => ({ requestState: '' }) },
  {
    title: 'a state that was changed',
    params: state => ({ requestState: state.slice(0, -3) + (state.endsWith('AAA') ? 'BBB' : 'AAA') }),
  },
  {
    title: 'another command',
    params: requestState => ({ requestState, arguments: { ...sitting.call.arguments, command: 'rm -rf /srv' } }),
  },
  {
    title: 'another host',
    params: requestState => ({ requestState, arguments: { ...sitting.call.arguments, host: 'web-2' } }),
  },
  {
    title: 'a limit of time more',
    params: requestState => ({ requestState, arguments: { ...sitting.call.arguments, timeout_ms: 5000 } }),
  },
  {
    title: 'another tool',
    params: requestState => ({ requestState, name: 'ssh_connect', arguments: { host: 'web-1' } }),
  },
];

test.each(FOREIGN)('a yes with $title is refused before anything is judged, and on record', async ({ params }) => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const answer = await peer({ inputResponses: YES, ...params(requestState) });
  expect(answer).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(0);
  expect(sitting.behind.dials()).toBe(0);
  expect(sitting.story()).toEqual([
    'asked web-1',
    'shown client',
    'refused APPROVAL_REQUIRED',
    'refused APPROVAL_DECLINED',
  ]);
  expect(sitting.behind.records.at(-1)).toMatchObject({
    because: [{ rule: '(requestState)', reason: expect.stringContaining('was not given out for it') }],
  });
});

test('a key that a client adds by itself to one of the two calls changes nothing', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const again = { ...sitting.call.arguments, wait_for_previous: true };
  expect(await peer({ requestState, inputResponses: YES, arguments: again })).toMatchObject(DONE);
});

test('a state is worth nothing in another grant, nor in another process', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  const others = [
    { ...sitting.service, grant: 'other' },
    { ...sitting.service, seal: new Seal(randomBytes, sitting.clock) },
  ];
  for (const service of others) {
    const other = await peerOf(service);
    expect(await other({ requestState, inputResponses: YES })).toMatchObject(refusal('APPROVAL_DECLINED'));
  }
  expect(sitting.runs()).toBe(0);
});

test('a state is good on another connection to the same process', async () => {
  const requestState = await ask(await peerOf());
  const other = await peerOf();
  expect(await other({ requestState, inputResponses: YES })).toMatchObject(DONE);
});

test('a state that has expired is refused, however the clock on the wall is set', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  sitting.clock.advance(300_001);
  sitting.clock.step(-86_400_000);
  expect(await peer({ requestState, inputResponses: YES })).toMatchObject(refusal('APPROVAL_EXPIRED'));
  expect(sitting.runs()).toBe(0);
});

test('a state that is no text is an error of the protocol, and on record', async () => {
  const peer = await peerOf();
  const answer = await peer({ requestState: { id: 'x' }, inputResponses: YES });
  expect(answer).toMatchObject({ error: { code: -32602 } });
  expect(sitting.runs()).toBe(0);
  await untilTrue(() => sitting.story().includes('refused INVALID_INPUT'));
});

test('a policy that changed after the question makes its answer worthless, though it asks the same', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  sitting.behind.reload({ ...ASKED, description: 'the same rules, another text' });
  expect(await peer({ requestState, inputResponses: YES })).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(0);
});

test('a policy that denies since the question is obeyed, whatever was answered', async () => {
  const peer = await peerOf();
  const requestState = await ask(peer);
  sitting.behind.reload({ rules: [] });
  expect(await peer({ requestState, inputResponses: YES })).toMatchObject(refusal('POLICY_DENIED'));
  expect(sitting.runs()).toBe(0);
});

test('in a call for many hosts nobody is asked: what needs nobody runs, and the rest is told to be called alone', async () => {
  const peer = await peerOf();
  const { host: _host, ...rest } = sitting.call.arguments;
  const answer = await peer({ arguments: { ...rest, hosts: ['web-1', 'web-2'] } });
  expect(answer).toMatchObject({
    result: {
      structuredContent: {
        results: [
          {
            host: 'web-1',
            error: { code: 'APPROVAL_UNAVAILABLE', next: expect.stringContaining('Call for this host alone') },
          },
          { host: 'web-2', status: 'exited', exit_code: 0 },
        ],
      },
    },
  });
  expect(sitting.runs()).toBe(1);
});

test('where no host is touched the name of the tool is typed', async () => {
  sitting.behind.reload({ ...ASKED, tools: { ssh_list_hosts: { approval: { by: 'client' } } } });
  const peer = await peerOf();
  const list = { name: 'ssh_list_hosts', arguments: {} };
  const { inputRequests, requestState } = resultOf(await peer(list));
  expect(inputRequests).toMatchObject({
    approval: {
      params: {
        message: expect.stringMatching(/^ssh_list_hosts: looks at what is there\nwhat: hosts\n/),
        requestedSchema: { properties: { host: { title: 'Tool' } } },
      },
    },
  });
  const inputResponses = { approval: { action: 'accept', content: { host: 'ssh_list_hosts' } } };
  const answer = await peer({ ...list, requestState, inputResponses });
  expect(answer).toMatchObject({ result: { structuredContent: { hosts: [{ name: 'web-1' }, { name: 'web-2' }] } } });
});

test('in the revisions of 2025 a state and answers within a call answer nothing: the form goes out, in the words of its revision', async () => {
  const wire = wireTo(sitting.entry);
  await wire.transport.start();
  close = () => wire.transport.close();
  const params = { capabilities: { elicitation: {} }, clientInfo: { name: 'raw', version: '0' } };
  const opening = { ...params, protocolVersion: '2025-06-18' };
  await wire.transport.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: opening });
  await wire.transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const brought = { ...sitting.call, requestState: 'sp1.x', inputResponses: YES };
  await wire.transport.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: brought });
  const form = () => wire.received.find(({ method }) => method === 'elicitation/create');
  await untilTrue(() => form() !== undefined);
  const { id, params: put } = Object(form());
  await wire.transport.send({ jsonrpc: '2.0', id, result: { action: 'decline' } });
  await untilTrue(() => wire.received.some(message => message.id === 2));
  expect(Object.keys(put)).toEqual(['message', 'requestedSchema']);
  expect(wire.received.find(message => message.id === 2)).toMatchObject(refusal('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(0);
});
