import { wordsOf } from '../audit/bounds.ts';
import { type Audit, describe } from '../audit/record.ts';
import type { Action, Call, Log } from '../call.ts';
import type { Failure } from '../errors.ts';
import { limited, type Policy } from '../policy/decide.ts';
import type { Decision, Denial } from '../policy/decision.ts';
import type { Store, Ticket } from '../state/store.ts';
import type { Asking, Yes } from './ask.ts';
import type { OpenCall, Revocation } from './open-call.ts';
import { refusal, unanswerable, uncountable } from './refusal.ts';

/** A call that the policy lets through, or asks about. */
export type Judged<A extends Action = Action> = {
  readonly policy: Policy;
  readonly call: Call<A>;
  readonly host: string | undefined;
  readonly decision: Exclude<Decision<A>, Denial>;
};

type Desk = {
  readonly store: Store;
  readonly audit: Audit;
  readonly log: Log;
  readonly asking?: Asking;
  /** Records a refusal, and says it. */
  readonly refuse: (call: Call, policy: Policy, denial: Denial) => Failure;
};

/**
 * Takes what a judged call costs, with the leave that somebody gave in the same step, and puts it on record before it begins; throws
 * what stands in the way, with everything given back.
 */
export const reserve = async (desk: Desk, judged: Judged, open: OpenCall, yes?: Yes): Promise<Ticket | undefined> => {
  const asks = judged.decision.effect === 'ask';
  try {
    const ticket = asks ? await use(desk, judged, yes) : await charge(desk, judged);
    await admit(desk, judged, { ticket, approval: asks ? yes?.id : undefined });
    if (open.revocation !== undefined) throw await abandon(desk, judged.call, open.revocation, ticket);
    return ticket;
  } catch (error) {
    open.over();
    throw error;
  }
};

/** A charge that cannot be given back is the operator's to know, and no reason to fail the call. */
export const settle = async (log: Log, work: Promise<void>): Promise<void> => {
  await work.catch((error: unknown) => log('warn', 'a charge was not given back', { error: String(error) }));
};

const use = async ({ asking, refuse }: Desk, { call, policy, decision }: Judged, yes?: Yes): Promise<Ticket> => {
  if (asking === undefined || yes === undefined || decision.effect !== 'ask')
    throw refuse(call, policy, unanswerable(decision));
  const leave = await asking.use(yes, { ...decision, call, policy });
  if ('effect' in leave) throw refuse(call, policy, leave);
  return leave.ticket;
};

/** Takes every limit of the decision in one step, or refuses with the exact wait. */
const charge = async ({ store, refuse }: Desk, { call, policy, decision }: Judged): Promise<Ticket | undefined> => {
  if (decision.charges.length === 0) return undefined;
  const result = await store.charge(decision.charges).catch((error: unknown) => {
    throw refuse(call, policy, uncountable(decision, error));
  });
  if (result.ok) return result.ticket;
  throw refuse(call, policy, limited(result.short, result.retryAfterMs));
};

type Taken = { readonly ticket: Ticket | undefined; readonly approval: string | undefined };

/** No record, no run: what cannot be recorded gives its charges back. */
const admit = async ({ audit, store, log }: Desk, { call, policy, decision }: Judged, taken: Taken): Promise<void> => {
  const { id, grant, tool } = call;
  const { ticket, approval } = taken;
  try {
    await audit.admit({
      event: 'admitted',
      call_id: id,
      grant,
      tool,
      because: decision.because,
      ...wordsOf(call.input),
      action: describe(call.action, decision.action),
      ...(approval === undefined ? {} : { approval }),
      policy: policy.digest,
    });
  } catch (error) {
    if (ticket !== undefined) await settle(log, store.refund(ticket));
    throw error;
  }
};

/** What was revoked before it began: its record is ended, and its charges are given back. */
const abandon = async (
  { audit, store, log }: Desk,
  { id, grant, tool }: Call,
  { denial, policy }: Revocation,
  ticket?: Ticket,
): Promise<Failure> => {
  const end = { how: 'revoked' };
  audit.note({ event: 'ended', call_id: id, grant, tool, end, because: denial.because, policy });
  if (ticket !== undefined) await settle(log, store.refund(ticket));
  return refusal(denial, policy);
};
