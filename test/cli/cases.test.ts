import { expect, test } from 'vitest';
import type { AuditRecord } from '../../src/audit/record.ts';
import { type Explanation, explainer } from '../../src/cli/explain.ts';
import { compile } from '../../src/policy/compile.ts';
import { NO_POLICY } from '../../src/policy/decide.ts';
import { CASE_START, type Case, type CaseCall, casesFor } from '../support/cases.ts';
import { manualClock } from '../support/clock.ts';
import { person } from './person.ts';

const CASES = casesFor('cli');
const titled = CASES.map(each => [`${each.name}: ${each.about}`, each] as const);

const target = (host: string) => ({ host, user: 'deploy', address: host, port: 22, tags: [] });

const expected = ({ expect: { effect, code, rule, reason } }: CaseCall) => ({
  decision: effect,
  code: effect === 'ask' ? 'APPROVAL_UNAVAILABLE' : code,
  rule,
  ...(reason === undefined ? {} : { reason }),
});

const answered = ({ expect: { reason } }: CaseCall, said: Explanation) => ({
  decision: said.decision,
  code: said.code,
  rule: said.rule,
  ...(reason === undefined ? {} : { reason: said.reason }),
});

const recorded = (record: AuditRecord | undefined) =>
  record?.event === 'admitted' || record?.event === 'refused'
    ? {
        event: record.event,
        tool: record.tool,
        ...(record.event === 'refused' ? { code: record.code } : {}),
        rule: record.because?.[0]?.rule,
      }
    : record;

test.each(titled)('explained in sequence, %s', async (_title, { policy, name, calls, doors }: Case) => {
  const clock = manualClock({ wallMs: CASE_START });
  const compiled = policy === null ? NO_POLICY : compile(JSON.stringify(policy), `${name}.json`);
  const { explain, records } = explainer({ policy: compiled, clock, target });
  for (const [index, call] of calls.entries()) {
    clock.advance(call.at === undefined ? 0 : Date.parse(call.at) - clock.wallMs());
    const label = `call ${index + 1}: ${call.tool}`;
    const before = records.length;
    const said = await explain({ tool: call.tool, args: call.args, grant: call.grant ?? 'local' });
    expect(answered(call, said), label).toEqual(expected(call));
    const [least, most] = call.expect.retry_after_ms ?? [0, 0];
    expect(said.retry_after_ms ?? 0, label).toBeGreaterThanOrEqual(least);
    expect(said.retry_after_ms ?? 0, label).toBeLessThanOrEqual(most);
    // Ill-typed arguments are on record as such, whatever the policy would say of them.
    if (doors?.includes('server') !== false) expect(recorded(records[before]), label).toEqual(call.audit);
  }
});

test.each(titled)('as a command line, %s', async (_title, { policy, calls }: Case) => {
  await using somebody = await person();
  const file = policy === null ? [] : [await somebody.home.write('case.json', JSON.stringify(policy))];
  for (const call of calls.filter(each => each.expect.code !== 'RATE_LIMITED')) {
    const grant = call.grant === undefined ? [] : ['--grant', call.grant];
    const args = ['--args', JSON.stringify(call.args)];
    const ran = await somebody.type('policy', 'explain', ...file, ...grant, ...args, '--json', '--', call.tool);
    const said: Explanation = JSON.parse(ran.stdout);
    expect(answered(call, said)).toEqual(expected(call));
    expect(ran).toMatchObject({ code: call.expect.effect === 'allow' ? 0 : 1, stderr: '' });
  }
});
