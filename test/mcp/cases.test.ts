import { randomBytes } from 'node:crypto';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import type { Audit, AuditRecord } from '../../src/audit/record.ts';
import { Gate } from '../../src/gate/gate.ts';
import { Seal } from '../../src/mcp/seal.ts';
import { createServer } from '../../src/mcp/server.ts';
import { compile } from '../../src/policy/compile.ts';
import { NO_POLICY, visibility } from '../../src/policy/decide.ts';
import { createFleet } from '../../src/ssh/fleet.ts';
import type { Host } from '../../src/ssh/host.ts';
import { fixedInventory } from '../../src/ssh/inventory.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { CASE_START, type Case, type CaseCall, casesFor } from '../support/cases.ts';
import { manualClock } from '../support/clock.ts';
import { testConnections } from '../support/connections.ts';
import { errorOf } from '../support/home.ts';

/** Every host that a case names, where nobody listens: what is admitted fails at once, and only behind the gate. */
const hostsOf = ({ calls }: Case): readonly Host[] =>
  [...new Set(calls.flatMap(call => (typeof call.args.host === 'string' ? [call.args.host] : [])))].map(name => ({
    name,
    address: '127.0.0.1',
    port: 1,
    user: 'deploy',
    auth: [{ kind: 'key', path: '/nonexistent' }],
    hostKeys: [],
    tags: [],
  }));

const unheard = (): never => {
  throw new Error('no case changes the list of hosts');
};

const open = async (one: Case) => {
  const clock = manualClock({ wallMs: CASE_START });
  const records: AuditRecord[] = [];
  const audit: Audit = {
    admit: async record => void records.push(record),
    note: record => void records.push(record),
    close: () => undefined,
  };
  const policy = one.policy === null ? NO_POLICY : compile(JSON.stringify(one.policy), `${one.name}.json`);
  const log = (): void => undefined;
  const gate = new Gate({ policy: () => policy, store: memoryStore(clock), audit, clock, log });
  const hosts = hostsOf(one);
  const connections = testConnections(hosts, { knownHosts: [] });
  const fleet = createFleet({ inventory: fixedInventory(hosts), connections, clock, random: randomBytes });
  const service = {
    tools: TOOLS,
    house: { gate, fleet, hosts: { add: unheard, remove: unheard }, version: '0' },
    grant: 'local',
    shows: (tool: string) => visibility(policy, tool),
    newCallId: () => 'call_1',
    seal: new Seal(randomBytes, clock),
    clock,
    log,
  };
  const server = createServer({ version: '0', open: async () => service, log });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: 'golden', version: '0' });
  await client.connect(near);
  const close = async (): Promise<void> => {
    await client.close();
    connections[Symbol.dispose]();
  };
  return { client, clock, records, close };
};

/** Codes that the gate gives; any other failure came of the work, after the gate had let the call through. */
const GATE = ['POLICY_DENIED', 'RATE_LIMITED', 'APPROVAL_UNAVAILABLE', 'POLICY_UNAVAILABLE'];

const recorded = (record: AuditRecord | undefined): unknown =>
  record?.event === 'admitted' || record?.event === 'refused'
    ? {
        event: record.event,
        tool: record.tool,
        ...(record.event === 'refused' ? { code: record.code } : {}),
        rule: record.because?.[0]?.rule,
      }
    : record;

const check = (call: CaseCall, result: Record<string, unknown>): void => {
  const { effect, code, rule, reason, retry_after_ms } = call.expect;
  const error = result.isError === true ? errorOf(result) : {};
  if (effect === 'allow') {
    expect(GATE).not.toContain(error.code);
    return;
  }
  expect(error).toMatchObject({ code: effect === 'ask' ? 'APPROVAL_UNAVAILABLE' : code, rule });
  if (reason !== undefined) expect(error.reason).toBe(reason);
  const [least, most] = retry_after_ms ?? [0, 0];
  expect(Number(error.retry_after_ms ?? 0)).toBeGreaterThanOrEqual(least);
  expect(Number(error.retry_after_ms ?? 0)).toBeLessThanOrEqual(most);
};

test.each(casesFor('server').map(one => [`${one.name}: ${one.about}`, one] as const))(
  'through the whole server, %s',
  async (_title, one) => {
    const { client, clock, records, close } = await open(one);
    for (const [index, call] of one.calls.entries()) {
      clock.advance(call.at === undefined ? 0 : Date.parse(call.at) - clock.wallMs());
      const before = records.length;
      const known = TOOLS.some(tool => tool.name === call.tool);
      if (!known) continue; // A document may speak of a tool that this version does not have; no server can call it.
      const result = await client.callTool({ name: call.tool, arguments: call.args });
      check(call, result);
      expect(recorded(records[before]), `call ${index + 1}: ${call.tool}`).toEqual(call.audit);
    }
    await close();
  },
);
