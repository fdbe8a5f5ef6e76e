import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAudit } from '../../src/audit/log.ts';
import type { Run } from '../../src/call.ts';
import { Gate } from '../../src/gate/gate.ts';
import { compile } from '../../src/policy/compile.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import { realClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { type Figures, figuresOf, timed } from './figures.ts';

const LIMIT = { counter: 'exec', window: 'minute', max: 1_000_000, scope: 'grant' };
const POLICY = { version: '1', default: 'deny', tools: { ssh_exec: { limits: [LIMIT] } } };
const ACTION: Run = {
  kind: 'exec',
  target: { host: 'web-1', user: 'deploy', address: '127.0.0.1', port: 22, tags: [] },
  program: { text: 'true' },
  env: {},
  timeoutMs: 1000,
};

/** One call through the gate with one limit and the record on disk, and nothing behind it. */
export const gatePass = async (calls: number): Promise<Figures> => {
  await using folder = await tempFolder('sallyport-bench-');
  const parts = { clock: realClock, log: () => undefined, random: randomBytes };
  const store = await openSqlite({ ...parts, file: join(folder.path, 'state', 'state.db') });
  const audit = await openAudit({
    ...parts,
    store,
    folder: join(folder.path, 'state', 'audit'),
    keyFile: join(folder.path, 'state', 'audit.key'),
  });
  const policy = compile(JSON.stringify(POLICY), 'policy.json');
  const gate = new Gate({ policy: () => policy, store, audit, clock: realClock, log: parts.log });
  const pass = (): Promise<unknown> =>
    gate.pass({
      id: 'call_bench',
      grant: 'local',
      tool: 'ssh_exec',
      input: { host: 'web-1', command: 'true' },
      action: () => ACTION,
      hostOf: () => 'web-1',
      run: async permit => permit.spend(),
    });
  for (let warm = 0; warm < 50; warm += 1) await pass();
  const times: number[] = [];
  for (let count = 0; count < calls; count += 1) times.push(await timed(pass));
  audit.close();
  store.close();
  return figuresOf(times);
};
