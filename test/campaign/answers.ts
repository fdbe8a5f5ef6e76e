import { Duplex, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure } from '../../src/errors.ts';
import type { Channel } from '../../src/ssh/command/channel.ts';
import { greeting } from '../../src/ssh/sftp/ability.ts';
import { clientOf } from '../../src/ssh/sftp/client.ts';
import { Conversation } from '../../src/ssh/sftp/conversation.ts';
import { pull } from '../../src/ssh/sftp/pull.ts';
import { push } from '../../src/ssh/sftp/push.ts';
import type { RemoteFile, Sftp } from '../../src/ssh/sftp/sftp.ts';
import { SftpError } from '../../src/ssh/sftp/sftp-error.ts';
import { after } from '../../src/ssh/timer.ts';
import { type Chance, oneOf } from './chance.ts';

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const long = (value: number): Buffer => Buffer.concat([number(Math.floor(value / 2 ** 32)), number(value % 2 ** 32)]);
const text = (value: string | Buffer): Buffer => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
const message = (type: number, ...parts: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(type), ...parts]);

const CONTENT = Buffer.from(Array.from({ length: 10_000 }, (_none, at) => (at * 7 + (at >> 8)) & 0xff));
const ATTRIBUTES = Buffer.concat([number(13), long(CONTENT.length), number(0o100644), number(1), number(2)]);
const NAMES = ['.', '..', 'a', 'b', 'é'];
const OFFERS = ['posix-rename@openssh.com', '1', 'fsync@openssh.com', '1', 'statvfs@openssh.com', '2'];
const [STATUS, HANDLE, DATA, NAME, ATTRS, REPLY] = [101, 102, 103, 104, 105, 201];

/** What a well-behaved server answers to a request (draft-ietf-secsh-filexfer-02); `listed`: the names were told already. */
const answerTo = (request: Buffer, server: { listed: boolean }): Buffer => {
  const [type, id] = [request.readUInt8(0), request.subarray(1, 5)];
  const status = (code: number): Buffer => message(STATUS, id, number(code), text(''), text(''));
  const names = (all: readonly string[]): Buffer =>
    message(NAME, id, number(all.length), ...all.flatMap(name => [text(name), text(name), ATTRIBUTES]));
  switch (type) {
    case 1:
      return message(2, number(3), ...[...OFFERS, 'limits@openssh.com', '1'].map(text));
    case 3:
    case 11:
      server.listed = false;
      return message(HANDLE, id, text('handle'));
    case 5: {
      const at = 9 + request.readUInt32BE(5);
      const offset = request.readUInt32BE(at + 4);
      const bytes = CONTENT.subarray(offset, offset + request.readUInt32BE(at + 8));
      return bytes.length === 0 ? status(1) : message(DATA, id, text(bytes));
    }
    case 7:
    case 8:
    case 17:
      return message(ATTRS, id, ATTRIBUTES);
    case 12: {
      if (server.listed) return status(1);
      server.listed = true;
      return names(NAMES);
    }
    case 16:
      return names(['/srv/a']);
    case 19:
      return names(['../b']);
    case 200:
      return extensionTo(request, id, status(0));
    default:
      return status(0);
  }
};

const extensionTo = (request: Buffer, id: Buffer, done: Buffer): Buffer => {
  const name = request.toString('latin1', 9, 9 + request.readUInt32BE(5));
  if (name.startsWith('limits')) return message(REPLY, id, ...[300_000, 4_096, 4_096, 10].map(long));
  return name.startsWith('statvfs') ? message(REPLY, id, ...Array.from({ length: 11 }, (_none, at) => long(at))) : done;
};

/** Answers are bytes behind their length, unless a mutation spoils that too. */
type Mutation = (answers: Buffer[], next: Chance) => void;

const framed = (answer: Buffer): Buffer => Buffer.concat([number(answer.length), answer]);
const change = (answers: Buffer[], next: Chance, how: (answer: Buffer) => Buffer): void => {
  const at = next(answers.length);
  answers[at] = how(answers[at] ?? Buffer.alloc(0));
};
const noise = (next: Chance, most: number): Buffer =>
  Buffer.from(Array.from({ length: 1 + next(most) }, () => next(256)));

/** Answers that are whole, and cannot be true or are not what was asked for. */
const lies = (next: Chance, id: Buffer): Buffer => {
  const name = text(oneOf(next, ['', '/', '..', '../x', 'a/b', 'a\0b', 'srv', '/srv/\0', 'x'.repeat(300)]));
  const vast = Buffer.concat([number(13), long(2 ** 60), number(0o100644), number(1), number(2)]);
  const all: readonly Buffer[] = [
    message(STATUS, id, number(next(20)), text('no'), text('')),
    message(HANDLE, id, text('h'.repeat(next(300)))),
    message(DATA, id, text(Buffer.alloc(next(9_000), 9))),
    message(NAME, id, number(1), name, name, vast),
    message(NAME, id, number(next(4)), name, name, ATTRIBUTES),
    message(ATTRS, id, vast),
    message(REPLY, id, ...Array.from({ length: 11 }, () => long(2 ** next(63)))),
  ];
  return oneOf(next, all);
};

const MUTATIONS: readonly Mutation[] = [
  (answers, next) => change(answers, next, one => framed(lies(next, one.subarray(5, 9)))),
  (answers, next) => change(answers, next, one => framed(lies(next, one.subarray(5, 9)))),
  // A byte of another value, mostly in the head, where lengths, kinds and numbers are.
  (answers, next) =>
    change(answers, next, answer => {
      const copy = Buffer.from(answer);
      copy[next(Math.min(copy.length, next(2) === 0 ? 14 : 200))] = oneOf(next, [
        0,
        1,
        2,
        3,
        4,
        127,
        128,
        255,
        next(256),
      ]);
      return copy;
    }),
  // A number of four bytes that is one too many, one too few, or beyond what there is.
  (answers, next) =>
    change(answers, next, answer => {
      const copy = Buffer.from(answer);
      const at = next(Math.max(1, Math.min(copy.length - 4, 60)));
      if (at + 4 <= copy.length) copy.writeUInt32BE((copy.readUInt32BE(at) + oneOf(next, [1, -1, 2 ** 31])) >>> 0, at);
      return copy;
    }),
  // Shorter, or longer, and its length says so.
  (answers, next) => change(answers, next, one => framed(one.subarray(4, 4 + next(Math.max(1, one.length - 4))))),
  (answers, next) => change(answers, next, one => framed(Buffer.concat([one.subarray(4), noise(next, 40)]))),
  // Shorter, or longer, and its length does not.
  (answers, next) => change(answers, next, one => one.subarray(0, next(one.length))),
  (answers, next) => change(answers, next, one => Buffer.concat([one, noise(next, 40)])),
  // Never, twice, or after the answer behind it.
  answers => void answers.pop(),
  (answers, next) => void answers.push(Buffer.from(oneOf(next, answers))),
  answers => void answers.reverse(),
  // What nobody asked for.
  (answers, next) => void answers.push(framed(noise(next, 60))),
  (answers, next) =>
    void answers.push(framed(message(oneOf(next, [2, STATUS, HANDLE, DATA, NAME, ATTRS]), noise(next, 30)))),
];

/** A server that spoils now and then what it says, and how often it said in so many words that something was done. */
type Server = { readonly channel: Channel; readonly done: () => number };

const spoiledServer = (next: Chance): Server => {
  const state = { listed: false };
  let [heard, said] = [Buffer.alloc(0), Buffer.alloc(0)];
  const held: Buffer[] = [];
  const closed = new Readable({ read: () => undefined });
  const give = (count: number): void => {
    const bytes = Buffer.concat(held.splice(0, count));
    said = Buffer.concat([said, bytes]);
    const cut = next(4) === 0 ? next(bytes.length + 1) : 0;
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)])
      if (part.length > 0 && !channel.destroyed) channel.push(part);
  };
  const channel = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, taken) => {
      heard = Buffer.concat([heard, chunk]);
      for (let end = endIn(heard); end > 0; end = endIn(heard)) {
        held.push(framed(answerTo(heard.subarray(4, end), state)));
        heard = heard.subarray(end);
      }
      if (held.length > 0 && next(40) === 0) oneOf(next, MUTATIONS)(held, next);
      // Some answers come a little later, and with those behind them.
      if (next(5) === 0) setImmediate(() => give(held.length));
      else give(held.length);
      taken();
    },
  });
  const close = (): void => {
    channel.destroy();
    closed.destroy();
  };
  const nothing = (): void => undefined;
  return {
    channel: Object.assign(channel, { stderr: closed, close, eof: nothing, setWindow: nothing }),
    done: () => doneIn(said),
  };
};

/** Where the first message of a stream ends; 0 while it is not whole. */
const endIn = (bytes: Buffer): number => {
  const end = bytes.length < 4 ? 5 : 4 + bytes.readUInt32BE();
  return end <= bytes.length ? end : 0;
};

/** How many messages of a stream say that something was done, as a reader of the draft finds them. */
const doneIn = (said: Buffer): number => {
  let count = 0;
  for (let at = 0; at + 13 <= said.length; at += 4 + said.readUInt32BE(at))
    if (said.readUInt32BE(at) >= 9 && said.readUInt8(at + 4) === STATUS && said.readUInt32BE(at + 9) === 0) count += 1;
  return count;
};

/** What came of a conversation: how its steps ended, what cannot be, and how many steps were told to be done. */
type Story = { readonly ends: Map<string, number>; readonly problems: string[]; done: number };

/** What a server of version 3 is asked in the course of a transfer, each answer held against what an answer can be. */
const useAll = async (sftp: Sftp, story: Story): Promise<void> => {
  const must = (holds: boolean, what: string): void => void (holds || story.problems.push(what));
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    if (!sftp.isOpen()) return;
    const end = await work().then(() => 'well', endOf);
    story.ends.set(end, (story.ends.get(end) ?? 0) + 1);
    must(!end.startsWith('odd'), `${name}: ${end}`);
  };
  // Of a conversation that is over everything is closed, and nobody needs to say so.
  const did = async (work: Promise<void>): Promise<void> => {
    await work;
    if (sftp.isOpen()) story.done += 1;
  };
  const whole = (size: number | undefined): boolean => size === undefined || (Number.isSafeInteger(size) && size >= 0);
  await step('realPath', async () => must((await sftp.realPath('/a')).startsWith('/'), 'a real path is not absolute'));
  await step('stat', async () => must(whole((await sftp.stat('/a')).size), 'a size is no whole number'));
  await step('readLink', async () => must(/^[^\0]+$/s.test(await sftp.readLink('/a')), 'a link leads nowhere'));
  await step('room', async () => must(whole(await sftp.room('/')), 'room is no whole number'));
  await step('list', async () => {
    for await (const part of sftp.list('/'))
      for (const { name, attributes } of part)
        must(
          !/^\.{0,2}$|[/\0]/.test(name) && whole(attributes.size),
          `a name that none can have: ${JSON.stringify(name)}`,
        );
    await did(Promise.resolve());
  });
  await step('read', async () => readAll(await sftp.open('/a', 'read'), must, did));
  await step('write', async () => {
    const file = await sftp.open('/a', 'new', { mode: 0o600 });
    const length = await push(file, { at: 0 }, [CONTENT]);
    story.done += Math.ceil(length / file.maxWrite);
    await (sftp.syncs ? did(file.sync()) : file.sync());
    await did(file.change({ mode: 0o644 }));
    await did(file.close());
  });
  await step('rename', () => did(sftp.rename('/a', '/b')));
  await step('remove', () => did(sftp.remove('/b')));
};

type Must = (holds: boolean, what: string) => void;

const readAll = async (file: RemoteFile, must: Must, did: (work: Promise<void>) => Promise<void>): Promise<void> => {
  const { size = 0 } = await file.stat();
  const to = Math.min(size, 4 * CONTENT.length);
  for (const span of [{ from: 0, to }, { from: 100 }]) {
    let came = 0;
    const end = await pull(file, span, pieces => {
      for (const piece of pieces) came += piece.length;
    });
    must(end === span.from + came && end <= (span.to ?? end), `${came} bytes came, and the end is ${end}`);
  }
  const bytes = await file.read(5, 700);
  must(bytes === undefined || (bytes.length > 0 && bytes.length <= 700), `${bytes?.length} bytes came of 700`);
  if (file.maxRead >= 4_096) await did(file.close());
};

const endOf = (error: unknown): string => {
  if (error instanceof Failure) return error.code;
  return error instanceof SftpError ? error.status : `odd: ${String(error)}`;
};

const SILENT_MS = 60;
const HANG_MS = 20_000;

const converse = async (next: Chance, story: Story): Promise<void> => {
  const { channel, done } = spoiledServer(next);
  const conversation = new Conversation({ host: 'web', after, silentMs: SILENT_MS });
  conversation.attach(channel);
  const greeted = await conversation.greet(greeting).catch((error: unknown) => endOf(error));
  if (typeof greeted === 'string') {
    story.ends.set(greeted, (story.ends.get(greeted) ?? 0) + 1);
    if (greeted.startsWith('odd')) story.problems.push(`greeting: ${greeted}`);
  } else await useAll(clientOf(conversation, greeted, 0), story);
  conversation.close();
  await turn();
  if (!channel.destroyed) story.problems.push('the channel is open still');
  if (story.done > done()) story.problems.push(`${story.done} steps are done, and ${done()} were said to be`);
};

/** Holds conversations with servers that spoil their answers: nothing hangs, nothing is believed that cannot be, and nothing is done that no server said. */
export const spoilFiles = async (
  next: Chance,
  count: number,
): Promise<{ readonly ends: ReadonlyMap<string, number>; readonly problems: readonly string[] }> => {
  const all: Story = { ends: new Map(), problems: [], done: 0 };
  for (let each = 0; each < count; each += 1) {
    const story: Story = { ends: all.ends, problems: [], done: 0 };
    let callOff = (): void => undefined;
    const hung = new Promise<void>(resolve => {
      callOff = after(HANG_MS, () => {
        story.problems.push('it hangs');
        resolve();
      });
    });
    await Promise.race([converse(next, story), hung]);
    callOff();
    all.problems.push(...story.problems.map(problem => `conversation ${each}: ${problem}`));
  }
  return all;
};
