import type { Construct } from './script.ts';

/** A place in a text that moves forward only. */
export type Cursor = { readonly text: string; at: number };

/** What stands in the way, and its offset. */
export type Trouble = { readonly construct: Construct; readonly at: number };
