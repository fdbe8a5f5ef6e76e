import type { InputRequiredResult, Server, ServerContext } from '@modelcontextprotocol/server';
import { Failure } from '../errors.ts';
import type { Asker } from '../gate/asking.ts';
import type { After } from '../ssh/timer.ts';
import { AGAIN, askAlone, askLater } from './ask-later.ts';
import { askNow } from './ask-now.ts';
import type { Bound, Seal } from './seal.ts';

/** How the client of one call is asked. */
export type Desk = {
  readonly asker: (part: boolean) => Asker;
  /** The question that the call is answered with instead of a failure, when it failed for want of that answer alone. */
  readonly question: (failure: Failure) => InputRequiredResult | undefined;
};

type Means = {
  readonly seal: Seal;
  readonly bound: Bound;
  readonly after: After;
  readonly progress: (message: string) => void;
};

/** The first revision in which a server sends no requests. */
const LATER = '2026-07-28';

/** The desk of a call, by the revision that its client speaks; or the failure of a call with a state that is not for it. */
export const deskOf = (server: Server, context: ServerContext, means: Means): Desk | Failure => {
  if ((server.getNegotiatedProtocolVersion() ?? '') < LATER) {
    const ask = askNow(server, context, means);
    return { asker: () => ask, question: () => undefined };
  }
  const { seal, bound } = means;
  const state = context.mcpReq.requestState<string>();
  const opened = state === undefined ? undefined : seal.open(state, bound);
  if (opened !== undefined && opened.kind !== 'open') return unopened(opened.kind);
  const later = askLater(context, opened?.claim);
  return {
    asker: part => (part ? askAlone : later.ask),
    question: ({ code }) => (code === 'APPROVAL_REQUIRED' ? later.question(seal, bound) : undefined),
  };
};

const unopened = (kind: 'expired' | 'foreign'): Failure => {
  const { code, says } = UNOPENED[kind];
  // The rule that the record names for it.
  return new Failure(code, says, { next: AGAIN, details: { rule: '(requestState)', decision: 'deny' } });
};

const UNOPENED = {
  expired: { code: 'APPROVAL_EXPIRED', says: 'The question that this answers has expired.' },
  foreign: {
    code: 'APPROVAL_DECLINED',
    says: 'The requestState of this call was not given out for it: it was changed, is of another call, or of a server that has ended.',
  },
} as const;
