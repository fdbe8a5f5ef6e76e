import { BrokenMessage } from '../packet.ts';
import { extended } from './answers.ts';
import type { Answer, Conversation } from './conversation.ts';
import { FXP, uint64 } from './wire.ts';

/** The extensions that we use (OpenSSH's PROTOCOL section 4), each in the one version there is. */
const USED = {
  'posix-rename@openssh.com': '1',
  'fsync@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'limits@openssh.com': '1',
} as const;

/** The name of one of them. */
export type Extension = keyof typeof USED;

/** What a server says of itself when it is greeted. */
export type Greeting = { readonly version: number; readonly offers: ReadonlySet<string> };

/** Reads the greeting (section 4): pairs of a name and a version after the number. */
export const greeting = ({ type, number, fields, length }: Answer): Greeting => {
  if (type !== FXP.VERSION) throw new BrokenMessage('no greeting');
  const offers = new Set<string>();
  for (let left = length; left > 0; ) {
    const [name, version] = [fields.bytes(), fields.bytes()];
    left -= 8 + name.length + version.length;
    if (isUsed(name.toString('latin1'), version.toString('latin1'))) offers.add(name.toString('latin1'));
  }
  return { version: number, offers };
};

const isUsed = (name: string, version: string): boolean =>
  Object.entries(USED).some(([used, one]) => used === name && one === version);

/** How much one request may ask for or carry, and how many files may be open in a conversation. */
export type Limits = { maxRead: number; maxWrite: number; handles: number };

/** What every server takes (section 3 asks for packets of 34,000 bytes), and what OpenSSH does at most. */
const USUAL = 32_768;
const MOST = 261_120;
const LEAST = 4_096;
/** Nobody says that he takes fewer. */
const HANDLES = 64;

/** The limits: the usual ones, until the server has said its own, which it is asked for here and is heard of before what is asked next. */
export const limitsOf = (conversation: Conversation, { offers }: Greeting): Limits => {
  const limits: Limits = { maxRead: USUAL, maxWrite: USUAL, handles: HANDLES };
  if (!offers.has('limits@openssh.com')) return limits;
  const heard = extended(fields => {
    uint64(fields);
    limits.maxRead = within(uint64(fields));
    limits.maxWrite = within(uint64(fields));
    limits.handles = uint64(fields) || Number.MAX_SAFE_INTEGER;
  });
  // A server that cannot say them has the usual ones, and one that is gone says so to whoever asks next.
  conversation.ask(FXP.EXTENDED, ['limits@openssh.com'], heard).catch(() => undefined);
  return limits;
};

/** 0 is no limit at all; a smaller one than any server has is not believed. */
const within = (limit: number): number => (limit === 0 ? MOST : Math.max(LEAST, Math.min(MOST, limit)));
