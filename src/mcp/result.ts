import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Failure } from '../errors.ts';
import { safeText } from '../text/safe.ts';
import type { Answer } from '../tools/tool.ts';

/** An answer in both forms, each complete: a client shows its model only one of them. */
export const answerResult = ({ structured, text, failure }: Answer): CallToolResult =>
  failure === undefined
    ? { content: [{ type: 'text', text }], structuredContent: { ...structured } }
    : {
        isError: true,
        content: [{ type: 'text', text: `${safeText(failure.text)}\n${text}` }],
        structuredContent: { ...structured, error: failureObject(failure) },
      };

/** A refusal or failure: one line of text, and the same as an object. */
export const failureResult = (failure: Failure): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: safeText(failure.text) }],
  structuredContent: { error: failureObject(failure) },
});

/** `{ code, message, next, … }`: what a client may branch on. Hosts and agents may have put words into a message: made safe. */
export const failureObject = (failure: Failure): Record<string, unknown> => ({
  code: failure.code,
  message: safeText(failure.message),
  next: failure.next,
  ...failure.details,
});
