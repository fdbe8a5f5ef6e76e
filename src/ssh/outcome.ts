import type { Json, Outcome } from '../audit/record.ts';
import type { End, StopReport } from './end.ts';
import type { Command, Output } from './fleet.ts';

/** How a command ended, as the audit keeps it: output by size and hash, never its bytes. */
export const outcomeOf = async (command: Command): Promise<Outcome> => {
  const end = await command.ended;
  return {
    ...endOf(end),
    duration_ms: Math.round(command.state().durationMs),
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
