import { outcomeOf } from '../command/outcome.ts';
import type { Fleet } from '../fleet.ts';
import { once } from '../giving-up.ts';
import { handleOf } from '../handle-of.ts';
import type { Terminals } from '../terminal/terminals.ts';
import type { Sessions } from './sessions.ts';

/** The part of the fleet that is about sessions, managed ones and those on terminals. */
export type SessionDesk = Pick<Fleet, 'open' | 'send' | 'session' | 'end'>;

/** Opens, uses and ends sessions of either kind; a handle says by itself of which it is. */
export const createSessionDesk = (sessions: Sessions, terminals: Terminals): SessionDesk => ({
  open: async (permit, signal) => {
    const action = permit.spend();
    if (action.mode !== 'managed') {
      const { terminal, ended } = await terminals.open(permit, action, signal);
      permit.livesUntil(ended);
      return terminal;
    }
    const { session, ended } = await sessions.open(permit, action, signal);
    permit.livesUntil(ended);
    once(permit.revoked, () => sessions.revoke(session.id));
    return session;
  },
  send: async (permit, signal) => {
    const action = permit.spend();
    if (action.kind === 'type') return { kind: 'typed', ...(await terminals.type(permit.grant, action)) };
    const sent = await sessions.send(permit, action, signal);
    if (sent.line.kind === 'command') permit.livesUntil(outcomeOf(sent.line.command));
    return { kind: 'line', ...sent };
  },
  session: permit => {
    const id = handleOf(permit, 'session');
    return sessions.find(permit.grant, id) ?? terminals.get(permit.grant, id);
  },
  end: async permit => {
    const id = handleOf(permit, 'session');
    const kept = sessions.find(permit.grant, id) === undefined ? terminals : sessions;
    return await kept.end(permit.grant, id);
  },
});
