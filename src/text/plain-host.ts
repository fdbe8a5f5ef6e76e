import { type Ip, ipOf } from './network.ts';

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const LAST = /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const LONGEST = 253;

/**
 * A place in the one form in which it is judged and dialled: a DNS name in small letters without a last dot, or an IP address
 * (RFC 5952; IPv4 within IPv6 is IPv4). Undefined for what some resolver takes for something else, such as `0x7f.1` or `127.1`, and
 * for `0.0.0.0` and `::`, by which Linux dials its own loopback.
 */
export const plainHost = (text: string): string | undefined => {
  const ip = ipOf(text);
  if (ip?.value === 0n) return undefined;
  if (ip !== undefined) return ip.bits === 32 ? dotted(ip) : grouped(ip);
  const name = text.replace(/\.$/, '');
  const labels = name.split('.');
  const isName = LAST.test(labels.at(-1) ?? '') && labels.every(label => LABEL.test(label));
  return isName && name.length <= LONGEST ? name.toLowerCase() : undefined;
};

const dotted = ({ value }: Ip): string => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.');

const grouped = ({ value }: Ip): string => {
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const runs = [...groups.join(':').matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  const whole = groups.join(':');
  return longest === '' ? whole : whole.replace(new RegExp(`(?:^|:)${longest}(?::|$)`), '::');
};
