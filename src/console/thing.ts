import type { GrowingText } from '../ssh/command/growing-text.ts';
import type { Overseen } from '../ssh/overseer.ts';
import { safeLine } from '../text/safe.ts';
import type { OpenThing } from './answers.ts';

const TAIL_BYTES = 512;
const LAST_CHARS = 120;

/** Something open as it is told on a control socket. */
export const thingOf = (one: Overseen): OpenThing => {
  const { status, durationMs, idleMs, cwd, running, progress } = one.look();
  const last = one.output === undefined ? '' : lastLine(one.output);
  return {
    id: one.id,
    kind: one.kind,
    ...(one.mode === undefined ? {} : { mode: one.mode }),
    ...(one.session === undefined ? {} : { session_id: one.session }),
    ...(one.detached === undefined ? {} : { detached: one.detached }),
    grant: one.grant,
    host: one.host,
    status,
    what: one.what,
    duration_ms: Math.round(durationMs),
    ...(idleMs === undefined ? {} : { idle_ms: Math.round(idleMs) }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(running === undefined ? {} : { running }),
    ...(last === '' ? {} : { last_output: last }),
    ...(progress === undefined ? {} : { progress }),
  };
};

/** The last line that says something. */
const lastLine = (output: GrowingText): string => {
  const { text } = output.read(Math.max(0, output.length - TAIL_BYTES), TAIL_BYTES);
  return safeLine(text.trimEnd().split('\n').at(-1) ?? '', LAST_CHARS);
};
