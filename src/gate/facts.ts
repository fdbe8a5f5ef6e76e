import { createHash } from 'node:crypto';
import type { Action, Call } from '../call.ts';
import { hostOf } from '../call.ts';
import type { Policy } from '../policy/decide.ts';
import type { ApprovalTerms, Because } from '../policy/decision.ts';
import { canonical } from '../text/canonical.ts';

/** A JSON value, as it was read or as it will be written. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Everything that is approved, as JSON: who asks, by which tool, what would be done in every detail, the keys by which the host is
 * known, and which rules of which policy ask for whose leave. One that differs in anything is another request.
 */
export type Facts = {
  readonly v: 1;
  readonly grant: string;
  readonly tool: string;
  readonly host: string;
  readonly policy: string;
  readonly rules: readonly { readonly rule: string; readonly reason: string }[];
  readonly by: string;
  readonly approvers: number;
  readonly uses: number;
  readonly ttl_ms: number;
  readonly host_keys: readonly string[];
  /** As the policy lets it run. */
  readonly action: Json;
  /** The program as it was asked for, where the policy has written it anew. */
  readonly asked: Json;
};

/** What a judged call asks leave for. */
export type Judged = {
  readonly call: Call;
  readonly policy: Policy;
  readonly action: Action;
  readonly because: Because;
  readonly terms: ApprovalTerms;
};

/** The facts of a judged call; `hostKeys` are those by which its host would be known now. */
export const factsOf = ({ call, policy, action, because, terms }: Judged, hostKeys: readonly string[]): Facts => ({
  v: 1,
  grant: call.grant,
  tool: call.tool,
  host: hostOf(call.action) ?? call.tool,
  policy: policy.digest,
  rules: because.map(({ rule, reason }) => ({ rule, reason })),
  by: terms.by,
  approvers: terms.approvers,
  uses: terms.uses,
  ttl_ms: terms.ttlMs,
  host_keys: hostKeys.toSorted(),
  action: jsonOf(action),
  asked: 'program' in call.action ? jsonOf(call.action.program) : null,
});

/** `sha256:` over the canonical JSON. */
export const digestOf = (facts: Facts): string =>
  `sha256:${createHash('sha256').update(canonical(facts)).digest('hex')}`;

/** Reads facts that were kept as text; undefined when they are none. Nothing of them is to be believed before the digest is. */
export const readFacts = (text: string): Facts | undefined => {
  const value = parsed(text);
  return isFacts(value) ? value : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // What is no JSON is no facts, as the caller says.
  }
};

const jsonOf = (value: unknown): Json => {
  const json: unknown = JSON.parse(JSON.stringify(value));
  if (!isJson(json)) throw new TypeError('JSON was read and is none');
  return json;
};

const isJson = (value: unknown): value is Json => {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).every(isJson);
};

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value);

const isFacts = (value: unknown): value is Facts => {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return (
    Object.keys(fields).length === NAMES.length &&
    fields.v === 1 &&
    ['grant', 'tool', 'host', 'policy', 'by'].every(name => isText(fields[name])) &&
    ['approvers', 'uses', 'ttl_ms'].every(name => isCount(fields[name])) &&
    Array.isArray(fields.host_keys) &&
    fields.host_keys.every(isText) &&
    Array.isArray(fields.rules) &&
    fields.rules.every(isRule) &&
    isJson(fields.action) &&
    isJson(fields.asked)
  );
};

const NAMES = [
  ...[
    'v',
    'grant',
    'tool',
    'host',
    'policy',
    'rules',
    'by',
    'approvers',
    'uses',
    'ttl_ms',
    'host_keys',
    'action',
    'asked',
  ],
] as const satisfies readonly (keyof Facts | string)[];

const isRule = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length === 2 &&
  'rule' in value &&
  'reason' in value &&
  isText(value.rule) &&
  isText(value.reason);
