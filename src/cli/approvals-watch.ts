import { setTimeout as pauseFor } from 'node:timers/promises';
import { safeLine } from '../text/safe.ts';
import { dataOf, isOpen, questionNamed, shownOf, storeFor, textOf, type Waiting, wordFor } from './approvals-desk.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, jsonOf, print, say } from './io.ts';

const EACH_MS = 250;

/** `approvals watch`: what is asked and what becomes of it, as it happens; with an id until that is over, and 1 unless it was used. */
export const approvalsWatch = async (io: Io, { options, operands: [id] }: Request): Promise<number> => {
  const store = await storeFor(io, options);
  const seen = new Map<string, string>();
  try {
    if (id !== undefined) {
      const meant = await questionNamed(store, id);
      if (typeof meant === 'string') {
        say(io, meant);
        return EXIT.no;
      }
    }
    for (let first = true; ; first = false) {
      for (const one of await store.approvals.all()) {
        if (id !== undefined && !one.id.startsWith(id)) continue;
        const word = `${wordFor(one)} ${one.voices.length} ${one.used}`;
        if (seen.get(one.id) === word) continue;
        const news = seen.has(one.id) || !first || isOpen(one) || id !== undefined;
        seen.set(one.id, word);
        if (!news) continue;
        const shown = !options.json && isOpen(one) ? await shownOf(store, one) : undefined;
        tell(io, one, { json: options.json, text: typeof shown === 'object' ? textOf(shown) : shown });
        if (id !== undefined && one.stance !== 'asked') return one.stance === 'used' ? EXIT.ok : EXIT.no;
      }
      await pauseFor(EACH_MS);
    }
  } finally {
    store.close();
  }
};

const tell = (io: Io, one: Waiting, { json, text }: { json: boolean; text: string | undefined }): void => {
  if (json) io.stdout.write(`${jsonOf(dataOf(one))}\n`);
  else
    print(
      io,
      `${wordFor(one)} ${one.id} on ${safeLine(one.host)} for ${safeLine(one.grant)}${text === undefined ? '' : `\n${text}\n`}`,
    );
};
