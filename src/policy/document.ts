import * as z from 'zod';
import { strict } from '../text/schema-problems.ts';
import { approval, type condition, denyIf, fixedLimit, limit, required, sentence } from './fields.ts';
import { NETWORKS } from './networks.ts';
import { HOST_SETS, PACK, RULE, TEST } from './rules/schema.ts';

const tool = strict({
  action: z.enum(['allow', 'deny', 'require_approval']).optional(),
  reason: sentence.optional(),
  require: z.array(required).optional(),
  deny_if: z.array(denyIf).optional(),
  limits: z.array(limit).optional(),
  rate_limit: strict({
    max: z.int().min(0),
    window: z
      .int()
      .min(1)
      .max(366 * 86_400),
  }).optional(),
  approval: approval.optional(),
});

/** A policy document, version 1. */
export const DOCUMENT = strict({
  $schema: z.string().optional(),
  version: z.literal('1'),
  description: z.string().optional(),
  default: z.enum(['allow', 'deny']),
  hide: z.array(z.string()).optional(),
  all_tools: strict({ limits: z.array(fixedLimit).optional() }).optional(),
  tools: z.record(z.string(), tool).optional(),
  hosts: HOST_SETS.optional(),
  networks: NETWORKS.optional(),
  rules: z.array(RULE).optional(),
  packs: z.record(z.string(), PACK).optional(),
  tests: z.array(TEST).optional(),
});

/** A document as it was written, known to be sound. */
export type RawDocument = z.output<typeof DOCUMENT>;
/** What a document says about one tool. */
export type RawTool = z.output<typeof tool>;
/** One condition. */
export type RawCondition = z.output<typeof condition>;
/** Conditions that stand together, or one bare condition. */
export type RawGroup = z.output<typeof denyIf>;
