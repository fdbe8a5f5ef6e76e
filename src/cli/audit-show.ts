import { existsSync } from 'node:fs';
import { readKey } from '../audit/key.ts';
import { storyOf, type Told } from '../audit/story.ts';
import type { Request } from './commands.ts';
import { counted, EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { placesIn } from './record.ts';

/** `audit show --approvals ID`: everything that is on record about one approval, as it happened; 1 when there is nothing. */
export const auditShow = async (io: Io, { options, flags }: Request): Promise<number> => {
  const id = flags.get('approvals')?.[0];
  if (id === undefined) throw new Usage('audit show needs --approvals ID');
  const places = placesIn(options.paths.state);
  const story = existsSync(places.audit)
    ? await storyOf(places.audit, readKey(places.key, io.uid), id)
    : { records: [], damaged: 0 };
  const { records, damaged } = story;
  if (damaged > 0) say(io, `${counted(damaged, 'line')} of the audit cannot be read: run sallyport audit verify.`);
  if (options.json) writeJson(io, { approval: id, records, damaged });
  else if (records.length === 0) say(io, `The audit says nothing of ${id}.`);
  else
    for (const record of records) print(io, `${record.time}  ${record.event.padEnd(8)}  ${detailOf(record)}`.trimEnd());
  return records.length === 0 ? EXIT.no : EXIT.ok;
};

/** The members that tell of what happened, in this order; the rest is for machines, and in the JSON. */
const MEMBERS = [
  'grant',
  'tool',
  'host',
  'channel',
  'decision',
  'by',
  'code',
  'how',
  'uses',
  'of',
  'note',
  'end',
  'request',
  'call_id',
];

const detailOf = (record: Told): string =>
  MEMBERS.flatMap(name => {
    const value = record[name];
    return value === undefined ? [] : [`${name} ${textOf(value)}`];
  }).join(', ');

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(textOf).join(' and ');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('principal' in value && 'key' in value) return `${String(value.principal)} (${String(value.key)})`;
  return 'how' in value ? String(value.how) : JSON.stringify(value);
};
