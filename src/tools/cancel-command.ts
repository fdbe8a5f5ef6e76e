import * as z from 'zod';
import type { Stop } from '../call.ts';
import { standing, standingShape, stopResult, stopShape, stopText } from './command-result.ts';
import { commandId } from './fields.ts';
import { defineTool } from './tool.ts';

/** `ssh_cancel_command`: stops a command and says what that proved. */
export const cancelCommand = defineTool({
  name: 'ssh_cancel_command',
  title: 'Stop a running command',
  description:
    'Stops a command with its whole remote process tree, and looks there what is left: ' +
    'confirmed means nothing; unconfirmed lists it. One that is queued is taken back.',
  risk: 'stop',
  input: z.strictObject({ command_id: commandId }),
  output: z.strictObject({
    host: z.string(),
    command_id: z.string(),
    ...standingShape.shape,
    ...stopShape.shape,
  }),
  action: (args): Stop => ({ kind: 'stop', what: 'command', id: args.command_id }),
  run: async (permit, { fleet }) => {
    const { command, report } = await fleet.cancel(permit);
    const { stop: _stop, ...status } = standing(command);
    return { host: command.host, command_id: command.id, ...status, ...stopResult(report) };
  },
  text: out =>
    `${out.outcome}: ${out.command_id} on ${out.host}: ${out.unsent ? 'nothing of it was sent' : stopText(out)} (status ${out.status})`,
});
