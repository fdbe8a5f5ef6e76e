import { createHash } from 'node:crypto';
import { readStrings } from './blob.ts';
import type { HostKey } from './host-key.ts';

const [WIDTH, HEIGHT] = [17, 9];
const SHADES = ' .o+=*BOX@%&#/^';

/** A key's fingerprint as a picture, the one that `ssh-keygen -lv` draws: a bishop's walk over 17 by 9 squares, two bits a step. */
export const randomArt = (key: HostKey): string => {
  const visits = Array.from({ length: WIDTH * HEIGHT }, () => 0);
  const start = { x: 8, y: 4 };
  let { x, y } = start;
  for (const byte of createHash('sha256').update(key.blob).digest())
    for (let shift = 0; shift < 8; shift += 2) {
      x = within(x + ((byte >> shift) & 1 ? 1 : -1), WIDTH);
      y = within(y + ((byte >> shift) & 2 ? 1 : -1), HEIGHT);
      visits[y * WIDTH + x] = (visits[y * WIDTH + x] ?? 0) + 1;
    }
  const square = (count: number, at: number): string => {
    if (at === y * WIDTH + x) return 'E';
    if (at === start.y * WIDTH + start.x) return 'S';
    return SHADES[Math.min(count, SHADES.length - 1)] ?? ' ';
  };
  const squares = visits.map(square).join('');
  const rows = Array.from({ length: HEIGHT }, (_, row) => `|${squares.slice(row * WIDTH, (row + 1) * WIDTH)}|`);
  return [border(`[${titleOf(key)}]`), ...rows, border('[SHA256]')].join('\n');
};

const within = (place: number, size: number): number => Math.max(0, Math.min(size - 1, place));

const border = (title: string): string => {
  const before = Math.floor((WIDTH - title.length) / 2);
  return `+${`${'-'.repeat(before)}${title}`.padEnd(WIDTH, '-')}+`;
};

/** What ssh calls the type of a key, and its bits. */
const titleOf = ({ type, blob }: HostKey): string => {
  const bits = /nistp(\d+)/.exec(type)?.[1] ?? (type === 'ssh-rsa' ? modulusBits(blob) : 256);
  const kind = /(ed25519|ecdsa|rsa|dss)/.exec(type)?.[1]?.toUpperCase() ?? type;
  return `${kind === 'DSS' ? 'DSA' : kind}${type.startsWith('sk-') ? '-SK' : ''} ${bits}`;
};

const modulusBits = (blob: Buffer): number => {
  const modulus = readStrings(blob)?.[2] ?? Buffer.alloc(0);
  const first = modulus.findIndex(byte => byte !== 0);
  return (modulus.length - first) * 8 - (Math.clz32(modulus[first] ?? 0) - 24);
};
