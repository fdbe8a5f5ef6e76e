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

/**
 * `{ code, message, next, … }`: what a client may branch on. Hosts and agents may have put words into a failure: made safe.
 * No detail can take the place of the code.
 */
export const failureObject = (failure: Failure): Record<string, unknown> => ({
  ...safeDetails(failure.details),
  code: failure.code,
  message: safeText(failure.message),
  next: failure.next,
});

const safeDetails = (details: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(details).map(([key, value]) => [key, safeValue(value)]));

const safeValue = (value: unknown): unknown => {
  if (typeof value === 'string') return safeText(value);
  if (Array.isArray(value)) return value.map(safeValue);
  return typeof value === 'object' && value !== null ? safeDetails(value) : value;
};
