import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../../src/call.ts';
import { compile } from '../../src/policy/compile.ts';
import { decide, type Policy } from '../../src/policy/decide.ts';
import { ROOT } from '../shape/source.ts';
import { callFor } from '../support/calls.ts';
import { type Figures, figuresOf } from './figures.ts';

const LIMIT = { counter: 'ssh_cancel_command_rate', window: 'minute', max: 10, scope: 'grant' };
const CATALOGUE = { version: '1', default: 'deny', tools: { ssh_cancel_command: { limits: [LIMIT] } } };
const THOUSAND = {
  version: '1',
  default: 'allow',
  rules: Array.from({ length: 1000 }, (_, index) => ({
    id: `rule-${index}`,
    effect: 'allow',
    hosts: [`host-${index % 50}`],
    commands: [`program-${index} [-v] <name>`],
  })),
};

const policyOf = (document: unknown): Policy => compile(JSON.stringify(document), 'policy.json');
const exec = (command: string, host = 'web-1'): Call => callFor('ssh_exec', { host, command, timeout_ms: 60_000 });

/** Microseconds of one decision, in batches of a hundred, which a clock can tell apart. */
const decision = (policy: Policy, call: Call, batches: number, batch = 100): Figures => {
  const sample: number[] = [];
  for (let count = -10; count < batches; count += 1) {
    const begun = performance.now();
    for (let turn = 0; turn < batch; turn += 1) decide(policy, call, { host: undefined });
    if (count >= 0) sample.push(((performance.now() - begun) * 1000) / batch);
  }
  return figuresOf(sample);
};

/** What a decision costs, in microseconds, by document and call. */
export const decisions = (): Readonly<Record<string, Figures>> => {
  const example = policyOf(JSON.parse(readFileSync(join(ROOT, 'policy.example.json'), 'utf8')));
  const thousand = policyOf(THOUSAND);
  const hostile = `${'a'.repeat(60)} `.repeat(1040);
  return {
    'catalogue document': decision(policyOf(CATALOGUE), callFor('ssh_cancel_command', { command_id: 'cmd_x' }), 300),
    'example document, `uptime`': decision(example, exec('uptime'), 300),
    'example document, a pipe of three': decision(example, exec('ps aux | sort -rn -k 3 | head -n 10'), 300),
    '1,000 rules, granted': decision(thousand, exec('program-40 -v x', 'host-40'), 300),
    '64 KiB of hostile text': decision(example, exec(hostile), 50, 1),
    '32 KiB of hostile text': decision(example, exec(hostile.slice(0, 32_768)), 50, 1),
  };
};
