import type { Forward } from '../../call.ts';
import { ipOf } from '../../text/network.ts';
import { plainHost } from '../../text/plain-host.ts';
import type { Page } from './book.ts';
import { compileAddress, type Likeness, rangeOf } from './newcomer.ts';
import type { Rule } from './rule.ts';
import { deniedBy, grantedAsAsked, type Ruling, ungranted } from './ruling.ts';

/** What a rule says of tunnels. */
export type Tunnels = {
  readonly direction: (direction: Forward['direction']) => boolean;
  readonly address: (host: string) => Likeness;
  readonly port: (port: number) => boolean;
};

/** Where a tunnel may lead unless a grant says where: the loopback of who dials. */
export const OWN_ADDRESSES = ['localhost', '127.0.0.0/8', '::1'] as const;

type Raw = {
  readonly effect?: unknown;
  readonly directions?: readonly Forward['direction'][] | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly (number | string)[] | undefined;
};

/** A grant is of local tunnels to the loopback unless it says more, and a deny of all unless it says less. */
export const compileTunnels = ({ effect, directions, addresses, ports }: Raw): Tunnels => {
  const denies = effect === 'deny';
  const ways = directions ?? (denies ? ['local', 'remote'] : ['local']);
  const likeness = (addresses ?? (denies ? [] : OWN_ADDRESSES)).map(compileAddress);
  const ranges = (ports ?? (denies ? ['1-65535'] : [])).map(rangeOf);
  return {
    direction: direction => ways.includes(direction),
    address: host => {
      if (denies && addresses === undefined) return 'yes';
      const said = likeness.map(each => each(host));
      return said.find(each => each === 'yes') ?? said.find(each => each === 'maybe') ?? 'no';
    },
    port: port => ranges.some(([from, to]) => port >= from && port <= to),
  };
};

/** Judges a tunnel by where it leads: granted by one rule as a whole, restrained by every rule that it may be meant by. */
export const judgeForward = (page: Page, at: number, action: Forward): Ruling => {
  const { direction, to, target } = action;
  if (plainHost(to.host) !== to.host) return ungranted('The place where the tunnel would lead is not written plainly.');
  const isMeant = (rule: Rule): boolean =>
    rule.does('forward') && rule.inForce(at) && rule.tunnels.direction(direction) && rule.tunnels.port(to.port);
  const felt = page.restraints.filter(rule => isMeant(rule) && rule.tunnels.address(to.host) !== 'no');
  const denies = felt.filter(({ effect }) => effect === 'deny');
  const denied = denies.find(rule => rule.tunnels.address(to.host) === 'yes');
  if (denied !== undefined) return deniedBy(denied);
  const grants = page.grants.filter(rule => rule.does('forward') && rule.inForce(at));
  const granting = new Set(grants.filter(rule => isMeant(rule) && rule.tunnels.address(to.host) === 'yes'));
  if (granting.size === 0) return ungranted(whyNot(grants, action) ?? `No rule grants a tunnel on ${target.host}.`);
  return grantedAsAsked(granting, {
    asking: new Set(felt.filter(({ effect }) => effect === 'ask')),
    doubtful: new Set(denies),
  });
};

/** Of several rules, the words of the one that understood most. */
const whyNot = (grants: readonly Rule[], { direction, to }: Forward): string | undefined => {
  const reasons = grants.map(({ id, tunnels }) => {
    if (!tunnels.direction(direction)) return { step: 0, why: `The rule ${id} grants no ${direction} tunnel.` };
    const no = `The rule ${id} does not let a tunnel lead to`;
    if (tunnels.address(to.host) !== 'yes') return { step: 1, why: `${no} ${to.host}${ipOf(to.host) ? '.' : NAMES}` };
    return { step: 2, why: `${no} port ${to.port} of ${to.host}.` };
  });
  const [first, ...rest] = reasons;
  return rest.reduce((best, each) => (best !== undefined && each.step > best.step ? each : best), first)?.why;
};

const NAMES = ': names are granted by their names, and networks grant none.';
