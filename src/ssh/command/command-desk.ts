import type { Fleet } from '../fleet.ts';
import { handleOf } from '../handle-of.ts';
import type { Commands } from './commands.ts';
import type { DetachedCommands } from './detached-commands.ts';
import { outcomeOf } from './outcome.ts';

/** The part of the fleet that is about commands, detached ones too: a handle says by itself of which kind it is. */
export type CommandDesk = Pick<Fleet, 'run' | 'command' | 'cancel'>;

/** Runs commands, finds them again and stops them. */
export const createCommandDesk = (commands: Commands, detached: DetachedCommands): CommandDesk => ({
  run: async (permit, signal) => {
    const action = permit.spend();
    const command =
      action.detach === true
        ? await detached.start(permit, action, signal)
        : await commands.start(permit, action, { signals: [signal] });
    permit.livesUntil(outcomeOf(command));
    return command;
  },
  command: async (permit, waitMs = 0) => {
    const id = handleOf(permit, 'command');
    const found = await detached.get(permit.grant, id);
    await found?.attend(waitMs);
    return found ?? commands.get(permit.grant, id);
  },
  cancel: async permit => {
    const id = handleOf(permit, 'command');
    const command = (await detached.get(permit.grant, id)) ?? commands.get(permit.grant, id);
    return { command, report: await command.stop('cancelled') };
  },
});
