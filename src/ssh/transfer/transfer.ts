import type { Failure } from '../../errors.ts';
import type { Redaction } from '../../text/redact.ts';

/** Something of a tree that was not copied, by its path below the tree's root (`text/byte-name.ts`). */
export type LeftOut = { readonly path: string; readonly why: Failure };

/** What a transfer came to; `bytes` are those that moved now, and sums are SHA-256 in lower-case hex. */
export type Transferred = {
  readonly host: string;
  readonly direction: 'upload' | 'download';
  /** The real path on the host. */
  readonly remotePath: string;
  /** As it was asked for. */
  readonly localPath?: string;
  readonly bytes: number;
  readonly durationMs: number;
} & (
  | {
      readonly what: 'file';
      readonly size: number;
      /** Of the whole file as it now is at its destination. */
      readonly sha256: string;
      /** How much was there from an earlier transfer, and was verified. */
      readonly resumedFrom?: number;
    }
  | {
      readonly what: 'text';
      /** Of the whole file, as the host says. */
      readonly size: number;
      readonly offset: number;
      readonly content: Buffer;
      /** Of `content`. */
      readonly sha256: string;
      /** What no answer may show of it. */
      readonly redaction: Redaction;
    }
  | {
      readonly what: 'tree';
      /** Copied now. */
      readonly files: number;
      /** There already, with the same size and time of change. */
      readonly unchanged: number;
      readonly folders: number;
      readonly links: number;
      readonly deleted: number;
      /** The first of them, and how many there are: refused by the policy, by either side, or no files at all. */
      readonly leftOut: readonly LeftOut[];
      readonly leftOutCount: number;
    }
);

/** A transfer that is under way, as its grant may see it. */
export type TransferView = {
  readonly host: string;
  readonly direction: 'upload' | 'download';
  readonly remotePath: string;
  readonly bytes: number;
  /** Of all that is to move, where that is known. */
  readonly totalBytes?: number;
  readonly files?: number;
  readonly durationMs: number;
};

/** When to give up, and where to say how far it is. */
export type TransferMoment = { readonly signal?: AbortSignal; readonly progress?: (message: string) => void };
