import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../src/ssh/host.ts';
import { testFleet } from '../../support/fleet.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { untilTrue } from '../../support/until.ts';
import { reach, service, tunnelOn } from './tunnels.ts';

let sshd: Sshd;
let host: Host;
beforeAll(async () => {
  sshd = await startSshd();
  host = await sshd.host();
});
afterAll(() => sshd.close());

const WAYS = [
  ['local', 'ssh2'],
  ['local', 'openssh'],
  ['remote', 'ssh2'],
] as const;

/** What one side does: reads or not, writes so much, and then ends, breaks off or waits for the other. */
type Manner = { readonly bytes: number; readonly last: 'end' | 'reset' | 'destroy' | 'follow' };

const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const play = (
  socket: Socket,
  { bytes, last }: Manner,
): { readonly got: () => number; readonly ended: () => boolean } => {
  let [got, ended] = [0, false];
  socket.on('data', chunk => {
    got += chunk.length;
  });
  socket.on('end', () => {
    ended = true;
    if (last === 'follow') socket.end();
  });
  socket.write(Buffer.alloc(bytes, 1), () => {
    if (last === 'end') socket.end();
    if (last === 'reset') socket.resetAndDestroy();
    if (last === 'destroy') socket.destroy();
  });
  return { got: () => got, ended: () => ended };
};

test.each(WAYS)(
  'a %s tunnel by %s brings all that was sent before an end, and leaves nothing of any',
  async (direction, transport) => {
    const next = generator(31);
    const LASTS = ['end', 'end', 'reset', 'destroy', 'follow'] as const;
    const manner = (): Manner => ({
      bytes: next(4) === 0 ? next(400_000) : next(2_000),
      last: LASTS[next(LASTS.length)] ?? 'end',
    });
    const manners: Manner[] = [];
    const plays: ReturnType<typeof play>[] = [];
    await using far = await service(socket => {
      // The first four bytes say which of the manners is its own.
      socket.once('readable', () => {
        const number = (socket.read(4) as Buffer | null)?.readUInt32BE();
        const own = number === undefined ? undefined : manners[number];
        if (number !== undefined && own !== undefined) plays[number] = play(socket, own);
        // It was broken off before it had said who it is.
        else socket.destroy();
      });
    });
    using web = testFleet({ ...host, transport }, { knownHosts: sshd.knownHosts });
    const tunnel = await tunnelOn(web, { host: '127.0.0.1', port: far.port }, { direction });
    const open = new Set<Socket>();
    const one = async (): Promise<void> => {
      const number = manners.push(manner()) - 1;
      const theirs = manners[number] ?? expect.unreachable();
      const mine = manner();
      if (mine.last === 'follow' && theirs.last === 'follow') return;
      const socket = await reach(tunnel.view.listenPort);
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      const head = Buffer.alloc(4);
      head.writeUInt32BE(number);
      socket.write(head);
      const played = play(socket, mine);
      await once(socket, 'close').catch(() => undefined);
      const kind = (last: Manner['last']): boolean => last === 'end' || last === 'follow';
      if (!kind(mine.last) || !kind(theirs.last)) return;
      expect([played.got(), played.ended()]).toEqual([theirs.bytes, true]);
      await untilTrue(() => plays[number]?.got() === mine.bytes && plays[number]?.ended() === true);
    };
    for (let round = 0; round < 30; round++) await Promise.all(Array.from({ length: 8 }, one));
    await untilTrue(async () => (await tunnel.look()).connections === 0);
    await untilTrue(() => far.open.size === 0 && open.size === 0);
  },
);
