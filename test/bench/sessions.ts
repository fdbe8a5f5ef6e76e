import { ALLOW_ALL, homeFor, raw, structured } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { bareClient } from './exec.ts';
import { type Figures, inTurn } from './figures.ts';

/** A line of a managed session, a command, and the raw channel of ssh2 beside each other: `true`, and what the session does by itself. */
export const sessionLine = async (
  sshd: Sshd,
  rounds: number,
): Promise<Readonly<Record<'line' | 'kept' | 'exec' | 'bare', Figures | undefined>>> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  await using server = raw(place);
  const client = await bareClient(sshd);
  const { session_id } = structured(await server.call('ssh_session_start', { host: 'web-1' }));
  const call = (tool: string, args: Record<string, unknown>) => async (): Promise<void> => {
    const result = structured(await server.call(tool, args));
    if (result.exit_code !== 0) throw new Error(JSON.stringify(result));
  };
  const contenders = {
    line: call('ssh_session_send', { session_id, input: 'true' }),
    kept: call('ssh_session_send', { session_id, input: 'export A=1' }),
    exec: call('ssh_exec', { host: 'web-1', command: 'true' }),
    bare: client.exec,
  };
  try {
    await inTurn(contenders, 10);
    const { line, kept, exec, bare } = await inTurn(contenders, rounds);
    return { line, kept, exec, bare };
  } finally {
    client.close();
  }
};
