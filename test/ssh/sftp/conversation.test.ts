import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { Channel } from '../../../src/ssh/command/channel.ts';
import { Conversation } from '../../../src/ssh/sftp/conversation.ts';
import { FXP } from '../../../src/ssh/sftp/wire.ts';
import { after } from '../../../src/ssh/timer.ts';
import { settled } from './in-memory.ts';

/** A channel whose far side only listens: what was written to it, write by write, and `closed` when it was. */
const silentChannel = () => {
  const heard: (Buffer | 'closed')[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      heard.push(chunk);
      done();
    },
  });
  const channel: Channel = Object.assign(stream, {
    stderr: new PassThrough(),
    eof: () => undefined,
    setWindow: () => undefined,
    close: () => void heard.push('closed'),
  });
  return { heard, channel };
};

/** A request without fields, as it goes over the wire. */
const wire = (type: number, id: number): readonly number[] => [0, 0, 0, 5, type, 0, 0, 0, id];

const begun = () => {
  const { heard, channel } = silentChannel();
  const conversation = new Conversation({ host: 'web', after, silentMs: 60_000 });
  conversation.attach(channel);
  const ask = (type: number) => conversation.ask(type, [], () => undefined).catch((error: unknown) => error);
  return { heard, conversation, ask };
};

test('requests of one turn share a packet, in the order in which they were called', async () => {
  const { heard, conversation, ask } = begun();
  void ask(FXP.OPEN);
  void ask(FXP.REALPATH);
  await Promise.resolve();
  void ask(FXP.LSTAT);
  await settled();
  expect(heard).toEqual([Buffer.from([...wire(FXP.OPEN, 1), ...wire(FXP.REALPATH, 2), ...wire(FXP.LSTAT, 3)])]);
  conversation.close();
});

test('what was asked before it is closed goes out before that, and nothing after it', async () => {
  const { heard, conversation, ask } = begun();
  const asked = ask(FXP.REMOVE);
  conversation.close();
  const late = ask(FXP.REMOVE);
  await settled();
  expect(heard).toEqual([Buffer.from(wire(FXP.REMOVE, 1)), 'closed']);
  expect([await asked, await late]).toEqual([
    expect.objectContaining({ code: 'CANCELLED' }),
    expect.objectContaining({ code: 'CANCELLED' }),
  ]);
});
