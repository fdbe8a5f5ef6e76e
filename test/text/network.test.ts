import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { contains, ipOf, networkOf } from '../../src/text/network.ts';

test.each([
  ['10.0.0.5', 32, 0x0a000005n],
  ['0.0.0.0', 32, 0n],
  ['255.255.255.255', 32, 0xffffffffn],
  ['::', 128, 0n],
  ['::1', 128, 1n],
  ['fd00::5', 128, 0xfd000000000000000000000000000005n],
  ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
  ['FD00:0:0::5', 128, 0xfd000000000000000000000000000005n],
  ['::ffff:10.0.0.5', 32, 0x0a000005n],
  ['::ffff:a00:5', 32, 0x0a000005n],
  ['64:ff9b::10.0.0.5', 128, 0x0064ff9b00000000000000000a000005n],
])('%s is an address', (text, bits, value) => {
  expect(ipOf(text)).toEqual({ bits, value });
});

test.each([
  ['127.1', 'fewer numbers'],
  ['0x7f000001', 'hexadecimal'],
  ['2130706433', 'one number'],
  ['010.0.0.5', 'a leading zero'],
  ['10.0.0.5.', 'a dot at the end'],
  ['10.0.0.256', 'a number over 255'],
  ['10.0.0', 'three numbers'],
  ['10.0.0.5 ', 'a blank'],
  ['1:2:3:4:5:6:7', 'seven groups'],
  ['1:2:3:4:5:6:7:8:9', 'nine groups'],
  ['1::2::3', 'two gaps'],
  ['::1%eth0', 'a zone'],
  ['[::1]', 'brackets'],
  ['::12345', 'a group of five digits'],
  ['1.2.3.4::', 'IPv4 in front'],
  ['', 'nothing'],
  ['web-1', 'a name'],
])('%j is no address: %s', text => {
  expect(ipOf(text)).toBeUndefined();
});

test('it says of arbitrary texts what the system says', () => {
  let seed = 7;
  const next = (most: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const pieces = ['0', '1', '9', '25', '255', '256', '.', '.', ':', '::', ':', 'f', 'ffff', 'a0', '10.0.0.1'];
  const wrong: string[] = [];
  let addresses = 0;
  for (let round = 0; round < 60_000; round += 1) {
    const text = Array.from({ length: 1 + next(14) }, () => pieces[next(pieces.length)]).join('');
    const known = isIP(text) !== 0;
    if (known) addresses += 1;
    if ((ipOf(text) !== undefined) !== known) wrong.push(text);
  }
  expect({ wrong, some: addresses > 300 }).toEqual({ wrong: [], some: true });
});

test.each([
  ['10.20.0.0/16', '10.20.255.255', true],
  ['10.20.0.0/16', '10.21.0.0', false],
  ['10.20.0.0/16', '::ffff:10.20.0.1', true],
  ['10.20.0.5', '10.20.0.5', true],
  ['0.0.0.0/0', '192.0.2.1', true],
  ['0.0.0.0/0', 'fd00::1', false],
  ['::/0', '192.0.2.1', false],
  ['fd00::/8', 'fdff::1', true],
  ['fd00::/8', 'fe00::1', false],
  ['10.20.0.7/32', '10.20.0.7', true],
])('%s has %s: %s', (network, address, inside) => {
  const [net, ip] = [networkOf(network), ipOf(address)];
  expect(net !== undefined && ip !== undefined && contains(net, ip)).toBe(inside);
});

test.each([
  '10.20.0.1/16',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/',
  '/8',
  'fd00::/129',
  '::ffff:10.0.0.0/104',
  'web/8',
])('%s is no network', text => {
  expect(networkOf(text)).toBeUndefined();
});
