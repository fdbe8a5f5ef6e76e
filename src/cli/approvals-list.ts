import { countdown } from '../gate/ask-answer.ts';
import { safeLine } from '../text/safe.ts';
import {
  dataOf,
  isOpen,
  openStore,
  questionNamed,
  recordWith,
  shownOf,
  storeFor,
  textOf,
  type Waiting,
  wordFor,
} from './approvals-desk.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, writeJson } from './io.ts';
import { tableOf } from './table.ts';

/** `approvals list`: the questions that wait, or all that are remembered. */
export const approvalsList = async (io: Io, { options, flags }: Request): Promise<number> => {
  const store = await openStore(io, options);
  const all = (await store?.approvals.all()) ?? [];
  store?.close();
  const listed = flags.has('all') ? all : all.filter(isOpen);
  if (options.json) writeJson(io, { approvals: listed.map(dataOf) });
  else if (listed.length > 0) print(io, tableOf([HEAD, ...listed.map(rowOf)]));
  else say(io, 'Nothing waits for an answer.');
  return EXIT.ok;
};

const HEAD = ['ID', 'STATE', 'HOST', 'TOOL', 'GRANT', 'BY', 'YES', 'LEFT'];

const rowOf = (one: Waiting): readonly string[] => [
  ...[one.id, wordFor(one), safeLine(one.host), safeLine(one.tool), safeLine(one.grant), one.by],
  `${one.voices.length} of ${one.approvers}`,
  isOpen(one) ? countdown(one.leftMs) : '',
];

/** `approvals show`: one question, whole; 1 when it is unknown, over, or not what its digest says. */
export const approvalsShow = async (io: Io, { options, operands: [id] }: Request): Promise<number> => {
  const store = await storeFor(io, options);
  try {
    const approval = await questionNamed(store, id);
    if (typeof approval === 'string') {
      say(io, approval);
      return EXIT.no;
    }
    const shown = await shownOf(store, approval);
    if (typeof shown === 'string') {
      if (options.json) writeJson(io, dataOf(approval));
      say(io, shown);
      return EXIT.no;
    }
    const record = await recordWith(io, options, store);
    await record.admit({ event: 'shown', approval: approval.id, channel: 'operator' });
    record.close();
    if (options.json) writeJson(io, { ...dataOf(approval), lines: shown.lines, facts: shown.facts });
    else print(io, textOf(shown));
    return EXIT.ok;
  } finally {
    store.close();
  }
};
