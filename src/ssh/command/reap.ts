import type { Random } from '../../call.ts';
import { Redaction, redacted } from '../../text/redact.ts';
import { safeLine } from '../../text/safe.ts';
import type { Connection } from '../connection/connection.ts';
import type { After } from '../timer.ts';
import { ask } from './channel.ts';
import type { StopReport } from './end.ts';
import { scriptText } from './launch.ts';
import type { Mark } from './mark.ts';
import { REAP_SCRIPT, REAPER_NAME } from './reap-script.ts';

/** What the reaper found: `proven` when it could see and came to its end, with nothing alive. */
export type Reaped = Pick<StopReport, 'signals' | 'remaining' | 'unlisted'> & { readonly proven: boolean };

/** Milliseconds that INT, TERM and KILL are given before the next step. */
export type Grace = readonly [number, number, number];

/** All three within a second. */
export const GRACE_MS: Grace = [150, 400, 300];
/** What looking takes beside the graces, on a slow host. */
const LOOKING_MS = 5_000;
const COMMAND_CHARS = 200;
/** How many of those that are left are named. */
const MOST_REMAINING = 20;

/** What a look at the far side needs. */
export type Eyes = {
  readonly random: Random;
  readonly after: After;
  readonly graceMs?: Grace;
  readonly redaction?: Redaction;
};

/**
 * Stops every process of a host that carries one of the marks, by the warden who stands there or on
 * the reserved channel; says what was proved, and never rejects.
 */
export const reap = async (connection: Connection, marks: readonly Mark[], eyes: Eyes): Promise<Reaped> => {
  const nonce = eyes.random(8).toString('hex');
  const { graceMs = GRACE_MS } = eyes;
  const words = [...graceMs.map(String), ...marks];
  const deadlineMs = LOOKING_MS + graceMs.reduce((sum, ms) => sum + ms);
  try {
    const said = await connection.warden(marks[0])?.reap(nonce, words, deadlineMs);
    if (said !== undefined && said !== '') return readAnswer(said, nonce, eyes.redaction);
    const text = scriptText(REAP_SCRIPT, [nonce, ...words], { [REAPER_NAME]: nonce });
    const answer = await ask(connection, { text, reserved: true, near: marks[0], deadlineMs, after: eyes.after });
    return readAnswer(answer.stdout.toString('utf8'), nonce, eyes.redaction);
  } catch {
    // A host that cannot be asked proves nothing; why it cannot is the connection's to tell whoever uses it next.
    return { proven: false, signals: [], remaining: [] };
  }
};

/** Reads the lines that begin with the nonce: a startup file of the account may write others. */
export const readAnswer = (text: string, nonce: string, redaction = new Redaction()): Reaped => {
  const lines = text
    .split('\n')
    .filter(line => line.startsWith(`${nonce} `))
    .map(line => line.slice(nonce.length + 1));
  const signals = lines.flatMap(line => /^rung (INT|TERM|KILL)$/.exec(line)?.[1] ?? []);
  const left = lines.flatMap(line => {
    const [, pid, command = ''] = /^left ([1-9]\d{0,9}) ?(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), command }];
  });
  const remaining = left
    .slice(0, MOST_REMAINING)
    .map(({ pid, command }) => ({ pid, command: safeLine(redacted(redaction, command), COMMAND_CHARS) }));
  const complete = lines.at(-1) === 'end' && !lines.includes('blind');
  const answer = { proven: complete && left.length === 0, signals: [...new Set(signals)], remaining };
  return left.length > MOST_REMAINING ? { ...answer, unlisted: left.length - MOST_REMAINING } : answer;
};
