import type { Slot, Slots } from './slots.ts';
import type { Hit, Window } from './window.ts';

/**
 * Where counts are kept: one text for a name, read and written inside one transaction. `life` says after which moment,
 * by both clocks, the text means nothing any more.
 */
export type Pages = {
  readonly get: (name: string) => string | undefined;
  readonly put: (name: string, text: string, life: Life) => void;
};

/** When a page may be thrown away: after both moments, or after the wall's when the boot is another. */
export type Life = { readonly bootId: string; readonly untilAt: number; readonly wallUntilAt: number };

type Row = readonly [string, number, number, number];

const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
const isRow = (value: unknown): value is Row =>
  Array.isArray(value) && value.length === 4 && typeof value[0] === 'string' && value.slice(1).every(isCount);

/** A page that nobody of ours wrote. */
const damaged = (name: string): Error => new Error(`the count of ${JSON.stringify(name)} is damaged`);

const parse = (name: string, text: string): { bootId: string; rows: readonly Row[] } => {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw damaged(name);
  const [bootId, ...rows]: unknown[] = value;
  if (typeof bootId !== 'string' || !rows.every(isRow)) throw damaged(name);
  if (rows.some(row => row[3] <= 0)) throw damaged(name);
  return { bootId, rows };
};

/** Reads a window; a damaged one throws, for a guess would be a gift. */
export const readWindow = (pages: Pages, name: string): Window | undefined => {
  const text = pages.get(name);
  if (text === undefined) return undefined;
  const { bootId, rows } = parse(name, text);
  return { bootId, hits: rows.map(([id, at, wallAt, amount]): Hit => ({ id, at, wallAt, amount })) };
};

/** Keeps a window until its last hit has expired. */
export const writeWindow = (pages: Pages, name: string, window: Window, windowMs: number): void => {
  const rows = window.hits.map((hit): Row => [hit.id, hit.at, hit.wallAt, hit.amount]);
  write(pages, name, window.bootId, rows, windowMs);
};

/** Reads the slots of one limit; damaged ones throw. */
export const readSlots = (pages: Pages, name: string): Slots | undefined => {
  const text = pages.get(name);
  if (text === undefined) return undefined;
  const { bootId, rows } = parse(name, text);
  return {
    bootId,
    slots: rows.map(([id, untilAt, wallUntilAt, amount]): Slot => ({ id, untilAt, wallUntilAt, amount })),
  };
};

/** Keeps the slots until the last lease has run out. */
export const writeSlots = (pages: Pages, name: string, held: Slots): void => {
  const rows = held.slots.map((slot): Row => [slot.id, slot.untilAt, slot.wallUntilAt, slot.amount]);
  write(pages, name, held.bootId, rows, 0);
};

const write = (pages: Pages, name: string, bootId: string, rows: readonly Row[], afterMs: number): void => {
  const untilAt = Math.max(0, ...rows.map(row => row[1])) + afterMs;
  const wallUntilAt = Math.max(0, ...rows.map(row => row[2])) + afterMs;
  pages.put(name, JSON.stringify([bootId, ...rows]), { bootId, untilAt, wallUntilAt });
};
