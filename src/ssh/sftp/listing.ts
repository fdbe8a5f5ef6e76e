import { bytesOf } from '../../text/byte-name.ts';
import { done, handle, names } from './answers.ts';
import type { Conversation } from './conversation.ts';
import { heard } from './heard.ts';
import type { Entry } from './sftp.ts';
import { FXP } from './wire.ts';

/** Requests for names on their way at once: OpenSSH gives a hundred for each. */
const MOST_AHEAD = 8;

/** Reads a folder, more ahead with each answer: see `Sftp.list`. Whoever stops early has it closed. */
export async function* listFolder(conversation: Conversation, path: string): AsyncGenerator<readonly Entry[]> {
  const folder = await conversation.ask(FXP.OPENDIR, [bytesOf(path)], handle);
  const ahead: Promise<readonly Entry[] | undefined>[] = [];
  try {
    for (let most = 1; ; most = Math.min(MOST_AHEAD, most + 1)) {
      while (ahead.length < most) ahead.push(heard(conversation.ask(FXP.READDIR, [folder], names)));
      const found = await ahead.shift();
      if (found === undefined) return;
      if (found.length > 0) yield found;
    }
  } finally {
    if (conversation.isOpen) await conversation.ask(FXP.CLOSE, [folder], done);
  }
}
