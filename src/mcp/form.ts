import type { ClientAnswer, Question } from '../gate/asking.ts';

type Unable = Extract<ClientAnswer, { kind: 'unable' | 'refused' }>;

/** Why a client cannot be asked this, by what it declared and what would be shown; undefined when it can. */
export const unaskable = (capabilities: unknown, question: Question): Unable | undefined =>
  fills(capabilities)
    ? unshowable(question)
    : { kind: 'unable', why: 'It declares no form elicitation, so nobody would see the question.' };

/** `elicitation: {}` means forms: 2025-06-18 has no other mode. */
const fills = (capabilities: unknown): boolean => {
  const declared = isObject(capabilities) ? capabilities.elicitation : undefined;
  return isObject(declared) && (declared.form !== undefined || declared.url === undefined);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A question as `elicitation/create` puts it: in form mode, which is what a client takes when none is named. */
export type Form = {
  readonly message: string;
  readonly requestedSchema: {
    readonly type: 'object';
    readonly properties: {
      readonly host: {
        readonly type: 'string';
        readonly title: string;
        readonly description: string;
        readonly minLength: 1;
      };
    };
    readonly required: ['host'];
  };
};

/** Why a client must not be asked this, and what else to do; undefined when what it shows at once is all that matters. */
const unshowable = ({ gist }: Question): Unable | undefined =>
  gist === undefined
    ? {
        kind: 'unable',
        why: 'It takes more lines than every client shows at once.',
        next: 'Make it shorter, in several calls, or ask the operator to run it.',
      }
    : undefined;

/**
 * The form for a question: what would be done comes first, then the whole of it. The one field is required and has neither a
 * default nor choices, so that no client can fill it in by itself.
 */
export const formOf = ({ gist = [], lines, host, tool, expiresInMs }: Question): Form => ({
  message: [...gist, `Answer within ${spanOf(expiresInMs)}. In full:`, ...lines].join('\n'),
  requestedSchema: {
    type: 'object',
    properties: {
      host: {
        type: 'string',
        title: host === tool ? 'Tool' : 'Host',
        description: `Type ${host} to allow exactly this.`,
        minLength: 1,
      },
    },
    required: ['host'],
  },
});

const spanOf = (ms: number): string => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);

/**
 * What the answer to the form says. Only the name typed exactly is a yes: some clients accept forms by themselves, and what they
 * fill in is nothing.
 */
export const verdictOn = (question: Question, action: string, content: unknown): ClientAnswer => {
  if (action === 'decline') return { kind: 'declined' };
  if (action === 'cancel') return { kind: 'silent' };
  if (action !== 'accept') return { kind: 'refused', why: 'What the client answered is no answer to a form.' };
  const typed = isObject(content) && Object.hasOwn(content, 'host') ? content.host : undefined;
  if (typed === question.host) return { kind: 'accepted' };
  const how = typed === undefined || typed === '' ? 'without a name' : 'with another name';
  return { kind: 'refused', why: `The form was accepted ${how}: only the name that it asks for is a yes.` };
};
