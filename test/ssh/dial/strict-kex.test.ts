import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, testConnections } from '../../support/connections.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd({ config: ['LogLevel DEBUG3'] });
});
afterAll(() => sshd.close());

/** SSH_MSG_IGNORE with nothing in it (RFC 4253 section 11.2), as it looks before there are keys. */
const IGNORE = Buffer.from('0000000c060200000000000000000000', 'hex');

/** Lets the server's first packet, its KEXINIT, pass, then puts something behind it, once. */
const putIn = (far: Socket, near: Socket, packet: Buffer): void => {
  let heard: Buffer = Buffer.alloc(0);
  const hear = (chunk: Buffer): void => {
    heard = Buffer.concat([heard, chunk]);
    const start = heard.indexOf('\n') + 1;
    if (start === 0 || heard.length < start + 4) return;
    const end = start + 4 + heard.readUInt32BE(start);
    if (heard.length < end) return;
    far.off('data', hear);
    near.write(Buffer.concat([heard.subarray(0, end), packet, heard.subarray(end)]));
    far.pipe(near);
  };
  far.on('data', hear);
};

/** What comes of a connection with somebody in between who puts this in. */
const through = async (packet: Buffer, marker: string): Promise<string> => {
  await using temp = await tempFolder();
  const between = createServer(near => {
    const far = connect(sshd.port, '127.0.0.1');
    for (const end of [near, far]) end.on('error', () => {});
    near.pipe(far);
    putIn(far, near, packet);
  });
  await new Promise<void>(resolve => between.listen(0, '127.0.0.1', resolve));
  const { port } = between.address() as AddressInfo;
  const known = await temp.write('known', `127.0.0.1 ${sshd.hostKeys[0]?.publicKey}\n${marker}`);
  using connections = testConnections([await sshd.host({ port })], { knownHosts: [known] });
  const said = await run(connections, 'printf in').then(
    ({ stdout }) => stdout,
    error => error.code,
  );
  between.close();
  return said;
};

test.each([
  ['keys alone are asked for', ''],
  [
    'certificates are asked for too',
    '@revoked * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS\n',
  ],
])('nobody in between can slip a packet into the key exchange (Terrapin) when %s', async (_title, marker) => {
  const before = sshd.log().length;
  expect(await through(Buffer.alloc(0), marker)).toBe('in');
  expect(sshd.log().slice(before)).toMatch(/will use strict KEX ordering/);
  expect(await through(IGNORE, marker)).toBe('UNREACHABLE');
});
