/** The days of the week, as a rule names them. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** Two times of the day; the second may be the smaller one, and is then on the next day. `24:00` is the day's end. */
export const HOURS = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** A time window as it is written. */
export type RawWhen = {
  readonly days?: readonly (typeof DAYS)[number][] | undefined;
  readonly hours?: string | undefined;
  readonly tz?: string | undefined;
  readonly not_before?: string | undefined;
  readonly not_after?: string | undefined;
};

/** Whether a rule is in force at a time in epoch milliseconds. */
export type InForce = (at: number) => boolean;

const NAMES: readonly string[] = DAYS;
const DAY_MINUTES = 24 * 60;

/** Whether there is such a time zone. */
export const isZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/**
 * A time window; one over midnight belongs to the day on which it begins. The end of `hours` is not in it, `not_before`
 * and `not_after` are. The answer for days and hours is kept for the minute.
 */
export const compileWhen = (raw: RawWhen | undefined): InForce => {
  if (raw === undefined) return () => true;
  const earliest = raw.not_before === undefined ? Number.NEGATIVE_INFINITY : Date.parse(raw.not_before);
  const latest = raw.not_after === undefined ? Number.POSITIVE_INFINITY : Date.parse(raw.not_after);
  const isOpen = raw.days === undefined && raw.hours === undefined ? () => true : kept(weekly(raw));
  return at => at >= earliest && at <= latest && isOpen(at);
};

const kept = (isOpen: InForce): InForce => {
  let [minute, answer] = [Number.NaN, false];
  return at => {
    const now = Math.floor(at / 60_000);
    if (now !== minute) [minute, answer] = [now, isOpen(at)];
    return answer;
  };
};

const weekly = ({ days = DAYS, hours = '00:00-24:00', tz = 'UTC' }: RawWhen): InForce => {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: tz,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const [, from = '', to = ''] = HOURS.exec(hours) ?? [];
  const [start, end] = [minutesOf(from), minutesOf(to)];
  const on = new Set<number>(days.map(day => DAYS.indexOf(day)));
  const overnight = end <= start;
  return at => {
    const { day, minutes } = readClock(clock, at);
    if (!overnight) return on.has(day) && minutes >= start && minutes < end;
    return (on.has(day) && minutes >= start) || (on.has((day + 6) % 7) && minutes < end);
  };
};

const minutesOf = (text: string): number => {
  const [hours, minutes] = text.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
};

const readClock = (clock: Intl.DateTimeFormat, at: number): { readonly day: number; readonly minutes: number } => {
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = NAMES.indexOf(parts.get('weekday')?.toLowerCase() ?? '');
  const minutes = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  return { day, minutes: minutes % DAY_MINUTES };
};
