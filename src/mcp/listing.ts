import * as z from 'zod';
import type { Risk, Tool } from '../tools/tool.ts';

/** The four hints of a tool, all explicit; they inform clients and enforce nothing (MCP, tool annotations). */
const ANNOTATIONS = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  stop: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  change: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  replace: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  execute: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
} as const satisfies Record<Risk, unknown>;

type JsonObject = { readonly [key: string]: unknown };

/** A tool as `tools/list` shows it; made of constants alone, so that no host and no policy can put words into it. */
export type Listing = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { type: 'object' } & JsonObject;
  readonly outputSchema: { type: 'object' } & JsonObject;
  readonly annotations: (typeof ANNOTATIONS)[Risk] & { readonly title: string };
};

const cache = new WeakMap<Tool, Listing>();

/** The listing of a tool, made once. */
export const listingOf = (tool: Tool): Listing => {
  const known = cache.get(tool);
  if (known !== undefined) return known;
  const listing: Listing = {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: schemaOf(tool.input, 'input', leaveOutLengths),
    outputSchema: withFailure(schemaOf(tool.output, 'output'), tool.forms),
    annotations: { title: tool.title, ...ANNOTATIONS[tool.risk] },
  };
  cache.set(tool, listing);
  return listing;
};

const schemaOf = (
  schema: z.ZodObject,
  io: 'input' | 'output',
  override: (context: { readonly jsonSchema: Schema }) => void = () => undefined,
): { type: 'object' } & JsonObject => {
  const { $schema: _dialect, type: _type, ...rest } = z.toJSONSchema(schema, { io, override });
  return { type: 'object', ...rest };
};

type Schema = z.core.JSONSchema.BaseSchema;

/** Bounds and forms that no caller in good faith misses are not worth their place in every conversation: calls are held to them, and told. */
const leaveOutLengths = ({ jsonSchema }: { readonly jsonSchema: Schema }): void => {
  for (const key of ['minLength', 'maxLength', 'minItems', 'maxItems', 'pattern', 'propertyNames'] as const)
    delete jsonSchema[key];
  if (jsonSchema.minimum === 0 || jsonSchema.minimum === 1) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

const FAILURE_SCHEMA = {
  type: 'object',
  properties: { code: { type: 'string' }, message: { type: 'string' }, next: { type: 'string' } },
  required: ['code', 'message', 'next'],
} as const;

/** Clients of 2025 hold failures against the output schema too, so every output may instead be one `error`. */
const withFailure = (
  schema: { type: 'object' } & JsonObject,
  forms: Tool['forms'],
): { type: 'object' } & JsonObject => {
  const { required = [], properties, ...rest } = schema;
  const own = typeof properties === 'object' ? properties : {};
  return {
    ...rest,
    properties: { ...own, error: FAILURE_SCHEMA },
    anyOf: [...(forms ?? [required]), ['error']].map(members => ({ required: members })),
  };
};
