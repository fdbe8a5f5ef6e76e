import { ProtocolError, SdkError, SdkErrorCode, type Server, type ServerContext } from '@modelcontextprotocol/server';
import type { Asker, ClientAnswer } from '../gate/asking.ts';
import type { After } from '../ssh/timer.ts';
import { formOf, unaskable, verdictOn } from './form.ts';

/** Our own time is the shorter one; a longer one would overflow in Node, and be over at once. */
const LIBRARY_MS = 2 ** 31 - 1;
const TELL_MS = 10_000;

type Means = { readonly after: After; readonly progress: (message: string) => void };

/**
 * Asks with `elicitation/create` while the call waits, as the revisions of 2025 have it. The question is withdrawn when the call
 * is given up, and when its time is over.
 */
export const askNow =
  (server: Server, { mcpReq }: ServerContext, { after, progress }: Means): Asker =>
  async (question, signal, shown) => {
    const unable = unaskable(server.getClientCapabilities(), question);
    if (unable !== undefined) return unable;
    useUpZero(server);
    const late = new AbortController();
    const withdrawn = AbortSignal.any([signal, late.signal]);
    const callOff = after(question.expiresInMs, () => late.abort('nobody answered in time'));
    const hush = keepTelling(() => progress(`${question.host}: waits for the answer to a question`), after);
    try {
      shown();
      const options = { signal: withdrawn, timeout: LIBRARY_MS };
      const { action, content } = await mcpReq.send(
        { method: 'elicitation/create', params: formOf(question) },
        options,
      );
      return verdictOn(question, action, content);
    } catch (error) {
      return withdrawn.aborted ? { kind: 'silent' } : unanswered(error);
    } finally {
      callOff();
      hush();
    }
  };

const pinged = new WeakSet<Server>();

/** The clients of the 2025 line never withdraw request 0, the first that a server sends: a ping has that number. */
const useUpZero = (server: Server): void => {
  if (pinged.has(server)) return;
  pinged.add(server);
  server.ping().catch(() => undefined); // Whether it comes back says nothing about whether anybody can be asked.
};

/** An error is no answer: what the client says in it stays out of what is recorded. */
const unanswered = (error: unknown): ClientAnswer => {
  if (error instanceof ProtocolError)
    return { kind: 'unable', why: `The client answered the question with error ${error.code}.` };
  if (error instanceof SdkError && error.code === SdkErrorCode.InvalidResult)
    return { kind: 'refused', why: 'What the client answered is no answer to a form.' };
  return { kind: 'silent' };
};

/** Says it now and every ten seconds, so that no client takes the call for dead; the result ends that. */
const keepTelling = (tell: () => void, after: After): (() => void) => {
  let callOff = (): void => undefined;
  const again = (): void => {
    tell();
    callOff = after(TELL_MS, again);
  };
  again();
  return () => callOff();
};
