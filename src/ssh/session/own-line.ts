import type { Run } from '../../call.ts';
import { MARK_NAME } from '../command/mark.ts';
import type { Line } from '../fleet.ts';
import { ENV_BYTES, type Kept } from './keep.ts';

/** A line that the session did by itself, and the session after it. */
export type Done = { readonly kept: Kept; readonly line: Line };

/** What the session answers to a line that it did by itself. */
export const done = (code: number, stdout = '', stderr = ''): Line => ({ kind: 'done', code, stdout, stderr });

/** Keeps variables beside those that the line was judged with; a name without a value is exported already, if it is set at all. */
export const exportInto = (
  kept: Kept,
  variables: ReadonlyMap<string, string | undefined>,
  judged: Run['env'],
): Done => {
  if (variables.has(MARK_NAME)) return { kept, line: done(1, '', `export: ${MARK_NAME}: is set by the server\n`) };
  const given = [...variables].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const env = { ...judged, ...Object.fromEntries(given) };
  if (Buffer.byteLength(JSON.stringify(env)) > ENV_BYTES)
    return { kept, line: done(1, '', `export: a session keeps ${ENV_BYTES} bytes of environment at most\n`) };
  const gone = new Set([...kept.gone].filter(name => !Object.hasOwn(env, name)));
  return { kept: { ...kept, env, gone }, line: done(0) };
};

/** Takes variables away; those of the account only where `mayHide` them from its lines. */
export const unsetFrom = (kept: Kept, names: readonly string[], judged: Run['env'], mayHide: boolean): Done => {
  const env = Object.fromEntries(Object.entries(judged).filter(([name]) => !names.includes(name)));
  if (mayHide) return { kept: { ...kept, env, gone: new Set([...kept.gone, ...names]) }, line: done(0) };
  const foreign = names.filter(name => !Object.hasOwn(judged, name));
  const why = `unset: ${foreign.join(', ')}: not set by this session; env -u NAME runs a program without it\n`;
  return { kept: { ...kept, env }, line: foreign.length === 0 ? done(0) : done(1, '', why) };
};
