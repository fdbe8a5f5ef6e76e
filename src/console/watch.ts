import type { GrowingText } from '../ssh/command/growing-text.ts';
import type { Overseen, Overseer } from '../ssh/overseer.ts';
import type { After } from '../ssh/timer.ts';
import type { Client } from './client.ts';
import { VERSION } from './protocol.ts';
import { thingOf } from './thing.ts';

/** What is shown of what came before somebody watched. */
const RECENT_BYTES = 16_384;
const PIECE_BYTES = 65_536;
/** How long a look at what is fetched on demand lasts, and when the next one is asked for. */
const ATTEND_MS = 30_000;
const AGAIN_MS = 20_000;
/** How often it is looked how far something is. */
const LOOK_MS = 1_000;

/** Sends what one thing writes, or how far it is where it writes nothing, until it ends or the client goes; then how it ended. */
export const watchOne = async (one: Overseen, client: Client, after: After): Promise<void> => {
  const status = await (one.output === undefined
    ? watchProgress(one, client, after)
    : watchOutput(one, one.output, client, after));
  await client.send({ v: VERSION, answer: 'ended', id: one.id, status });
};

/** A client that reads slower than the thing writes misses the middle, and is told how much. */
const watchOutput = async (one: Overseen, output: GrowingText, client: Client, after: After): Promise<string> => {
  let [over, wake] = [false, (): void => undefined];
  let status = '';
  void one.ended.then(how => {
    [over, status] = [true, how];
    wake();
  });
  const leave = (): void => wake();
  client.gone.addEventListener('abort', leave, { once: true });
  const rest = await attending(one, after);
  let cursor = Math.max(0, output.length - RECENT_BYTES);
  while (!client.gone.aborted) {
    const last = over;
    const { text, next, dropped, more } = output.read(cursor, PIECE_BYTES);
    cursor = next;
    if (text !== '' || dropped > 0)
      await client.send({ v: VERSION, answer: 'output', id: one.id, text, ...(dropped > 0 ? { dropped } : {}) });
    if (more) continue;
    if (last) break;
    await new Promise<void>(resolve => {
      wake = resolve;
      if (over || client.gone.aborted) resolve();
      else void output.grown(cursor).then(() => turn(resolve, after));
    });
  }
  rest();
  client.gone.removeEventListener('abort', leave);
  return status;
};

/** A line whenever it is farther, once in `LOOK_MS` at most, and one when it is over. */
const watchProgress = async (one: Overseen, client: Client, after: After): Promise<string> => {
  let [over, said, status] = [false, '', ''];
  let wake = (): void => undefined;
  void one.ended.then(how => {
    [over, status] = [true, how];
    wake();
  });
  const leave = (): void => wake();
  client.gone.addEventListener('abort', leave, { once: true });
  for (let last = false; !client.gone.aborted && !last; ) {
    last = over;
    const { progress = '' } = one.look();
    if (progress !== said) await client.send({ v: VERSION, answer: 'output', id: one.id, text: `${progress}\n` });
    said = progress;
    await new Promise<void>(resolve => {
      const callOff = after(LOOK_MS, resolve);
      wake = () => {
        callOff();
        resolve();
      };
      if (over || client.gone.aborted) wake();
    });
  }
  client.gone.removeEventListener('abort', leave);
  return status;
};

/** In a later turn: a burst of small writes is sent as one, and nothing can keep this process from its other work. */
const turn = (resolve: () => void, after: After): void => void after(10, resolve);

/** Has output fetched again and again that comes only on demand, until the result is called. */
const attending = async ({ attend }: Overseen, after: After): Promise<() => void> => {
  if (attend === undefined) return () => undefined;
  await attend(ATTEND_MS);
  let callOff: () => void = () => undefined;
  const again = (): void => {
    callOff = after(AGAIN_MS, () => {
      // A host that cannot be reached now may be later.
      attend(ATTEND_MS).catch(() => undefined);
      again();
    });
  };
  again();
  return () => callOff();
};

/** Sends what is open, and from then on whatever begins and ends, until the client goes. */
export const watchAll = async (overseer: Overseer, client: Client): Promise<void> => {
  const tellEnd = (one: Overseen): void => {
    void one.ended.then(status => client.send({ v: VERSION, answer: 'ended', id: one.id, status }));
  };
  const forget = overseer.onBegin(one => {
    void client.send({ v: VERSION, answer: 'began', thing: thingOf(one) });
    tellEnd(one);
  });
  for (const one of overseer.all()) {
    void client.send({ v: VERSION, answer: 'open', thing: thingOf(one) });
    tellEnd(one);
  }
  await new Promise<void>(resolve => {
    if (client.gone.aborted) resolve();
    client.gone.addEventListener('abort', () => resolve(), { once: true });
  });
  forget();
};
