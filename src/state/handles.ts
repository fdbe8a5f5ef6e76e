import type { InTransaction } from './tickets.ts';

/** Something that outlives this process, so that a later one can find it: `text` is the finder's own. */
export type Handle = { readonly id: string; readonly text: string };

/** Handles by grant; what was remembered is on disk when `remember` resolves, also over a power cut. */
export type Handles = {
  readonly remember: (grant: string, handle: Handle) => Promise<void>;
  readonly forget: (grant: string, id: string) => Promise<void>;
  /** Those of one grant, the oldest first. */
  readonly handles: (grant: string) => Promise<readonly Handle[]>;
};

/** How long after the last change of a grant's handles they are kept. */
const KEPT_MS = 30 * 24 * 60 * 60_000;
/** The oldest make room. */
const MOST = 256;

const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  'text' in value &&
  typeof value.id === 'string' &&
  typeof value.text === 'string';

/** Handles on pages of their own. */
export const makeHandles = (inTransaction: InTransaction): Handles => {
  const change = (grant: string, edit: (handles: readonly Handle[]) => readonly Handle[]): Promise<void> =>
    inTransaction(({ pages, now: { bootId, monoMs, wallMs } }) => {
      const name = pageOf(grant);
      const text = JSON.stringify(edit(read(name, pages.get(name))).slice(-MOST));
      pages.put(name, text, {
        bootId,
        untilAt: Math.floor(monoMs + KEPT_MS),
        wallUntilAt: Math.floor(wallMs + KEPT_MS),
      });
    }, true);
  return {
    remember: (grant, handle) => change(grant, handles => [...handles.filter(({ id }) => id !== handle.id), handle]),
    forget: (grant, gone) => change(grant, handles => handles.filter(({ id }) => id !== gone)),
    handles: grant => inTransaction(({ pages }) => read(pageOf(grant), pages.get(pageOf(grant)))),
  };
};

const pageOf = (grant: string): string => `h:${grant}`;

const read = (name: string, text: string | undefined): readonly Handle[] => {
  const value: unknown = text === undefined ? [] : JSON.parse(text);
  if (Array.isArray(value) && value.every(isHandle)) return value;
  throw new Error(`the page ${name} is damaged`);
};
