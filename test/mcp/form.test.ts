import { expect, test } from 'vitest';
import type { ClientAnswer, Question } from '../../src/gate/asking.ts';
import { formOf, unaskable, verdictOn } from '../../src/mcp/form.ts';

const QUESTION: Question = {
  id: `ap_${'A'.repeat(22)}`,
  grant: 'local',
  tool: 'ssh_exec',
  host: 'web-1',
  lines: ['host: web-1', 'account: deploy at 10.0.0.5 port 22', 'command: systemctl restart nginx'],
  gist: ['web-1: runs a command as deploy at 10.0.0.5 port 22', 'command: systemctl restart nginx'],
  rule: '/rules/2',
  reason: 'Restarts are asked for.',
  policy: `sha256:${'1'.repeat(64)}`,
  digest: `sha256:${'2'.repeat(64)}`,
  terms: { by: 'client', approvers: 1, expiresMs: 300_000, uses: 1, ttlMs: 300_000 },
  expiresAt: 1_767_225_900_000,
  expiresInMs: 300_000,
};

test('a form says first what would be done, then the whole of it, and asks for the name alone', () => {
  expect(formOf(QUESTION)).toEqual({
    message: [
      'web-1: runs a command as deploy at 10.0.0.5 port 22',
      'command: systemctl restart nginx',
      'Answer within 5 min. In full:',
      'host: web-1',
      'account: deploy at 10.0.0.5 port 22',
      'command: systemctl restart nginx',
    ].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: {
        host: { type: 'string', title: 'Host', description: 'Type web-1 to allow exactly this.', minLength: 1 },
      },
      required: ['host'],
    },
  });
});

test('where no host is touched the name of the tool is asked for', () => {
  const { properties } = formOf({ ...QUESTION, host: 'ssh_exec' }).requestedSchema;
  expect(properties.host).toMatchObject({ title: 'Tool', description: 'Type ssh_exec to allow exactly this.' });
});

test('less than two minutes are said in seconds', () => {
  expect(formOf({ ...QUESTION, expiresInMs: 89_700 }).message).toContain('Answer within 90 s.');
});

const YES: ClientAnswer = { kind: 'accepted' };
const NO_NAME: ClientAnswer = {
  kind: 'refused',
  why: 'The form was accepted without a name: only the name that it asks for is a yes.',
};
const OTHER_NAME: ClientAnswer = {
  kind: 'refused',
  why: 'The form was accepted with another name: only the name that it asks for is a yes.',
};

test.each<[string, string, unknown, ClientAnswer]>([
  ['the name', 'accept', { host: 'web-1' }, YES],
  ['the name beside something else', 'accept', { host: 'web-1', remember: true }, YES],
  ['nothing', 'accept', undefined, NO_NAME],
  ['null', 'accept', null, NO_NAME],
  ['an empty form', 'accept', {}, NO_NAME],
  ['an empty name', 'accept', { host: '' }, NO_NAME],
  ['the name inherited', 'accept', Object.create({ host: 'web-1' }), NO_NAME],
  ['yes', 'accept', { host: 'yes' }, OTHER_NAME],
  ['a tick', 'accept', { host: true }, OTHER_NAME],
  ['the name in a list', 'accept', { host: ['web-1'] }, OTHER_NAME],
  ['the name with a blank', 'accept', { host: 'web-1 ' }, OTHER_NAME],
  ['the name in capitals', 'accept', { host: 'WEB-1' }, OTHER_NAME],
  ['another host', 'accept', { host: 'web-10' }, OTHER_NAME],
  ['a list for a form', 'accept', ['web-1'], NO_NAME],
  ['no, with the name', 'decline', { host: 'web-1' }, { kind: 'declined' }],
  ['dismissed, with the name', 'cancel', { host: 'web-1' }, { kind: 'silent' }],
  [
    'a word that is none of the three',
    'approve',
    { host: 'web-1' },
    { kind: 'refused', why: 'What the client answered is no answer to a form.' },
  ],
])('%s is understood', (_title, action, content, verdict) => {
  expect(verdictOn(QUESTION, action, content)).toEqual(verdict);
});

test.each<[string, unknown, boolean]>([
  ['forms', { elicitation: { form: {} } }, true],
  ['forms and pages', { elicitation: { form: {}, url: {} } }, true],
  ['elicitation as 2025-06-18 has it', { elicitation: {} }, true],
  ['pages alone', { elicitation: { url: {} } }, false],
  ['roots alone', { roots: {} }, false],
  ['nothing', {}, false],
  ['no capabilities', undefined, false],
  ['elicitation that is no object', { elicitation: true }, false],
])('a client that declares %s can be asked, or cannot', (_title, capabilities, can) => {
  const unable = { kind: 'unable', why: 'It declares no form elicitation, so nobody would see the question.' };
  expect(unaskable(capabilities, QUESTION)).toEqual(can ? undefined : unable);
});

test('what takes more lines than every client shows is not asked of one', () => {
  expect(unaskable({ elicitation: {} }, { ...QUESTION, gist: undefined })).toEqual({
    kind: 'unable',
    why: 'It takes more lines than every client shows at once.',
    next: 'Make it shorter, in several calls, or ask the operator to run it.',
  });
});
