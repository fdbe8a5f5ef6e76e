import { compilePath } from '../synopsis/path.ts';
import { actionsOf } from './action.ts';
import type { RawRule } from './schema.ts';

type Doubt = { readonly key: 'paths' | 'limits'; readonly message: string };

/** Files by which it is decided who logs in, and what runs. */
const TELLING = [
  '/root/.ssh/authorized_keys',
  '/home/x/.ssh/authorized_keys',
  '/home/x/.bashrc',
  '/etc/cron.d/x',
  '/etc/sudoers.d/x',
  '/etc/systemd/system/x.service',
  '/etc/ld.so.preload',
  '/usr/local/bin/x',
  '/var/spool/cron/crontabs/x',
];

/** What a rule about files opens beside what its author had in mind; `denies` are the document's denies. */
export const ofFiles = (rule: RawRule, denies: readonly RawRule[]): readonly Doubt[] => {
  if (rule.effect === 'deny') return [];
  const actions = actionsOf(rule);
  const where = rule.hosts === undefined ? 'on every host' : `on ${rule.hosts.join(', ')}`;
  const counts = rule.limits?.some(limit => limit.increment_from === 'args.size') === true;
  const reads = actions.includes('read') && means(rule, '/any/file') && !isDenied(denies, 'read', '/any/file');
  const open = actions.includes('write') ? openTo(rule, denies) : undefined;
  return [
    ...(reads
      ? [{ key: 'paths' as const, message: `lets any file be read, keys and passwords among them, ${where}` }]
      : []),
    ...(open === undefined ? [] : [{ key: 'paths' as const, message: `${open}, ${where}` }]),
    ...(counts && actions.includes('exec')
      ? [{ key: 'limits' as const, message: 'counts args.size, which a command does not have: none would be granted' }]
      : []),
  ];
};

const openTo = (rule: RawRule, denies: readonly RawRule[]): string | undefined => {
  const open = TELLING.filter(path => means(rule, path) && !isDenied(denies, 'write', path));
  if (open.length === TELLING.length)
    return 'lets any file be written, those that decide who logs in and what runs among them';
  return open.length === 0
    ? undefined
    : `lets files be written that decide who logs in or what runs, such as ${open[0]}`;
};

const isDenied = (denies: readonly RawRule[], action: string, path: string): boolean =>
  denies.some(
    rule =>
      rule.hosts === undefined &&
      rule.users === undefined &&
      rule.when === undefined &&
      actionsOf(rule).includes(action) &&
      means(rule, path),
  );

const means = ({ paths = ['/**'] }: RawRule, path: string): boolean =>
  paths.some(text => {
    const pattern = compilePath(text);
    return typeof pattern !== 'string' && pattern.test(path);
  });
