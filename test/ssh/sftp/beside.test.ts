import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBeside } from '../../../src/ssh/sftp/beside.ts';
import { openSftp } from '../../../src/ssh/sftp/open.ts';
import { push } from '../../../src/ssh/sftp/push.ts';
import { after } from '../../../src/ssh/timer.ts';
import { testConnections } from '../../support/connections.ts';
import { relayTo } from '../../support/relay.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { untilTrue } from '../../support/until.ts';
import { sftpOn } from './sftp-on.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.close());

/** A connection over a line of so long a round trip at least. */
const over = async (roundTripMs: number) => {
  const relay = await relayTo(sshd.port, { delayMs: roundTripMs / 2 });
  const host = await sshd.host({ port: relay.port, hostKeys: [sshd.hostKeys[0]?.fingerprint ?? ''] });
  const connections = testConnections([host], { knownHosts: [] });
  const close = (): void => {
    connections.closeAll();
    relay[Symbol.dispose]();
  };
  return { web: connections.get('web'), [Symbol.dispose]: close };
};

test('on a short line one conversation is enough', async () => {
  await using one = await sftpOn(sshd);
  expect(await openBeside(one.connections.get('web'), { ...one.sftp, roundTripMs: 9 }, { after })).toEqual([]);
  expect(one.connections.get('web').channels()).toBe(1);
});

test('over a long line four more write one file together, each on a lane of its own, and give them back', async () => {
  await using temp = await tempFolder();
  using far = await over(12);
  const sftp = await openSftp(far.web, { after });
  expect(sftp.roundTripMs).toBeGreaterThanOrEqual(12);
  const others = await openBeside(far.web, sftp, { after });
  expect([others.length, far.web.channels()]).toEqual([4, 5]);
  const path = `${temp.path}/f`;
  const file = await sftp.open(path, 'new');
  const beside = await Promise.all(others.map(other => other.open(path, 'update')));
  const content = Buffer.concat(Array.from({ length: 30 }, (_, at) => Buffer.alloc(file.maxWrite, at)));
  await push(file, { at: 0, beside: Promise.resolve(beside) }, [content]);
  expect((await readFile(path)).equals(content)).toBe(true);
  for (const each of [sftp, ...others]) each.close();
  await untilTrue(() => far.web.channels() === 0);
});

test('only lanes that are free are taken, and nobody waits for one', async () => {
  using far = await over(12);
  const first = await openSftp(far.web, { after });
  const busy = await Promise.all(
    [1, 2, 3].map(() => far.web.exec('sleep 60', { attach: channel => channel.resume() })),
  );
  const others = await openBeside(far.web, first, { after });
  expect([others.length, far.web.channels()]).toEqual([1, 5]);
  for (const channel of busy) channel.close();
});
