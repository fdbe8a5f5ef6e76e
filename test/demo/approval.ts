import { spawnSync } from 'node:child_process';
import { approvals, listIn, personIn } from '../support/approvers.ts';
import { errorOf, type Home, structured } from '../support/home.ts';
import type { Step } from './calls.ts';

/** What a person is asked about in the demo, and the rule that asks. */
const COMMAND = 'id -un';
export const ASKING = {
  id: 'demo-ask',
  effect: 'ask',
  hosts: ['demo'],
  commands: [COMMAND],
  approval: { by: 'operator' },
  reason: 'Somebody has to agree.',
} as const;

/** Whether this machine can sign: approvers are people with SSH keys. */
export const maySign = (): boolean => spawnSync('ssh-keygen', ['-?']).error === undefined;

/** The configuration by which one person may approve, whose key lies in this folder. */
export const approverIn = async (folder: string): Promise<Record<string, unknown>> => {
  const alice = personIn(folder, 'alice');
  return { approvals: { allowedSigners: await listIn(folder, 'approvers', alice.line()), key: alice.key } };
};

const call = (says: string, judge: Step['judge'], arrives: Step['arrives'], before?: Step['before']): Step => ({
  tool: 'ssh_exec',
  args: () => ({ host: 'demo', command: COMMAND, wait_ms: 2_000 }),
  says,
  judge,
  arrives,
  ...(before === undefined ? {} : { before }),
});

const unlike = (result: unknown): never => {
  throw new Error(`not what was expected: ${JSON.stringify(result)}`);
};

const asked: Step['judge'] = result =>
  errorOf(result).code === 'APPROVAL_REQUIRED' ? `ASK     APPROVAL_REQUIRED by /rules/${ASKING.id}` : unlike(result);

const ran: Step['judge'] = result =>
  structured(result).exit_code === 0 ? 'allow   exit 0, by the signature of alice' : unlike(result);

/** The call before and after somebody has agreed to it, in a second terminal, and once more: a yes counts once. */
export const callsAround = (place: Home): readonly Step[] => [
  call(COMMAND, asked, 0),
  call(`${COMMAND}, now approved`, ran, 'some', async () => {
    const { code, stderr } = await approvals(place, 'approve', '--host', 'demo');
    if (code !== 0) throw new Error(`nobody could approve: ${stderr}`);
  }),
  call(`${COMMAND}, once more`, asked, 0),
];
