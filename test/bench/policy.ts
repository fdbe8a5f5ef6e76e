import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../../src/call.ts';
import { readUntried, type Untried } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { ROOT } from '../shape/source.ts';
import { callFor } from '../support/calls.ts';
import { cedarOf, hostPolicy, rulePolicies, toolPolicy } from './cedar.ts';
import { type Figures, figuresOf } from './figures.ts';

const LIMIT = { counter: 'ssh_cancel_command_rate', window: 'minute', max: 10, scope: 'grant' };
const CATALOGUE = { version: '1', default: 'deny', tools: { ssh_cancel_command: { limits: [LIMIT] } } };
const INDEXES = Array.from({ length: 1000 }, (_, index) => index);
const THOUSAND = {
  version: '1',
  default: 'allow',
  rules: INDEXES.map(index => ({
    id: `rule-${index}`,
    effect: 'allow',
    hosts: [`host-${index % 50}`],
    commands: [`program-${index} [-v] <name>`],
  })),
};

/** What a decision costs by one document and call, in microseconds; `cedar` is what a comparable one costs there. */
export type Row = { readonly name: string; readonly ours: Figures; readonly cedar?: Figures };

/** The same question, asked of both. */
type Question = {
  readonly name: string;
  readonly ours: () => boolean;
  readonly cedar?: () => boolean;
  readonly batch?: number;
};

const exec = (command: string, host = 'web-1'): Call => callFor('ssh_exec', { host, command, timeout_ms: 60_000 });
const cancel = callFor('ssh_cancel_command', { command_id: 'cmd_x' });
const read = (document: unknown): Untried => readUntried(JSON.stringify(document), 'policy.json');
const decidedBy =
  ({ policy }: Untried, call: Call) =>
  (): boolean =>
    decide(policy, call, { host: undefined }).effect === 'allow';

const BARE = { host: 'web-1', options: [], operands: '' };

const questions = (): readonly Question[] => {
  const example = read(JSON.parse(readFileSync(join(ROOT, 'policy.example.json'), 'utf8')));
  const catalogue = cedarOf('catalogue', [toolPolicy('ssh_cancel_command')]);
  const synopses = cedarOf('example', rulePolicies(example));
  const thousand = cedarOf(
    'thousand',
    INDEXES.map(index => hostPolicy(`host-${index % 50}`, `program-${index}`)),
  );
  const hostile = `${'a'.repeat(60)} `.repeat(1040);
  return [
    {
      name: 'catalogue document',
      ours: decidedBy(read(CATALOGUE), cancel),
      cedar: () => catalogue({ ...BARE, action: 'ssh_cancel_command' }),
    },
    {
      name: 'example document, `uptime`',
      ours: decidedBy(example, exec('uptime')),
      cedar: () => synopses({ ...BARE, action: 'uptime' }),
    },
    {
      name: '1,000 rules, granted',
      ours: decidedBy(read(THOUSAND), exec('program-40 -v x', 'host-40')),
      cedar: () => thousand({ action: 'program-40', host: 'host-40', options: ['-v'], operands: 'x' }),
    },
    { name: 'example document, a pipe of three', ours: decidedBy(example, exec(PIPE)) },
    { name: '64 KiB of hostile text', ours: decidedBy(example, exec(hostile)), batch: 1 },
    { name: '32 KiB of hostile text', ours: decidedBy(example, exec(hostile.slice(0, 32_768))), batch: 1 },
  ];
};

const PIPE = 'ps aux | sort -rn -k 3 | head -n 10';
const WARM = 20;

/** Microseconds of one decision, of a batch that a clock can tell apart. */
const microseconds = (decides: () => boolean, batch: number): number => {
  const begun = performance.now();
  for (let turn = 0; turn < batch; turn += 1) decides();
  return ((performance.now() - begun) * 1000) / batch;
};

/** Asks every question `rounds` times, of both in turn; throws when they answer differently. */
export const decisions = (rounds = 200): readonly Row[] => {
  const all = questions().map(question => ({ ...question, us: [] as number[], them: [] as number[] }));
  for (const { name, ours, cedar } of all)
    if (cedar !== undefined && ours() !== cedar()) throw new Error(`${name}: Cedar answers otherwise`);
  for (let round = -WARM; round < rounds; round += 1)
    for (const { ours, cedar, batch = 100, us, them } of all) {
      const cost = microseconds(ours, batch);
      const beside = cedar === undefined ? undefined : microseconds(cedar, 10);
      if (round < 0) continue;
      us.push(cost);
      if (beside !== undefined) them.push(beside);
    }
  return all.map(({ name, us, them }) => ({
    name,
    ours: figuresOf(us),
    ...(them.length === 0 ? {} : { cedar: figuresOf(them) }),
  }));
};
