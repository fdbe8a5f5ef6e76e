/** An IP address as a number: 32 bits of IPv4, or 128 of IPv6. */
export type Ip = { readonly bits: 32 | 128; readonly value: bigint };

/** Addresses whose first `length` bits are those of `ip`. */
export type Network = { readonly ip: Ip; readonly length: number };

/** The address, or undefined for what is none in its plain form; IPv4 inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. */
export const ipOf = (text: string): Ip | undefined => {
  const v4 = v4Of(text);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  const v6 = v6Of(text);
  if (v6 === undefined) return undefined;
  return v6 >> 32n === 0xffffn ? { bits: 32, value: v6 & 0xffff_ffffn } : { bits: 128, value: v6 };
};

/** `10.0.0.0/8`, `fd00::/8` or one address; undefined when it is none of them, or has bits beyond its length. */
export const networkOf = (text: string): Network | undefined => {
  const [, address = '', digits] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const ip = ipOf(address);
  if (ip === undefined) return undefined;
  const length = digits === undefined ? ip.bits : Number(digits);
  if (length > ip.bits || (digits !== undefined && ip.bits === 32 && address.includes(':'))) return undefined;
  return head({ ip, length }, ip) << BigInt(ip.bits - length) === ip.value ? { ip, length } : undefined;
};

/** Whether an address lies in a network. */
export const contains = (network: Network, ip: Ip): boolean =>
  network.ip.bits === ip.bits && head(network, ip) === head(network, network.ip);

const head = ({ length }: Network, { bits, value }: Ip): bigint => value >> BigInt(bits - length);

/** Four decimal numbers without leading zeros: other readers take `010` for eight. */
const v4Of = (text: string): bigint | undefined => {
  if (!/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  return parts.every(part => part < 256) ? joined(parts, 8n) : undefined;
};

const v6Of = (text: string): bigint | undefined => {
  const [, before = '', tail = ''] = /^(.*:)([^:]*\.[^:]*)$/.exec(text) ?? [];
  const v4 = v4Of(tail);
  if (tail !== '' && v4 === undefined) return undefined;
  const plain = v4 === undefined ? text : `${before}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const halves = plain.split('::');
  const groups = halves.map(half => (half === '' ? [] : half.split(':')));
  const count = groups.flat().length;
  if (!groups.flat().every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  if (halves.length === 1 ? count !== 8 : halves.length !== 2 || count > 7) return undefined;
  const [first = [], last = []] = groups;
  const zeros = Array.from({ length: 8 - count }, () => '0');
  return joined(
    [...first, ...zeros, ...last].map(group => Number.parseInt(group, 16)),
    16n,
  );
};

const joined = (parts: readonly number[], bits: bigint): bigint =>
  parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
