import type { Json, Outcome } from '../../audit/record.ts';
import type { Command } from '../fleet.ts';
import type { End, StopReport } from './end.ts';
import type { Output } from './growing-text.ts';

/** Commands that the operator of this machine has ended: kept apart, as to whoever waits for them a stop is a stop. */
const byOperator = new WeakSet<Command>();

/** Says that it is the operator who stops this one. */
export const stoppedByOperator = (command: Command): void => void byOperator.add(command);

/** How a command ended, as the audit keeps it: output by size and hash, never its bytes. */
export const outcomeOf = async (command: Command): Promise<Outcome> => {
  const end = await command.ended;
  const { durationMs, outputLimit } = command.state();
  return {
    ...endOf(end),
    ...(end.how === 'cancelled' && byOperator.has(command) ? { by: 'operator' } : {}),
    ...(outputLimit === undefined ? {} : { output_limit: outputLimit.maxBytes }),
    duration_ms: Math.round(durationMs),
    stdout: digestOf(command.stdout),
    stderr: digestOf(command.stderr),
  };
};

const endOf = (end: End): Outcome => {
  switch (end.how) {
    case 'exited':
      return { how: end.how, code: end.code, ...(end.outputHeld === true ? { output_held: true } : {}) };
    case 'signalled':
      return { how: end.how, signal: end.signal, ...(end.outputHeld === true ? { output_held: true } : {}) };
    case 'lost':
      return { how: end.unsent === true ? 'failed' : end.how, code: end.why.code };
    default:
      return { how: end.how, stop: reportOf(end.stop) };
  }
};

const reportOf = (report: StopReport): Json => ({
  outcome: report.outcome,
  signals: report.signals,
  remaining: report.remaining.map(({ pid, command }) => ({ pid, command })),
  ...(report.unlisted === undefined ? {} : { unlisted: report.unlisted }),
});

const digestOf = (output: Output): Json => ({ ...output.received() });
