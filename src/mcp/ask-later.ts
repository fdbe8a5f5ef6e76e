import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Asker, Question } from '../gate/asking.ts';
import { formOf, unaskable, verdictOn } from './form.ts';
import type { Bound, Claim, Seal } from './seal.ts';

/** The name of the one question of a call, among its input requests and in the answers to them. */
const KEY = 'approval';

/** Asks by the answer to the call, as 2026-07-28 has it: the client makes the same call again, with what was answered. */
export type AskLater = {
  readonly ask: Asker;
  /** What the call is answered with when its question is still to be put; undefined when there is none. */
  readonly question: (seal: Seal, bound: Bound) => InputRequiredResult | undefined;
};

/** For one call: `claim` says which question it brings an answer to. */
export const askLater = ({ mcpReq }: ServerContext, claim: Claim | undefined): AskLater => {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  let open: Question | undefined;
  const ask: Asker = async (question, _signal, shown) => {
    const unable = unaskable(envelope[CLIENT_CAPABILITIES_META_KEY], question);
    if (unable !== undefined) return unable;
    if (claim !== undefined && (claim.id !== question.id || claim.digest !== question.digest)) return TOO_LATE;
    const response = claim === undefined ? undefined : inputResponse(mcpReq.inputResponses, KEY);
    if (response?.kind === 'elicit') return verdictOn(question, response.action, response.content);
    open = question;
    shown();
    return { kind: 'later' };
  };
  return {
    ask,
    question: (seal, bound) => {
      if (open === undefined) return undefined;
      const inputRequests = { [KEY]: inputRequired.elicit(formOf(open)) };
      return inputRequired({ inputRequests, requestState: seal.close(open, open.expiresInMs, bound) });
    },
  };
};

/** What a call is told that brings an answer to no question that stands, or not for what it asks. */
export const AGAIN = 'Make the call again without requestState and inputResponses: it is asked anew.';

const TOO_LATE = {
  kind: 'refused',
  why: 'It is an answer to a question that was answered, has expired, or is another now.',
  next: AGAIN,
} as const;

/** Of a call for many hosts the parts that need nobody have run: it must not be made again, so nothing is asked in it. */
export const askAlone: Asker = async () => ({
  kind: 'unable',
  why: 'It is a call for many hosts, which cannot be made again to bring an answer.',
  next: 'Call for this host alone, with the same arguments otherwise: that is asked.',
});
