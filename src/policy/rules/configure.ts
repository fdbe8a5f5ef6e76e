import type { Configure } from '../../call.ts';
import { type Denial, denial } from '../decision.ts';
import type { Rulebook } from './book.ts';
import type { Likeness } from './newcomer.ts';
import type { Rule } from './rule.ts';
import { deniedBy, grantedAsAsked, type Ruling, ungranted } from './ruling.ts';

/** What holds where a document has no rules: their absence lets tools run what they will, but never choose the hosts. */
export const UNRULED: Denial = denial(
  '(no rule)',
  'The list of hosts is changed by agents only where a rule grants configure, and the policy has no rules.',
);

/** A change of the list of hosts: granted by one rule as a whole, restrained by every rule that it may be meant by. */
export const judgeConfigure = (book: Rulebook, action: Configure, at: number): Ruling => {
  const isMeant = (rule: Rule): boolean => rule.does('configure') && rule.inForce(at);
  const felt = book.at(action.target).restraints.filter(rule => isMeant(rule) && mayMean(rule, action) !== 'no');
  const denies = felt.filter(({ effect }) => effect === 'deny');
  const denied = denies.find(rule => mayMean(rule, action) === 'yes');
  if (denied !== undefined) return deniedBy(denied);
  const { host } = action.target;
  if (action.change === 'remove' && !action.own)
    return ungranted(`${host} was not added by an agent of this grant: only a person takes it away.`);
  const meant = book.rules.filter(rule => rule.effect !== 'deny' && isMeant(rule));
  const refusals = meant.map(rule => hindrance(rule, action));
  const granting = new Set(meant.filter((_, index) => refusals[index] === undefined));
  if (granting.size === 0) return ungranted(furthest(refusals) ?? 'No rule lets the list of hosts be changed.');
  return grantedAsAsked(granting, {
    asking: new Set(felt.filter(({ effect }) => effect === 'ask')),
    doubtful: new Set(denies),
  });
};

/** Whether a rule that restrains is about this change of hosts that it covers; a deny that says where they lie is about those that come. */
export const mayMean = ({ effect, newcomers }: Rule, action: Configure): Likeness => {
  const { address, port } = action.target;
  if (action.change === 'remove') return effect === 'deny' && newcomers.placed ? 'no' : 'yes';
  return newcomers.port(port) ? newcomers.address(address) : 'no';
};

/** Of several rules, the one that understood most. */
const furthest = (refusals: readonly (Hindrance | undefined)[]): string | undefined =>
  refusals.reduce((best, each) => (each !== undefined && each.step > (best?.step ?? -1) ? each : best), undefined)?.why;

type Hindrance = { readonly step: number; readonly why: string };

/** Why a rule does not grant a change. Tags that an agent chose make no host one of a rule's: its name must. */
const hindrance = (rule: Rule, action: Configure): Hindrance | undefined => {
  const { id, covers, newcomers } = rule;
  const { host, user, address, port, tags } = action.target;
  const no = (step: number, why: string): Hindrance => ({ step, why: `The rule ${id} ${why}.` });
  const whole = { host, user, tags: [] };
  if (!covers(whole)) return no(0, `does not let ${host} be added or removed, as ${user}`);
  if (action.change === 'remove') return undefined;
  const { like } = action;
  if (like.user !== user || !covers(like))
    return no(1, `does not let it be like ${like.host}, which is not one of its hosts`);
  if (newcomers.address(address) !== 'yes') return no(2, `does not let ${address} be added`);
  if (!newcomers.port(port)) return no(3, `does not let port ${port} be added`);
  return newcomers.tags(tags) ? undefined : no(4, `does not let these tags be given: ${tags.join(', ')}`);
};
