import * as z from 'zod';
import { strict } from '../../text/schema-problems.ts';
import { DAYS, HOURS, isZone } from './when.ts';

const moment = z.iso.datetime({ offset: true, error: 'must be a time with its zone, such as "2026-12-20T00:00:00Z"' });

const isMoment = (text: string | undefined): text is string => moment.safeParse(text).success;

/** When a rule is in force. */
export const when = strict({
  days: z.array(z.enum(DAYS)).min(1).optional(),
  hours: z.string().regex(HOURS, 'must be two times of the day, such as "08:00-18:00"').optional(),
  tz: z.string().refine(isZone, 'is not a time zone that is known here, such as "Europe/Berlin"').optional(),
  not_before: moment.optional(),
  not_after: moment.optional(),
}).superRefine((value, context) => {
  const { days, hours, not_before, not_after } = value;
  const told = [days, hours, not_before, not_after].some(each => each !== undefined);
  if (!told) context.addIssue({ code: 'custom', message: 'says no days, hours, not_before or not_after' });
  if (isMoment(not_before) && isMoment(not_after) && Date.parse(not_before) > Date.parse(not_after))
    context.addIssue({
      code: 'custom',
      path: ['not_after'],
      message: 'is before not_before: the rule would never be in force',
    });
});
