import type { Observe, Stop } from '../call.ts';
import { Failure } from '../errors.ts';
import type { Permit } from '../gate/permit.ts';

/** The handle that a permitted look or stop is about. */
export const handleOf = (permit: Permit<Observe> | Permit<Stop>, what: 'command' | 'session' | 'tunnel'): string => {
  const action = permit.spend();
  if (action.what === what && 'id' in action) return action.id;
  throw new Failure('DEFECT', `A permit to ${action.kind} ${action.what} was spent on a ${what}.`);
};
