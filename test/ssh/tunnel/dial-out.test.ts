import type { LookupAddress } from 'node:dns';
import { connect, type NetConnectOpts } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialOut } from '../../../src/ssh/dial/dial-out.ts';
import { networks } from '../../../src/ssh/dial/networks.ts';
import { echo, type Service, service } from './tunnels.ts';

let echoes: Service;
beforeAll(async () => {
  echoes = await service(echo);
});
afterAll(async () => await echoes[Symbol.asyncDispose]());

type Names = Readonly<Record<string, readonly string[]>>;

/** A network in which every connection leads to the same service, and what was asked of it. */
const networkOf = (names: Names, mayDial = networks({})) => {
  const asked: string[] = [];
  const dialled: string[] = [];
  const lookUp = async (name: string): Promise<readonly LookupAddress[]> => {
    asked.push(name);
    const found = names[name];
    if (found === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return {
    asked,
    dialled,
    mayDial,
    lookUp,
    connect: (options: NetConnectOpts) => {
      const look = 'lookup' in options ? options.lookup : undefined;
      look?.('', { all: true }, (_error: unknown, all: string | LookupAddress[]) => {
        for (const one of [all].flat()) dialled.push(typeof one === 'string' ? one : one.address);
      });
      return connect({ host: '127.0.0.1', port: echoes.port });
    },
  };
};
const never = new AbortController().signal;

const NAMES: Names = {
  'db.internal': ['10.0.0.1', 'fd00::1'],
  'rebound.internal': ['127.0.0.1'],
  'half.internal': ['10.0.0.1', '127.0.0.1'],
  'six.internal': ['::1'],
  'clothes.internal': ['::ffff:127.0.0.1'],
  'metadata.internal': ['169.254.169.254'],
  'link.internal': ['fe80::1'],
  'all.internal': ['0.0.0.0'],
  'many.internal': ['224.0.0.1'],
  'none.internal': [],
  'other.internal': ['10.0.0.1', '192.0.2.1'],
};

test.each<[string, readonly string[], readonly string[]]>([
  ['db.internal', ['10.0.0.1', 'fd00::1'], ['db.internal']],
  ['localhost', ['127.0.0.1', '::1'], []],
  ['127.0.0.1', ['127.0.0.1'], []],
  ['169.254.169.254', ['169.254.169.254'], []],
  ['192.0.2.9', ['192.0.2.9'], []],
])('%s is dialled at %j', async (host, dialled, asked) => {
  const network = networkOf(NAMES);
  (await dialOut({ host, port: 1 }, network, never)).destroy();
  expect([network.dialled, network.asked]).toEqual([dialled, asked]);
});

test.each(Object.keys(NAMES).filter(name => !/^(db|other)/.test(name)))(
  '%s is not dialled: a name stands for no loopback, no link, and nothing that is not one host',
  async host => {
    const network = networkOf(NAMES);
    await expect(dialOut({ host, port: 1 }, network, never)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `${host}:1 is not dialled: it stands for an address that may not be.`,
    });
    expect(network.dialled).toEqual([]);
  },
);

describe('networks of the configuration and the policy', () => {
  const tens = networks({ allow: ['10.0.0.0/8', '127.0.0.1'] });

  test.each([
    ['10.9.9.9', ['10.9.9.9']],
    ['localhost', ['127.0.0.1']],
  ])('let %s be dialled', async (host, dialled) => {
    const network = networkOf(NAMES, tens);
    (await dialOut({ host, port: 1 }, network, never)).destroy();
    expect(network.dialled).toEqual(dialled);
  });

  test.each(['192.0.2.1', 'other.internal', 'db.internal', '::1'])('do not let %s be dialled', async host => {
    const network = networkOf(NAMES, tens);
    await expect(dialOut({ host, port: 1 }, network, never)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(network.dialled).toEqual([]);
  });
});

test('a name that nobody knows is said to be that', async () => {
  await expect(dialOut({ host: 'gone.internal', port: 5 }, networkOf({}), never)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: 'gone.internal:5 has an address that no name server knows.',
  });
});

test('what is given up while its name is looked up is not dialled', async () => {
  const giveUp = new AbortController();
  const network = { ...networkOf(NAMES), lookUp: () => new Promise<never>(() => {}) };
  const dialling = dialOut({ host: 'db.internal', port: 1 }, network, giveUp.signal);
  giveUp.abort();
  await expect(dialling).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(network.dialled).toEqual([]);
});
