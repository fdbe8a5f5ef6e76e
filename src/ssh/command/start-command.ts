import { Failure } from '../../errors.ts';
import { givingUpWith } from '../giving-up.ts';
import { type Means, type Order, RemoteCommand } from './command.ts';

/** A command that is being started: `underway` resolves when the host accepted it, or as soon as it waits for a lane. */
export type Started = { readonly command: RemoteCommand; readonly underway: Promise<void> };

/**
 * Starts a command. The time-out counts from here on: one that passes before a lane was free is `BUSY`, with nothing sent.
 * `underway` rejects as `Connection.exec` does; what fails after it has resolved is the command's end.
 */
export const startCommand = (order: Order, means: Means): Started => {
  const { timeoutMs } = order;
  const givingUp = givingUpWith(...order.signals);
  const command = new RemoteCommand(order, means, givingUp.now);
  let late = false;
  const callOff = means.after(timeoutMs, () => {
    late = true;
    givingUp.now();
    if (command.accepted) void command.stop('timed_out');
  });
  void command.ended.then(callOff);
  const send = async (queued: () => void): Promise<void> => {
    try {
      await sendTo(order, command, givingUp.signal, queued);
    } catch (error) {
      const neverBegan = late && error instanceof Failure && error.code === 'CANCELLED';
      const why = neverBegan ? neverSent(order.connection.host.name, timeoutMs) : error;
      command.fail(why instanceof Failure ? why : new Failure('DEFECT', 'It could not be sent.', { cause: why }));
      throw why;
    } finally {
      givingUp.release();
    }
    // The request was sent when its time was up already: the channel came all the same, to be stopped properly.
    if (late) void command.stop('timed_out');
  };
  const underway = new Promise<void>((resolve, reject) => {
    send(resolve).then(resolve, reject);
  });
  return { command, underway };
};

const sendTo = async (
  { connection, by, suits, mark, text, terminal }: Order,
  command: RemoteCommand,
  signal: AbortSignal,
  queued: () => void,
): Promise<void> => {
  await connection.exec(await text(signal), {
    ...{ by, signal },
    suits: suits && (peer => suits(peer, signal)),
    leased: mark,
    pty: terminal?.pty,
    attach: channel => command.attach(channel),
    queued: () => {
      command.queue();
      queued();
    },
  });
};

const neverSent = (host: string, timeoutMs: number): Failure =>
  new Failure(
    'BUSY',
    `${host} could not take the command within its time-out of ${timeoutMs} ms, and nothing was sent.`,
  );
