import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { homeOf, pathIn } from '../config/paths.ts';
import { signedText, trueVoices } from '../gate/voices.ts';
import { type Approval, leftMs, type Voice } from '../state/approval.ts';
import type { Store } from '../state/store.ts';
import { dataOf, questionNamed, recordWith, type Shown, shownOf, storeFor, textOf } from './approvals-desk.ts';
import { readLists, sign, verifyWith } from './approvers.ts';
import { keygenPlace } from './asking.ts';
import type { Request } from './commands.ts';
import { Environment, EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { ask, isAttended } from './prompt.ts';

/** `approvals approve`: shows the question, has its host typed, signs, and hands the signature in; 1 when it was not approved. */
export const approvalsApprove = async (io: Io, request: Request): Promise<number> =>
  await answering(io, request, async ({ store, shown, admit }) => {
    const { options, flags } = request;
    const { config } = loadConfig(options, io);
    const note = noteFrom(request);
    const key = keyFrom(io, request, config);
    const lists = config.approvals.allowedSigners === undefined ? NO_SIGNERS : readLists(config.approvals, io);
    if (typeof lists === 'string') throw new Environment(lists);
    if (!(await isMeant(io, shown, flags.get('host')?.[0]))) return EXIT.no;
    const place = keygenPlace(io, options, config);
    const { id } = shown.approval;
    const time = io.clock.wallMs();
    const text = signedText(shown.approval, { note, time });
    const signed = await sign(place, key, { text, attended: isAttended(io) });
    if ('why' in signed) throw new Environment(`Nothing was signed: ${signed.why}.`);
    const signer = await verifyWith(lists, place, { text, signature: signed.signature });
    if (typeof signer === 'string') {
      say(io, `It was signed, and would not count. ${signer}`);
      return EXIT.no;
    }
    await admit({ event: 'answered', approval: id, decision: 'approved', by: [signer], ...noted(note) });
    const after = await store.approvals.say(id, { ...signer, ...signed, note, time });
    if (after === undefined) return tooLate(io, id);
    const verify = (text: string, { signature }: Voice) => verifyWith(lists, place, { text, signature });
    const said = { ...shown.approval, voices: after.voices, terms: after };
    const by = await trueVoices(said, Number.NEGATIVE_INFINITY, verify, time);
    const more = Math.max(0, shown.facts.approvers - by.length);
    return approved(io, after, { json: options.json, name: signer.principal, more });
  });

/** `approvals deny`: ends a question with a no, which anybody of this account may say. */
export const approvalsDeny = async (io: Io, request: Request): Promise<number> =>
  await answering(io, request, async ({ store, shown, admit }) => {
    const note = noteFrom(request);
    const { id } = shown.approval;
    await admit({ event: 'answered', approval: id, decision: 'declined', by: 'operator', ...noted(note) });
    const after = await store.approvals.end(id, 'declined', note === '' ? undefined : note);
    if (after === undefined) return tooLate(io, id);
    if (request.options.json) writeJson(io, dataOf({ ...after, leftMs: 0 }));
    else print(io, `${id}: declined.`);
    return EXIT.ok;
  });

const NO_SIGNERS = 'config.json names no approvers: set approvals.allowedSigners (docs/approval.md).';

const noted = (note: string): { readonly note?: string } => (note === '' ? {} : { note });

type Desk = {
  readonly store: Store;
  readonly shown: Shown;
  readonly admit: Awaited<ReturnType<typeof recordWith>>['admit'];
};

/** Shows the question that is meant; that it was shown is on record before any answer is. */
const answering = async (
  io: Io,
  { options, operands: [id] }: Request,
  answer: (desk: Desk) => Promise<number>,
): Promise<number> => {
  const store = await storeFor(io, options);
  try {
    const approval = await questionNamed(store, id);
    const shown = typeof approval === 'string' ? approval : await shownOf(store, approval);
    if (typeof shown === 'string') {
      say(io, shown);
      return EXIT.no;
    }
    const { admit, close } = await recordWith(io, options, store);
    try {
      say(io, textOf(shown));
      await admit({ event: 'shown', approval: shown.approval.id, channel: 'operator' });
      return await answer({ store, shown, admit });
    } finally {
      close();
    }
  } finally {
    store.close();
  }
};

const approved = (
  io: Io,
  after: Approval,
  { json, name, more }: { json: boolean; name: string; more: number },
): number => {
  const rest = more === 0 ? 'it may run' : `${more} more ${more === 1 ? 'approver is' : 'approvers are'} needed`;
  if (json) writeJson(io, dataOf({ ...after, leftMs: leftMs(after, nowOf(io)) }));
  else print(io, `${after.id}: ${name} has approved it, ${rest}.`);
  return EXIT.ok;
};

const nowOf = ({ clock }: Io) => ({ wallMs: clock.wallMs(), monoMs: clock.monoMs(), bootId: clock.bootId });

const tooLate = (io: Io, id: string): number => {
  say(io, `${id} was answered, or ran out, meanwhile.`);
  return EXIT.no;
};

/** A person types the host's name; a script gives it as a flag. */
const isMeant = async (io: Io, { facts: { host } }: Shown, given: string | undefined): Promise<boolean> => {
  if (given === undefined && !isAttended(io))
    throw new Usage(`without a terminal the host is given too: --host ${host}`);
  const typed = given ?? (await ask(io, `\nType ${host} to approve it, anything else to leave it: `));
  if (typed !== host) say(io, `${JSON.stringify(typed)} is not ${host}: it is not approved, and waits on.`);
  return typed === host;
};

const MOST_NOTE = 500;

const noteFrom = ({ flags }: Request): string => {
  const note = flags.get('note')?.[0] ?? '';
  if (note.length > MOST_NOTE || /\p{C}/u.test(note))
    throw new Usage(`--note must be one line of at most ${MOST_NOTE} characters`);
  return note;
};

const keyFrom = (io: Io, { flags }: Request, { approvals }: Config): string => {
  const typed = flags.get('key')?.[0];
  if (typed !== undefined) return io.resolve(pathIn('.', typed, homeOf(io.env)));
  if (approvals.key !== undefined) return approvals.key;
  throw new Environment('There is no key to sign with: give --key FILE, or set approvals.key in config.json.');
};
