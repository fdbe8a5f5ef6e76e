import { expect, test } from 'vitest';
import { isOneHost, networks } from '../../../src/ssh/dial/networks.ts';

test.each([
  ['everything when nothing is said', {}, ['10.0.0.1', '::1', 'fe80::1%eth0'], []],
  [
    'what is allowed and nothing else',
    { allow: ['10.0.0.0/8', 'fd00::/8'] },
    ['10.255.255.255', 'fd00::1'],
    ['11.0.0.0', '9.255.255.255', '::1', 'fe80::1'],
  ],
  [
    'nothing that is denied, allowed or not',
    { allow: ['10.0.0.0/8'], deny: ['10.0.0.0/24', '10.1.1.1'] },
    ['10.0.1.0', '10.1.1.2'],
    ['10.0.0.7', '10.1.1.1'],
  ],
  ['nothing when nothing is allowed', { allow: [] }, [], ['10.0.0.1', '::1']],
  [
    'IPv4 inside IPv6 as the IPv4 that it is',
    { deny: ['169.254.0.0/16'] },
    ['::ffff:10.0.0.1', '::1'],
    ['::ffff:169.254.169.254', '::FFFF:a9fe:a9fe', '0:0:0:0:0:ffff:169.254.169.254', '169.254.169.254'],
  ],
  ['IPv4 apart from all of IPv6', { deny: ['::/0'] }, ['10.0.0.1', '::ffff:10.0.0.1'], ['::1', '2001:db8::1']],
  ['IPv6 apart from all of IPv4', { deny: ['0.0.0.0/0'] }, ['::1'], ['10.0.0.1', '::ffff:10.0.0.1']],
  ['a link-local address by whichever interface', { deny: ['fe80::/10'] }, ['fec0::1%1'], ['fe80::1%eth0', 'fe80::1']],
  ['no text that is no address', {}, [], ['', 'web-1', '127.1', '0x7f000001', '2130706433', '010.0.0.1', '10.0.0.1/8']],
])('may be dialled: %s', (_what, given, yes, no) => {
  const mayDial = networks(given);
  expect([yes.filter(address => !mayDial(address)), no.filter(address => mayDial(address))]).toEqual([[], []]);
});

test.each(['10.0.0.0/33', '10.0.0.0/', 'web-1', '', '10.0.0.0/8/8', '::/129'])(
  '%j is no network, and is never taken for one',
  text => {
    expect(() => networks({ deny: [text] })).toThrow('not a network');
    expect(() => networks({ allow: [text] })).toThrow('not a network');
  },
);

test('an address that is nobody, or many, is not one host', () => {
  const none = [
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::ffff:0.0.0.0',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    'ff02::1',
    'ff02::1%eth0',
    'web-1',
  ];
  const one = ['127.0.0.1', '10.0.0.255', '::1', 'fe80::1%eth0', '1.0.0.0', '223.255.255.255'];
  expect([none.filter(isOneHost), one.filter(isOneHost)]).toEqual([[], one]);
});
