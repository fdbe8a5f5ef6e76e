/** A bounded piece of safe text: `next` continues it, `dropped` bytes before it are gone, `more` says that bytes after it are kept. */
export type Piece = {
  readonly text: string;
  readonly from: number;
  readonly next: number;
  readonly dropped: number;
  readonly more: boolean;
};

/** A safe text that grows; cursors are byte offsets into its UTF-8 and stay valid. */
export type GrowingText = {
  /** From `cursor` (or the oldest byte kept), at most `maxBytes`, never inside a character. */
  readonly read: (cursor: number, maxBytes: number) => Piece;
  /** Bytes of safe text so far: the cursor after the last. */
  readonly length: number;
  /** Resolves when bytes arrive after `cursor`, or when the text has ended. */
  readonly grown: (cursor: number) => Promise<void>;
};

/** Raw bytes received, and their SHA-256 so far, or how many secrets of ours were found in what they say. */
export type Received = { readonly bytes: number } & ({ readonly sha256: string } | { readonly redacted: number });

/** One stream's output, made safe to read as it arrives. */
export type Output = GrowingText & {
  readonly received: () => Received;
  /** Whether what came so far is no text. */
  readonly binary: boolean;
};
