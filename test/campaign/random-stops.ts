import { setTimeout } from 'node:timers/promises';
import type { Action } from '../../src/call.ts';
import { Failure } from '../../src/errors.ts';
import { mint, type Permit } from '../../src/gate/permit.ts';
import type { End, StopReport } from '../../src/ssh/command/end.ts';
import type { Command } from '../../src/ssh/fleet.ts';
import { runOf, type TestFleet } from '../support/fleet.ts';
import { type Chance, oneOf } from './chance.ts';
import type { Ground } from './ground.ts';
import { leftIn, type Stage, stageOn } from './stops.ts';
import { clear } from './trace.ts';
import { TREES, type Tree } from './trees.ts';

/** Programs that end by themselves at about the time at which they are stopped; `leaves` may go on after them. */
const SHORT: readonly (Tree & { readonly leaves?: true })[] = [
  { what: 'nothing at all', text: () => ': >up' },
  { what: 'a short sleep', text: () => ': >up; sleep 0.1' },
  { what: 'a failure', text: () => ': >up; sleep 0.05; exit 3' },
  { what: 'one that kills itself', text: () => ': >up; sleep 0.05; kill -s KILL $$' },
  {
    what: 'a child that goes on alone',
    text: n => `: >up; setsid sleep ${n} >/dev/null 2>&1 & sleep 0.1`,
    leaves: true,
  },
  { what: 'a child that holds the output', text: n => `: >up; sleep ${n} & sleep 0.05` },
];

const HOW = ['cancel', 'give up', 'time-out', 'revoke', 'disconnect', 'twice', 'twice'] as const;
/** Nothing that ends a command takes longer, on whatever machine this runs. */
const DEADLINE_MS = 60_000;
/** The time from the beginning of a start at which it is stopped: before it is sent, while it is, and long after. */
const LATEST_MS = [0, 5, 30, 150, 600] as const;

type Trial = {
  readonly tree: Tree & { readonly leaves?: true };
  readonly how: (typeof HOW)[number];
  readonly atMs: number;
};

/** What became of so many stops at random, seeded: how often each outcome came, and what was wrong. */
export type Tally = { readonly outcomes: Map<string, number>; readonly problems: string[] };

/** Stops random trees at random moments in random ways, `width` of them at a time on one connection. */
export const randomStops = async (
  ground: Ground,
  next: Chance,
  { count, width = 5 }: { readonly count: number; readonly width?: number },
): Promise<Tally> => {
  const tally: Tally = { outcomes: new Map(), problems: [] };
  for (let done = 0; done < count; done += width) {
    using stage = stageOn(ground, { login: oneOf(next, ground.logins), warden: next(2) === 0 });
    // The moments are those of a command, not of the connection's dial.
    await stage.web.run('true');
    const trials = Array.from({ length: Math.min(width, count - done) }, (): Trial => {
      const tree =
        next(3) === 0
          ? oneOf(next, SHORT)
          : oneOf(
              next,
              TREES.filter(({ asRoot }) => asRoot !== true),
            );
      return { tree, how: oneOf(next, HOW), atMs: next(oneOf(next, LATEST_MS) + 1) };
    });
    await Promise.all(trials.map((trial, at) => attempt(ground, stage, trial, { tally, grant: `grant-${at}` })));
  }
  return tally;
};

const attempt = async (
  ground: Ground,
  { web }: Stage,
  trial: Trial,
  { tally, grant }: { readonly tally: Tally; readonly grant: string },
): Promise<void> => {
  const { tree, how, atMs } = trial;
  const place = await ground.place();
  const name = `${tree.what}, ${how} after ${atMs} ms`;
  const text = `cd ${place.path}; ${tree.text(place.seconds)}`;
  const ran = await Promise.race([
    stopOne(web, text, trial, grant).catch((error: unknown) => error),
    setTimeout(DEADLINE_MS, undefined, { ref: false }),
  ]);
  const outcome = outcomeOf(ran);
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
  if (ran === undefined) tally.problems.push(`${name} never ended`);
  if (outcome.startsWith('Error')) tally.problems.push(`${name}: ${outcome}`);
  // An end that says its output is still held says itself that something is alive.
  const claimed =
    !/unconfirmed|lost|^exited held$/.test(outcome) && !(tree.leaves === true && /exited|already/.test(outcome));
  const left = claimed ? await leftIn(tree, place.path) : [];
  await clear(place.path);
  if (left.length > 0) tally.problems.push(`${name} is ${outcome} and left ${left.join('; ')}`);
};

type Stopped = { readonly end: End; readonly reports: readonly StopReport[] };

const stopOne = async (web: TestFleet, text: string, { how, atMs }: Trial, grant: string): Promise<Stopped> => {
  const revoke = new AbortController();
  const giveUp = new AbortController();
  const permit = <A extends Action>(action: A): Permit<A> =>
    mint({ id: 'call_1', grant, tool: 'test', input: {}, action, at: 0 }, {}, revoke.signal);
  const timeoutMs = how === 'time-out' ? atMs + 1 : 600_000;
  const starting = web.fleet.run(permit(runOf(web.target, text, { timeoutMs })), giveUp.signal);
  starting.catch(() => undefined);
  await setTimeout(atMs);
  if (how === 'revoke') revoke.abort();
  if (how === 'give up') giveUp.abort();
  const disconnect = { kind: 'stop', what: 'connection', target: web.target } as const;
  if (how === 'disconnect') await web.fleet.disconnect(permit(disconnect));
  const command = await starting;
  const reports = await reportsOf(web, command, how, grant);
  const end = await command.ended;
  return { end, reports };
};

/** What was not stopped by what went before is cancelled: of every trial something is claimed. */
const reportsOf = async (
  web: TestFleet,
  command: Command,
  how: Trial['how'],
  grant: string,
): Promise<readonly StopReport[]> => {
  switch (how) {
    case 'time-out':
    case 'revoke':
      await command.ended;
      return [];
    case 'twice':
      return await Promise.all([web.cancel(command, grant), command.stop('revoked')]);
    default:
      return [await web.cancel(command, grant)];
  }
};

const isStopped = (value: unknown): value is Stopped =>
  typeof value === 'object' && value !== null && 'reports' in value;

const outcomeOf = (ran: unknown): string => {
  if (ran instanceof Failure) return ran.code;
  if (!isStopped(ran)) return ran === undefined ? 'never' : `Error ${String(ran)}`;
  const { end, reports } = ran;
  const said = 'stop' in end ? `${end.how} ${end.stop.outcome}` : end.how;
  const held = 'outputHeld' in end ? ' held' : '';
  return [`${said}${held}`, ...new Set(reports.map(({ outcome }) => outcome))].join(', ');
};
