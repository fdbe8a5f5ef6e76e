import type { Because, Denial, DenialCode } from '../policy/decision.ts';
import type { Approval } from '../state/approval.ts';
import type { Question } from './asking.ts';

/** How long a call waits for operators at the most; clients give up on calls not much later. */
export const PATIENCE_MS = 45_000;

/** How an asking went that did not end in a yes. */
export type Outcome =
  | 'stranger'
  | 'unshowable'
  | 'nobody'
  | 'declined'
  | 'silent'
  | 'refused'
  | 'unable'
  | 'accepted'
  | 'gone'
  | 'later'
  | 'required';

type Said = { readonly code: DenialCode; readonly says: string; readonly next?: string };

type More = {
  readonly question?: Question;
  /** A sentence that goes with it. */
  readonly why?: string | undefined;
  /** What else to do than is usual. */
  readonly next?: string;
  /** It is one host's part of a call for many. */
  readonly part?: boolean | undefined;
};

/** No, for now or for good, because of how asking went; the rule that asks is its first reason. */
export const askDenial = ({ because }: { readonly because: Because }, outcome: Outcome, more: More = {}): Denial => {
  const { code, says, next } = SAID[outcome];
  const { question, why = '', part = false } = more;
  const open = question !== undefined && (outcome === 'required' || outcome === 'later');
  const same = more.next ?? (outcome === 'required' ? nextFor(question?.id ?? 'ID', part) : next);
  return {
    effect: 'deny',
    code,
    because: [
      { rule: because[0].rule, reason: [because[0].reason, says, why].filter(Boolean).join(' ') },
      ...because.slice(1),
    ],
    ...(same === undefined ? {} : { next: same }),
    ...(open ? { approval: { id: question.id, expires_at: new Date(question.expiresAt).toISOString() } } : {}),
  };
};

const nextFor = (id: string, part: boolean): string =>
  `Ask the operator to answer it (sallyport approvals approve ${id}), then call again ${part ? 'for this host alone, with the same arguments otherwise' : 'with exactly the same arguments'}.`;

const SAID: Readonly<Record<Outcome, Said>> = {
  required: { code: 'APPROVAL_REQUIRED', says: 'An operator has not answered yet.' },
  later: { code: 'APPROVAL_REQUIRED', says: 'Whoever sits at this client is asked first.' },
  declined: { code: 'APPROVAL_DECLINED', says: 'Whoever was asked said no.' },
  refused: { code: 'APPROVAL_DECLINED', says: 'What came back is no yes.' },
  silent: { code: 'APPROVAL_EXPIRED', says: 'Nobody answered.' },
  gone: {
    code: 'APPROVAL_EXPIRED',
    says: 'The approval was used, or something that it was for has changed since: the policy, a host key, the time.',
    next: 'Call again to have it asked anew.',
  },
  unable: {
    code: 'APPROVAL_UNAVAILABLE',
    says: 'This client cannot be asked.',
    next: 'Ask the operator to run it, or to let operators approve it (approvals in config.json).',
  },
  accepted: { code: 'APPROVAL_EXPIRED', says: 'The yes came too late.' },
  nobody: {
    code: 'APPROVAL_UNAVAILABLE',
    says: 'Nobody can be asked here: this client cannot, and no approvers are configured.',
    next: 'Ask the operator to run it, to name approvers (approvals in config.json), or to allow it without approval.',
  },
  stranger: {
    code: 'APPROVAL_UNAVAILABLE',
    says: 'The key of the host is not known, so nobody could tell which host it is.',
    next: 'A person enrols the key with sallyport hosts trust.',
  },
  unshowable: {
    code: 'APPROVAL_UNAVAILABLE',
    says: 'It cannot be shown whole to whoever would be asked: it is too long, or holds binary data.',
    next: 'Make it shorter, in several calls, or ask the operator to run it.',
  },
};

/** No, because this grant has asked enough for now. */
export const noRoom = (reason: string, retryAfterMs: number): Denial => ({
  effect: 'deny',
  code: 'RATE_LIMITED',
  because: [{ rule: '(asking)', reason }],
  retryAfterMs,
});

/** `4:31`. */
export const countdown = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

/** What has become of a question that operators were asked; undefined while it waits, or is answered. */
export const standingOf = (
  call: { readonly because: Because },
  question: Question,
  approval: (Approval & { readonly leftMs: number }) | undefined,
): Denial | undefined => {
  switch (approval?.stance) {
    case 'asked':
      return undefined;
    case 'declined':
      return askDenial(call, 'declined', { question, why: approval.note });
    case 'expired':
      return askDenial(call, 'silent', { question });
    default:
      return askDenial(call, 'gone', { question });
  }
};
