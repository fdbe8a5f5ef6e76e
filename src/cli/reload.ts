import type { Audit } from '../audit/record.ts';
import type { Log } from '../call.ts';
import { LivePolicy, type News } from '../config/live-policy.ts';
import { lookAt, type Sight, watchFile } from '../config/watch.ts';
import { formatProblem } from '../errors.ts';
import type { Gate } from '../gate/gate.ts';
import { NO_POLICY, type Policy, visibility } from '../policy/decide.ts';
import type { Fleet } from '../ssh/fleet.ts';
import { TOOLS } from '../tools/index.ts';
import type { Io } from './io.ts';

type Parts = { readonly audit: Audit; readonly log: Log; readonly gate: Gate; readonly fleet: Pick<Fleet, 'rejudge'> };

/** A file that is followed, and what stood in it when it was read. */
export type Followed = { readonly file: string; readonly text: string | undefined };

/** Puts each new state of the policy's file into force while it is followed; the result ends that. `toolsChanged` is told when others are shown. */
export const followPolicy = (
  { uid }: Pick<Io, 'uid'>,
  { file, text }: Followed,
  live: LivePolicy,
  parts: Parts & { readonly toolsChanged: () => void },
): (() => void) => {
  const known: Sight = text === undefined ? { kind: 'absent' } : { kind: 'text', text };
  return watchFile({ path: file, uid, known }, sight => {
    const news = live.take(sight);
    if (!news.taken) refused(file, news, parts);
    else taken(file, news, parts);
  });
};

const taken = (
  file: string,
  { policy, was }: Extract<News, { taken: true }>,
  { audit, log, gate, fleet, toolsChanged }: Parts & { readonly toolsChanged: () => void },
): void => {
  // A document that says the same by other blanks or comments ends nothing.
  const revoked = policy.digest === was.digest ? 0 : gate.rejudge();
  if (policy.digest !== was.digest) fleet.rejudge();
  audit.note({ event: 'reload', ok: true, policy: policy.digest, was: was.digest, revoked });
  log('info', `${file} has changed and is in force`, { policy: policy.digest, was: was.digest, revoked });
  if (shown(policy) !== shown(was)) toolsChanged();
};

const shown = (policy: Policy): string =>
  TOOLS.map(({ name }) => name)
    .filter(name => visibility(policy, name))
    .join();

const refused = (
  file: string,
  { policy: { digest }, problems }: Extract<News, { taken: false }>,
  { audit, log }: Parts,
): void => {
  const [first] = problems;
  audit.note({
    event: 'reload',
    ok: false,
    policy: digest,
    problems: problems.length,
    reason: formatProblem(first),
  });
  const stays = digest === NO_POLICY.digest ? 'there is still no policy' : 'the last good policy stays in force';
  log('error', `${file} is not taken: ${stays}`, { policy: digest, problems: problems.length });
  for (const problem of problems) log('error', formatProblem(problem));
};

/** A policy that is judged and never obeyed, and how its file is followed. */
export type Candidate = { readonly candidate: LivePolicy<undefined>; readonly follow: () => () => void };

/** Takes a candidate as it stands now, and each time that it changes while it is followed. One that is broken is said, and harms nothing. */
export const takeCandidate = (file: string, log: Log): Candidate => {
  const candidate = new LivePolicy(file, undefined);
  // Nothing obeys it, so anybody's draft will do.
  const uid = undefined;
  const take = (sight: Sight): void => {
    const news = candidate.take(sight);
    if (news.taken) {
      log('info', `${file} is judged beside the policy`, { candidate: news.policy.digest });
      return;
    }
    const stays = news.policy === undefined ? 'none is judged' : 'the last good one is judged';
    log('error', `the candidate ${file} is not taken: ${stays}`, { problems: news.problems.length });
    for (const problem of news.problems) log('error', formatProblem(problem));
  };
  const known = lookAt(file, uid);
  take(known);
  return { candidate, follow: () => watchFile({ path: file, uid, known }, take) };
};
