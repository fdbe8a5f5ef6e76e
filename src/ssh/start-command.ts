import { Failure } from '../errors.ts';
import { type Means, type Order, RemoteCommand } from './command.ts';
import { givingUpWith } from './giving-up.ts';

/**
 * Starts a command; resolves when the host accepted it. The time-out counts from here on: one that passes before a lane was
 * free is `BUSY`, with nothing sent; otherwise rejects as `Connection.exec` does.
 */
export const startCommand = async (order: Order, means: Means): Promise<RemoteCommand> => {
  const { connection, timeoutMs } = order;
  const givingUp = givingUpWith(...order.signals);
  const command = new RemoteCommand(order, means);
  let late = false;
  const callOff = means.after(timeoutMs, () => {
    late = true;
    givingUp.now();
    if (command.accepted) void command.stop('timed_out');
  });
  try {
    const text = await order.text(givingUp.signal);
    await connection.exec(text, { signal: givingUp.signal, attach: channel => command.attach(channel) });
  } catch (error) {
    callOff();
    const neverBegan = late && error instanceof Failure && error.code === 'CANCELLED';
    throw neverBegan ? neverSent(connection.host.name, timeoutMs) : error;
  } finally {
    givingUp.release();
  }
  void command.ended.then(callOff);
  // The request was sent when its time was up already: the channel came all the same, to be stopped properly.
  if (late) void command.stop('timed_out');
  return command;
};

const neverSent = (host: string, timeoutMs: number): Failure =>
  new Failure(
    'BUSY',
    `${host} could not take the command within its time-out of ${timeoutMs} ms, and nothing was sent.`,
  );
