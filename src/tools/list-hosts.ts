import * as z from 'zod';
import type { Observe, Target } from '../call.ts';
import type { Gate } from '../gate/gate.ts';
import type { HostView } from '../ssh/views.ts';
import { hosts } from './fields.ts';
import { hostsOf, namesNothing, type Roll } from './roll.ts';
import { cost, PIECE_CHARS } from './shown.ts';
import { defineTool } from './tool.ts';

const hostShape = z.strictObject({
  name: z.string(),
  user: z.string(),
  address: z.string(),
  port: z.number(),
  tags: z.array(z.string()),
  state: z.enum(['idle', 'connecting', 'ready', 'closed']),
  key: z.enum(['pinned', 'known', 'unknown', 'changed', 'revoked']),
  via: z.string().optional(),
  transport: z.literal('openssh').optional(),
});

const mayShape = z.strictObject({
  hosts: z.array(z.string()),
  runs: z
    .enum(['anything', 'most', 'some', 'nothing'])
    .describe('most: any command but what rules or conditions refuse; some: certain commands, of these programs too.'),
  programs: z.array(z.string()).optional().describe('Programs of which some command may run now, without approval.'),
  more_programs: z.number().optional(),
  reads: z.array(z.string()).optional().describe('Files that ssh_download may read now, but what a rule denies.'),
  writes: z.array(z.string()).optional().describe('Files that ssh_upload may write now, but what a rule denies.'),
  more_files: z.number().optional(),
});

const output = z.strictObject({
  hosts: z.array(hostShape),
  may_run: z
    .array(mayShape)
    .describe('What ssh_exec may run where, by the policy in force now; limits count beside it.'),
  sets: z.record(z.string(), z.number()).describe('Sets of the policy, for ssh_exec hosts: how many hosts each has.'),
  omitted: z.number().optional().describe('Hosts that are left out here: ask for them by name, set or tag.'),
});

type Listed = z.output<typeof output>;

/** `ssh_list_hosts`: what may be reached, and what may run there. */
export const listHosts = defineTool({
  name: 'ssh_list_hosts',
  title: 'List the hosts',
  description:
    'Lists the hosts: user, address, tags, connection, whether the host key is known, and what may be done there. Connects to none.',
  risk: 'read',
  input: z.strictObject({
    hosts: hosts.optional().describe('Only these: names, sets, "tag:NAME".'),
  }),
  output,
  action: (): Observe => ({ kind: 'observe', what: 'hosts' }),
  run: async (permit, { fleet, gate }, _moment, args) => {
    const grant = permit.grant;
    const views = await fleet.hosts(permit);
    const roll = { targets: fleet.directory.targets(), sets: gate.sets() };
    const wanted = args.hosts === undefined ? undefined : new Set(args.hosts.flatMap(entry => meant(entry, roll)));
    const chosen = wanted === undefined ? views : views.filter(({ name }) => wanted.has(name));
    const shown = chosen.slice(0, fitting(chosen));
    const names = new Set(shown.map(({ name }) => name));
    const targets = roll.targets.filter(({ host }) => names.has(host));
    return {
      hosts: shown.map(view => ({ ...view, tags: [...view.tags] })),
      may_run: mayRun(targets, target => ({ ...gate.outlook(grant, target), ...gate.files(grant, target) })),
      sets: Object.fromEntries(
        [...roll.sets.keys()].slice(0, MOST_SETS).map(name => [name, hostsOf(name, roll).length]),
      ),
      ...(shown.length === chosen.length ? {} : { omitted: chosen.length - shown.length }),
    };
  },
  text: out => [...hostLines(out), ...mayLines(out), ...setLines(out)].join('\n'),
});

const meant = (entry: string, roll: Roll): readonly string[] => {
  const names = hostsOf(entry, roll);
  if (names.length === 0) throw namesNothing(entry, roll);
  return names;
};

/** What is left of a result when each host is listed in both places has room for what they may run. */
const HOST_CHARS = Math.floor(PIECE_CHARS * 0.6);

/** How many of the first fit. */
const fitting = (views: readonly HostView[]): number => {
  let left = HOST_CHARS;
  const last = views.findIndex(view => {
    left -= cost(JSON.stringify(view)) + cost(view.name);
    return left < 0;
  });
  return last === -1 ? views.length : last;
};

type Look = ReturnType<Gate['outlook']> & ReturnType<Gate['files']>;

/** Names of programs, and characters of patterns of files, over all groups. */
const MOST_PROGRAMS = 300;
const MOST_PATTERN_CHARS = 3_000;
const LEAST_PROGRAMS = 3;
const MOST_SETS = 50;

/** Hosts of which the same can be said stand together. */
const mayRun = (targets: readonly Target[], look: (target: Target) => Look): Listed['may_run'] => {
  const groups = new Map<string, { readonly outlook: Look; readonly hosts: string[] }>();
  for (const target of targets) {
    const outlook = look(target);
    const key = JSON.stringify(outlook);
    const group = groups.get(key) ?? { outlook, hosts: [] };
    groups.set(key, group);
    group.hosts.push(target.host);
  }
  const most = Math.max(LEAST_PROGRAMS, Math.floor(MOST_PROGRAMS / groups.size));
  const chars = Math.floor(MOST_PATTERN_CHARS / groups.size);
  return [...groups.values()].map(({ outlook, hosts }) => {
    const files = filesOf(outlook, chars);
    if (outlook.runs !== 'some') return { hosts, runs: outlook.runs, ...files };
    const { runs, programs } = outlook;
    const more = programs.length - most;
    return { hosts, runs, programs: programs.slice(0, most), ...(more > 0 ? { more_programs: more } : {}), ...files };
  });
};

/** The patterns that fit, of each kind into half. */
const filesOf = (
  { reads, writes }: Look,
  chars: number,
): Pick<Listed['may_run'][number], 'reads' | 'writes' | 'more_files'> => {
  const [shownReads, shownWrites] = [fittingIn(reads, chars / 2), fittingIn(writes, chars / 2)];
  const more = reads.length + writes.length - shownReads.length - shownWrites.length;
  return {
    ...(shownReads.length === 0 ? {} : { reads: shownReads }),
    ...(shownWrites.length === 0 ? {} : { writes: shownWrites }),
    ...(more > 0 ? { more_files: more } : {}),
  };
};

const fittingIn = (texts: readonly string[], chars: number): string[] => {
  let left = chars;
  const last = texts.findIndex(text => {
    left -= cost(text) + 3;
    return left < 0;
  });
  return texts.slice(0, last === -1 ? texts.length : last);
};

const hostLines = ({ hosts, omitted }: Listed): readonly string[] => {
  if (hosts.length === 0) return ['No hosts are configured. The operator adds them to config.json.'];
  const lines = hosts.map(view => {
    const tags = view.tags.length === 0 ? '' : ` [${view.tags.join(', ')}]`;
    const via = view.via === undefined ? '' : `, via ${view.via}`;
    const by = view.transport === undefined ? '' : `, by ${view.transport}`;
    return `${view.name}: ${view.user}@${view.address}:${view.port}${tags}, ${view.state}, host key ${view.key}${via}${by}`;
  });
  return omitted === undefined ? lines : [...lines, `and ${omitted} more: ask for them by name, set or tag`];
};

const WORDS = {
  anything: 'may run any command',
  most: 'may run any command but what rules or conditions refuse',
  nothing: 'nothing may run',
} as const;

const mayLines = ({ may_run }: Listed): readonly string[] =>
  may_run.map(({ hosts, runs, programs = [], more_programs: more, reads, writes, more_files: moreFiles }) =>
    [
      `${hosts.join(', ')}: ${runs === 'some' ? `may run certain commands of ${programs.join(', ')}` : WORDS[runs]}`,
      ...(more === undefined ? [] : [`, and ${more} more programs`]),
      ...(reads === undefined ? [] : [`; transfers may read ${reads.join(', ')}`]),
      ...(writes === undefined ? [] : [`; transfers may write ${writes.join(', ')}`]),
      ...(moreFiles === undefined ? [] : [`; and ${moreFiles} more patterns of files`]),
    ].join(''),
  );

const setLines = ({ sets }: Listed): readonly string[] => {
  const names = Object.entries(sets).map(([name, count]) => `${name} (${count})`);
  return names.length === 0 ? [] : [`sets: ${names.join(', ')}`];
};
