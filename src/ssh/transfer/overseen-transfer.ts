import type { TransferId } from '../../call.ts';
import { safeLine } from '../../text/safe.ts';
import type { Overseen } from '../overseer.ts';
import { progressOf } from './progress.ts';
import type { TransferView } from './transfer.ts';

/** How a transfer lives beside what it copies. `stop` gives it up and resolves when nothing of it moves; `ended` settles with how it ended. */
type Life = {
  readonly grant: string;
  readonly view: () => TransferView;
  readonly stop: () => Promise<void>;
  readonly open: () => boolean;
  readonly ended: Promise<string>;
};

/** A transfer as the operator sees it. */
export const overseenTransfer = (id: TransferId, { grant, view, stop, open, ended }: Life): Overseen => {
  const { host, direction, remotePath } = view();
  return {
    ...{ id, kind: 'transfer', grant, host, ended },
    what: safeLine(`${direction} ${remotePath}`, 500),
    look: () => {
      const now = view();
      return { status: 'running', durationMs: now.durationMs, progress: progressOf(now), over: !open() };
    },
    end: async () => {
      if (!open()) return { outcome: 'already_ended', signals: [], remaining: [] };
      await stop();
      return { outcome: 'confirmed', signals: [], remaining: [] };
    },
  };
};
