import { InvalidFile } from '../errors.ts';
import { canonical } from '../text/canonical.ts';
import { withMember, withoutMember } from '../text/json-edit.ts';
import { readJson } from '../text/json-source.ts';

/** A host as config.json writes it: JSON values alone. */
export type Written = Readonly<Record<string, unknown>>;

/** One host more, or one less. */
export type Edit =
  | { readonly change: 'add'; readonly name: string; readonly entry: Written }
  | { readonly change: 'remove'; readonly name: string };

/** Why a file cannot be edited so: the name is there already, or it is not there. */
export class NotEdited extends Error {
  override readonly name = 'NotEdited';
  readonly why: 'taken' | 'absent';

  constructor(why: 'taken' | 'absent', name: string) {
    super(`${JSON.stringify(name)} is ${why}`);
    this.why = why;
  }
}

const FIRST = '{\n  // Hosts by the names that agents use. A secret is never written here, only where it lies.\n}\n';

/**
 * The text of a configuration with exactly this host more or less, and every other byte as it was; without a text, of a
 * first one. Throws `NotEdited`, or `InvalidFile` for a text that is no JSON.
 */
export const edited = (before: string | undefined, file: string, edit: Edit): string => {
  const whole = before ?? FIRST;
  const mark = whole.startsWith('\uFEFF') ? '\uFEFF' : '';
  const text = whole.slice(mark.length);
  const value = contentOf(text, file);
  const hosts = isObject(value.hosts) ? value.hosts : {};
  if (edit.change === 'add' && Object.hasOwn(hosts, edit.name)) throw new NotEdited('taken', edit.name);
  if (edit.change === 'remove' && !Object.hasOwn(hosts, edit.name)) throw new NotEdited('absent', edit.name);
  const after = apply(text, edit, value.hosts === undefined) ?? '';
  const { [edit.name]: _gone, ...rest } = hosts;
  const wanted = { ...value, hosts: edit.change === 'add' ? { ...hosts, [edit.name]: edit.entry } : rest };
  if (canonical(contentOf(after, file)) !== canonical(wanted)) throw new Error(`${file} could not be edited safely`);
  return `${mark}${after}`;
};

/** The hosts of a configuration's text as they are written. */
export const entriesIn = (text: string | undefined, file: string): Readonly<Record<string, Written>> => {
  const { hosts } = contentOf((text ?? FIRST).replace(/^\uFEFF/, ''), file);
  return Object.fromEntries(Object.entries(isObject(hosts) ? hosts : {}).filter(hasObject));
};

const hasObject = (member: [string, unknown]): member is [string, Written] => isObject(member[1]);

const isObject = (value: unknown): value is Written =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const contentOf = (text: string, file: string): Written => {
  const source = readJson(text, file);
  const { value, problems } = source;
  if (problems.length > 0) throw new InvalidFile(problems);
  if (!isObject(value)) throw new InvalidFile([source.problem([], 'must be an object')]);
  if (value.hosts === undefined || isObject(value.hosts)) return value;
  throw new InvalidFile([source.problem(['hosts'], 'must be an object')]);
};

const apply = (text: string, edit: Edit, isFirst: boolean): string | undefined => {
  if (edit.change === 'remove') return withoutMember(text, ['hosts'], edit.name);
  const base = isFirst ? withMember(text, [], 'hosts', {}) : text;
  return base === undefined ? undefined : withMember(base, ['hosts'], edit.name, edit.entry);
};
