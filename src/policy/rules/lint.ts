import type { Problem } from '../../errors.ts';
import type { JsonSource, Path } from '../../text/json-source.ts';
import { nearest } from '../../text/nearest.ts';
import { matchRun } from '../synopsis/path.ts';
import { actionsOf } from './action.ts';
import { grantsAll, programsOf, type Said, speaksOfAll } from './cover.ts';
import { ofFiles } from './file-lint.ts';
import type { RawHostSets, RawPack, RawRule } from './schema.ts';

/** What the lints look at; `hosts` are the configured ones, when they are known. */
export type Reading = {
  readonly rules: readonly Said[];
  readonly sets: RawHostSets;
  /** The document's own packs. */
  readonly packs: Readonly<Record<string, RawPack>>;
  readonly source: JsonSource;
  readonly hosts: readonly string[] | undefined;
  /** The time, when it is known. */
  readonly at: number | undefined;
};

/** What sound rules say that their author should think about. */
export const lintRules = (reading: Reading): readonly Problem[] => {
  const denies = reading.rules.map(({ raw }) => raw).filter(({ effect }) => effect === 'deny');
  return reading.rules.flatMap((said, index) => {
    const { raw: rule } = said;
    const at = ['rules', index];
    const say = (path: Path, message: string): Problem => reading.source.problem([...at, ...path], message);
    return [
      ...ofSynopses(rule.effect, rule.commands).map(({ number, message }) => say(['commands', number], message)),
      ...ofPower(rule).map(({ key, message }) => say(key === '' ? [] : [key], message)),
      ...ofFiles(rule, denies).map(({ key, message }) => say([key], message)),
      ...ofOthers(reading, said).map(message => say(['id'], message)),
      ...ofTime(reading.at, rule.when).map(message => say(['when', 'not_after'], message)),
      ...ofHosts(reading, rule.hosts).map(({ number, message }) => say(['hosts', number], message)),
    ];
  });
};

/** The sets' own entries that no configured host fits. */
export const lintSets = (reading: Reading): readonly Problem[] =>
  Object.entries(reading.sets).flatMap(([name, entries]) =>
    ofHosts(reading, entries).map(({ number, message }) => reading.source.problem(['hosts', name, number], message)),
  );

/** What the document's own packs open, wherever they are named. */
export const lintPacks = ({ packs, source }: Reading): readonly Problem[] =>
  Object.entries(packs).flatMap(([name, { commands }]) =>
    ofSynopses('allow', commands).map(({ number, message }) =>
      source.problem(['packs', name, 'commands', number], message),
    ),
  );

/** Programs for which a word is a program text. */
const INTERPRETERS: ReadonlySet<string> = new Set(
  (
    'sh ash dash bash rbash zsh ksh mksh fish csh tcsh python python2 python3 perl ruby node nodejs deno bun php lua tclsh expect ' +
    'awk gawk mawk nawk sed ed ex vi vim nvim view emacs eval source make mysql psql sqlite3 gdb ssh su runuser script'
  ).split(' '),
);

/** Programs that start, write or open whatever further words say. */
const WRAPPERS: ReadonlySet<string> = new Set(
  (
    'busybox toybox env sudo doas pkexec xargs parallel find nice ionice nohup setsid stdbuf timeout time watch flock chroot unshare ' +
    'nsenter setpriv taskset chrt strace ltrace screen tmux scp sftp rsync nano less more man pager tar zip rpm dpkg apt apt-get yum ' +
    'dnf pip pip3 npm npx yarn pnpm cmake git docker podman kubectl helm systemd-run systemctl journalctl crontab at batch redis-cli ' +
    'openssl curl wget nc ncat socat tcpdump nmap command exec jq sort tee dd'
  ).split(' '),
);

type Doubt = { readonly number: number; readonly message: string };

const ofSynopses = (effect: RawRule['effect'], commands: RawRule['commands']): readonly Doubt[] =>
  (Array.isArray(commands) ? commands : []).flatMap((text, number) => {
    const bare = text.replace(/'[^']*'|"[^"]*"/g, '').replace(/<re:[.][*+]>/g, '*');
    const [program = ''] = bare.trim().split(/\s/);
    const plain = bare.replace(/<[^>]*>/g, '');
    if (effect === 'deny') return plain.includes('*') ? [{ number, message: STAR_IN_DENY }] : [];
    const open = /\*|\.\.\.$/.test(plain.replace(/\S\.\.\.$/, ''));
    const isRisky = (name: string): boolean =>
      INTERPRETERS.has(name) ? open || bare.includes('<any>') : open && WRAPPERS.has(name);
    const name = text.startsWith('@') ? undefined : namesOf(program).find(isRisky);
    return name === undefined ? [] : [{ number, message: `${name} ${OBEYS}` }];
  });

const STAR_IN_DENY = '"*" in a deny stops fewer spellings than it seems to: a deny is no lock, grants are';
const OBEYS = 'runs, writes or opens what its words say, and here they may say anything: write what they may be';

/** A folder before a name changes nothing. */
const namesOf = (program: string): readonly string[] =>
  programsOf(program.replace(/^.*\//, '')).map(name => name.replace(/^.*\//, ''));

const ofPower = (rule: RawRule): readonly { readonly key: string; readonly message: string }[] => {
  if (rule.effect === 'deny') return [];
  const actions = actionsOf(rule);
  const where = rule.hosts === undefined ? 'on every host' : `on ${rule.hosts.join(', ')}`;
  const any = rule.commands === 'any' || (rule.commands === undefined && actions.includes('exec'));
  return [
    ...(any
      ? [{ key: rule.commands === undefined ? 'actions' : 'commands', message: `grants every command, ${where}` }]
      : []),
    ...(actions.includes('shell')
      ? [{ key: 'actions', message: `shell is everything that the account may do, ${where}` }]
      : []),
    ...(actions.includes('configure') && rule.hosts?.some(entry => /^[*?]+$/.test(entry)) === true
      ? [{ key: 'hosts', message: 'lets new hosts have any name, also one that other rules grant more' }]
      : []),
    ...(actions.includes('configure') && !(rule.limits ?? []).some(({ scope }) => scope !== 'host')
      ? [{ key: 'id', message: 'has no limit over all hosts: an agent may add as many as it likes' }]
      : []),
    ...(actions.includes('configure') && rule.addresses?.some(entry => /\/0$/.test(entry)) === true
      ? [{ key: 'addresses', message: 'lets new hosts lie anywhere' }]
      : []),
    ...ofTunnels(rule, actions),
    ...(rule.input === 'any'
      ? [{ key: 'input', message: 'any key is whatever the program that runs can be told to do' }]
      : []),
    ...(rule.detach === true && rule.output !== undefined
      ? [
          {
            key: 'detach',
            message: 'is in vain beside output: nobody would be there to hold the cap, so such work is refused',
          },
        ]
      : []),
    ...(actions.includes('exec') && rule.timeout === undefined
      ? [{ key: 'id', message: 'has no timeout: what it grants runs as long as the call says' }]
      : []),
  ];
};

/** Where tunnels lead is all that stands between an agent and whatever listens in a network. */
const ofTunnels = (rule: RawRule, actions: readonly string[]): readonly { key: string; message: string }[] => {
  if (!actions.includes('forward')) return [];
  const everyPort = rule.ports?.some(entry => entry === '1-65535') === true;
  const everywhere = rule.addresses?.some(entry => /\/0$|^\*$/.test(entry)) === true && !actions.includes('configure');
  return [
    ...(everyPort ? [{ key: 'ports', message: 'lets tunnels lead to everything that listens there' }] : []),
    ...(everywhere
      ? [{ key: 'addresses', message: 'lets tunnels lead to any address, cloud metadata among them' }]
      : []),
    ...(rule.directions?.includes('remote') === true
      ? [{ key: 'directions', message: 'lets everybody on the host connect to what this machine reaches' }]
      : []),
  ];
};

const ofOthers = ({ rules, sets }: Reading, rule: Said): readonly string[] =>
  rules.flatMap((other, index) => {
    if (other === rule) return [];
    const [mine, { effect, id }] = [rule.raw.effect, other.raw];
    if (mine !== 'deny' && effect === 'deny')
      return speaksOfAll(other, rule, sets) ? [`is never reached: the rule ${id} denies all that it grants`] : [];
    if (mine === 'allow' && effect === 'ask')
      return speaksOfAll(other, rule, sets) ? [`never allows by itself: the rule ${id} asks for all of it`] : [];
    if (mine !== effect) return [];
    const covers = mine === 'deny' ? speaksOfAll : grantsAll;
    const mutual = covers(rule, other, sets) && index > rules.indexOf(rule);
    return covers(other, rule, sets) && !mutual ? [`says nothing that the rule ${id} does not say`] : [];
  });

const ofTime = (at: number | undefined, when: RawRule['when']): readonly string[] =>
  at !== undefined && when?.not_after !== undefined && Date.parse(when.not_after) < at
    ? ['is over: the rule is never in force again']
    : [];

/** Tags are not known here, and patterns may be about hosts to come. */
const ofHosts = ({ sets, hosts }: Reading, entries: readonly string[] = []): readonly Doubt[] =>
  entries.flatMap((entry, number) => {
    if (hosts === undefined || Object.hasOwn(sets, entry) || entry.startsWith('tag:')) return [];
    if (hosts.some(host => matchRun(entry, host))) return [];
    const near = nearest(entry, [...hosts, ...Object.keys(sets)]);
    return [
      {
        number,
        message: `is no configured host${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
      },
    ];
  });
