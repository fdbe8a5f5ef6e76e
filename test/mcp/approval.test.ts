import { Client as NewClient } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Sitting, sittingAt } from '../support/approval.ts';
import { type Wire, wireTo } from '../support/clients.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { type TempFolder, tempFolder } from '../support/temp.ts';
import { untilTrue } from '../support/until.ts';

let sshd: Sshd;
let temp: TempFolder;
let sitting: Sitting;
beforeAll(async () => {
  [sshd, temp] = await Promise.all([startSshd(), tempFolder()]);
});
afterAll(async () => {
  await Promise.all([sshd.close(), temp.remove()]);
});
beforeEach(async () => {
  sitting = await sittingAt(sshd, temp.path);
});
afterEach(() => sitting[Symbol.dispose]());

type Form = { readonly message: string };
type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };
type Answering = (form: Form, signal: AbortSignal) => Promise<Answer>;
type Asked = {
  readonly wire: Wire;
  readonly callTool: (
    params: Sitting['call'],
    options?: { signal?: AbortSignal; onprogress?: () => void },
  ) => Promise<unknown>;
  readonly close: () => Promise<void>;
};
type Era = {
  readonly era: string;
  readonly connect: (answering: Answering | undefined, declared?: object) => Promise<Asked>;
};

const asOld =
  (opening?: string): Era['connect'] =>
  async (answering, declared = { elicitation: {} }) => {
    const wire = wireTo(sitting.entry, opening);
    const capabilities = answering === undefined ? {} : declared;
    const client = new OldClient({ name: 'old', version: '1' }, { capabilities });
    if (answering !== undefined && 'elicitation' in capabilities)
      client.setRequestHandler(ElicitRequestSchema, ({ params }, { signal }) => answering(params, signal));
    await client.connect(wire.transport);
    return {
      wire,
      callTool: (params, options) => client.callTool(params, undefined, options),
      close: () => client.close(),
    };
  };

const asNew =
  (mode: 'legacy' | { pin: string }): Era['connect'] =>
  async (answering, declared = { elicitation: { form: {} } }) => {
    const wire = wireTo(sitting.entry);
    const capabilities = answering === undefined ? {} : declared;
    const client = new NewClient({ name: 'new', version: '1' }, { capabilities, versionNegotiation: { mode } });
    if (answering !== undefined && 'elicitation' in capabilities)
      client.setRequestHandler('elicitation/create', ({ params }, { mcpReq }) => answering(params, mcpReq.signal));
    await client.connect(wire.transport);
    return { wire, callTool: (params, options) => client.callTool(params, options), close: () => client.close() };
  };

const EARLIER: readonly Era[] = [
  { era: '2025-06-18, older SDK', connect: asOld('2025-06-18') },
  { era: '2025-11-25, older SDK', connect: asOld() },
  { era: '2025-11-25, newer SDK', connect: asNew('legacy') },
];
const LATER: Era = { era: '2026-07-28, newer SDK', connect: asNew({ pin: '2026-07-28' }) };
const ERAS = [...EARLIER, LATER];

const errorOf = (code: string, message?: string): object => ({
  isError: true,
  structuredContent: {
    error: { code, ...(message === undefined ? {} : { message: expect.stringContaining(message) }) },
  },
});

/** A server that sends requests keeps the call; one that does not answers it, and is asked again. */
const opening = (era: Era): readonly string[] =>
  era === LATER ? ['asked web-1', 'shown client', 'refused APPROVAL_REQUIRED'] : ['asked web-1', 'shown client'];

test.each(ERAS)('in $era the host typed by the client lets exactly that call run, once', async era => {
  const forms: Form[] = [];
  const client = await era.connect(async form => {
    forms.push(form);
    return { action: 'accept', content: { host: 'web-1' } };
  });
  const result = await client.callTool(sitting.call);
  const [form] = forms;
  await client.close();
  expect(result).toMatchObject({ structuredContent: { host: 'web-1', status: 'exited', exit_code: 0 } });
  expect(sitting.runs()).toBe(1);
  expect(forms).toHaveLength(1);
  expect(form?.message.split('\n').slice(0, 4)).toEqual([
    `web-1: runs a command as ${sshd.user} at 127.0.0.1 port ${sshd.port}`,
    `command: ${sitting.call.arguments.command}`,
    'Answer within 5 min. In full:',
    'host: web-1',
  ]);
  expect(form?.message.split('\n').filter(line => line.length > 76)).toEqual([]);
  expect(sitting.story()).toEqual([...opening(era), 'answered accepted', 'used']);
});

type Row = { readonly how: string; readonly answering: Answering; readonly code: string; readonly answered: string };
const NO: readonly Row[] = [
  {
    how: 'says no',
    answering: async () => ({ action: 'decline' }),
    code: 'APPROVAL_DECLINED',
    answered: 'declined',
  },
  {
    how: 'dismisses the form',
    answering: async () => ({ action: 'cancel' }),
    code: 'APPROVAL_EXPIRED',
    answered: 'silent',
  },
  {
    how: 'accepts an empty form by itself',
    answering: async () => ({ action: 'accept', content: {} }),
    code: 'APPROVAL_DECLINED',
    answered: 'refused',
  },
  {
    how: 'accepts without a form',
    answering: async () => ({ action: 'accept' }),
    code: 'APPROVAL_DECLINED',
    answered: 'refused',
  },
  {
    how: 'accepts with another name',
    answering: async () => ({ action: 'accept', content: { host: 'web-2' } }),
    code: 'APPROVAL_DECLINED',
    answered: 'refused',
  },
];

test.each(ERAS.flatMap(era => NO.map(row => ({ ...row, era, name: era.era }))))(
  'in $name nothing runs when the client $how',
  async ({ era, answering, code, answered }) => {
    const client = await era.connect(answering);
    const result = await client.callTool(sitting.call);
    await client.close();
    expect(result).toMatchObject(errorOf(code));
    expect(sitting.runs()).toBe(0);
    expect(sitting.story().slice(0, opening(era).length + 1)).toEqual([...opening(era), `answered ${answered}`]);
    expect(sitting.story().at(-1)).toBe(`refused ${code}`);
    expect(sitting.behind.dials()).toBe(0);
  },
);

const UNABLE: readonly { readonly what: string; readonly declared: object }[] = [
  { what: 'declares no elicitation', declared: {} },
  { what: 'can only open pages', declared: { elicitation: { url: {} } } },
];

test.each(ERAS.flatMap(era => UNABLE.map(row => ({ ...row, era, name: era.era }))))(
  'in $name a client that $what is not asked, and told what else could be done',
  async ({ era, declared }) => {
    const client = await era.connect(async () => ({ action: 'accept', content: { host: 'web-1' } }), declared);
    const result = await client.callTool(sitting.call);
    await client.close();
    expect(result).toMatchObject(errorOf('APPROVAL_UNAVAILABLE', 'It declares no form elicitation'));
    expect(result).toMatchObject({ structuredContent: { error: { next: expect.stringContaining('approvals') } } });
    expect(client.wire.received.filter(({ method }) => method === 'elicitation/create')).toEqual([]);
    expect(sitting.story()).not.toContain('shown client');
    expect(sitting.runs()).toBe(0);
  },
);

test.each(ERAS)('in $era a client is not asked what cannot be shown at once', async ({ connect }) => {
  const client = await connect(async () => ({ action: 'accept', content: { host: 'web-1' } }));
  const command = `true ${'x'.repeat(200)}`;
  const result = await client.callTool({ name: 'ssh_exec', arguments: { host: 'web-1', command } });
  await client.close();
  expect(result).toMatchObject(errorOf('APPROVAL_UNAVAILABLE', 'more lines than every client shows'));
  expect(sitting.behind.dials()).toBe(0);
});

test.each(ERAS)('in $era two calls at once are two questions, each with its own answer', async ({ connect }) => {
  const client = await connect(async ({ message }) =>
    message.includes('echo no') ? { action: 'decline' } : { action: 'accept', content: { host: 'web-1' } },
  );
  const other = { name: 'ssh_exec', arguments: { host: 'web-1', command: 'echo no' } };
  const results = await Promise.all([client.callTool(other), client.callTool(sitting.call)]);
  await client.close();
  expect(results).toMatchObject([errorOf('APPROVAL_DECLINED'), { structuredContent: { exit_code: 0 } }]);
  expect(sitting.runs()).toBe(1);
});

test.each(ERAS)('in $era a yes is good for one run: the same call again is asked again', async ({ connect }) => {
  const answers: Answer[] = [{ action: 'accept', content: { host: 'web-1' } }, { action: 'decline' }];
  const client = await connect(async () => answers.shift() ?? { action: 'cancel' });
  const first = await client.callTool(sitting.call);
  const second = await client.callTool(sitting.call);
  await client.close();
  expect(first).toMatchObject({ structuredContent: { exit_code: 0 } });
  expect(second).toMatchObject(errorOf('APPROVAL_DECLINED'));
  expect(sitting.runs()).toBe(1);
});

test.each(EARLIER)('in $era silence ends the question when its time is over', async ({ connect }) => {
  let withdrawn = false;
  const client = await connect(
    (_form, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          withdrawn = true;
        });
        // The longest of the timers is the question's own; the others say that it waits.
        sitting
          .timers()
          .toSorted((a, b) => b.ms - a.ms)[0]
          ?.run();
      }),
  );
  const result = await client.callTool(sitting.call);
  await untilTrue(() => withdrawn);
  await client.close();
  expect(result).toMatchObject(errorOf('APPROVAL_EXPIRED', 'Nobody answered'));
  expect(sitting.runs()).toBe(0);
  expect(sitting.timers()).toEqual([]);
});

test.each(EARLIER)('in $era a question is withdrawn when its call is cancelled', async ({ connect }) => {
  const giveUp = new AbortController();
  let withdrawn = false;
  const client = await connect(
    (_form, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          withdrawn = true;
        });
        giveUp.abort();
      }),
  );
  await expect(client.callTool(sitting.call, { signal: giveUp.signal })).rejects.toThrow();
  await untilTrue(() => withdrawn);
  await untilTrue(() => sitting.story().some(line => line.startsWith('ended ')));
  await client.close();
  expect(sitting.runs()).toBe(0);
  expect(sitting.timers()).toEqual([]);
});

test.each(EARLIER)('in $era a question dies with the connection that it was put on', async ({ connect }) => {
  const client = await connect(
    () =>
      new Promise(() => {
        client.wire.cut();
      }),
  );
  void client.callTool(sitting.call).catch(() => undefined);
  await untilTrue(() => sitting.story().some(line => line.startsWith('ended ')));
  await client.close().catch(() => undefined);
  expect(sitting.runs()).toBe(0);
  expect(sitting.timers()).toEqual([]);
});

test.each(EARLIER)('in $era a client that answers the question with an error cannot be asked', async ({ connect }) => {
  const client = await connect(async () => {
    throw new Error('No: /home/somebody/secret');
  });
  const result = await client.callTool(sitting.call);
  await client.close();
  expect(result).toMatchObject(errorOf('APPROVAL_UNAVAILABLE', 'answered the question with error -32603'));
  expect(JSON.stringify(result)).not.toContain('somebody');
  expect(sitting.runs()).toBe(0);
});

test.each(EARLIER)('in $era progress is told while somebody is asked', async ({ connect }) => {
  let told = 0;
  const client = await connect(async () => {
    await untilTrue(() => told > 0);
    return { action: 'accept', content: { host: 'web-1' } };
  });
  const onprogress = (): void => {
    told += 1;
  };
  const result = await client.callTool(sitting.call, { onprogress });
  await client.close();
  expect(result).toMatchObject({ structuredContent: { exit_code: 0 } });
});

test.each(EARLIER)(
  'in $era a call for many hosts asks for those of them that ask, in its course',
  async ({ connect }) => {
    const forms: Form[] = [];
    const client = await connect(async form => {
      forms.push(form);
      return { action: 'accept', content: { host: 'web-1' } };
    });
    const { host: _host, ...rest } = sitting.call.arguments;
    const result = await client.callTool({ name: 'ssh_exec', arguments: { ...rest, hosts: ['web-1', 'web-2'] } });
    await client.close();
    expect(result).toMatchObject({
      structuredContent: {
        results: [
          { host: 'web-1', exit_code: 0 },
          { host: 'web-2', exit_code: 0 },
        ],
      },
    });
    expect(forms.map(({ message }) => message.split(':')[0])).toEqual(['web-1']);
    expect(sitting.runs()).toBe(2);
  },
);
