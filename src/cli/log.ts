import type { Log } from '../call.ts';
import { type Io, visible } from './io.ts';
import { LOG_LEVELS, type LogLevel } from './options.ts';

/** Lines on stderr for the operator: time, level, message, fields as JSON; nothing below `level`. */
export const logTo = (io: Pick<Io, 'stderr' | 'clock'>, level: LogLevel): Log => {
  const least = LOG_LEVELS.indexOf(level);
  return (at, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(at) > least) return;
    const time = new Date(io.clock.wallMs()).toISOString();
    const rest = Object.keys(fields).length === 0 ? '' : ` ${lined(JSON.stringify(fields))}`;
    io.stderr.write(`${time} ${at.padEnd(5)} sallyport: ${lined(message)}${rest}\n`);
  };
};

/** One record is one line. */
const lined = (text: string): string => visible(text).replaceAll('\n', '\\n');
