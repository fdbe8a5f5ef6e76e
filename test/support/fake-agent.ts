import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { mpint, readBlob, string, uint32 } from '../../src/ssh/trust/blob.ts';
import { tempFolder } from './temp.ts';

/** A key that an agent of our own holds: what it shows, and how it signs. */
export type HeldKey = { readonly blob: Buffer; readonly sign: (data: Buffer) => Buffer | undefined };

/** An agent in this process that does as it is told. */
export type FakeAgent = AsyncDisposable & { readonly socket: string; readonly signed: () => number };

/** Starts one; `answer` stands in for all that an agent would say. */
export const startFakeAgent = async (keys: readonly HeldKey[], answer?: () => Buffer): Promise<FakeAgent> => {
  const temp = await tempFolder('sallyport-agent-');
  const socket = join(temp.path, 'agent.sock');
  let signed = 0;
  const reply = (request: Buffer): Buffer => {
    if (answer !== undefined) return answer();
    if (request[0] === 11) {
      const all = keys.map(({ blob }) => Buffer.concat([string(blob), string('a key')]));
      return string(Buffer.concat([Buffer.of(12), uint32(keys.length), ...all]));
    }
    const [blob, data] = readBlob(request, fields => {
      fields.byte();
      const both = [fields.bytes(), fields.bytes()];
      fields.uint32();
      return both;
    }) ?? [Buffer.alloc(0), Buffer.alloc(0)];
    const signature = keys.find(key => key.blob.equals(blob ?? Buffer.alloc(0)))?.sign(data ?? Buffer.alloc(0));
    if (signature === undefined) return string(Buffer.of(5));
    signed++;
    return string(Buffer.concat([Buffer.of(14), string(signature)]));
  };
  const server = createServer(client => {
    client.on('error', () => {});
    let heard: Buffer = Buffer.alloc(0);
    client.on('data', chunk => {
      // OpenSSH writes the length and the message apart.
      heard = Buffer.concat([heard, chunk]);
      while (heard.length >= 4 && heard.length >= 4 + heard.readUInt32BE(0)) {
        const end = 4 + heard.readUInt32BE(0);
        client.write(reply(heard.subarray(4, end)));
        heard = heard.subarray(end);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(socket, resolve));
  return {
    socket,
    signed: () => signed,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await temp.remove();
    },
  };
};

/** A security key (PROTOCOL.u2f) whose secret this process has: sshd cannot tell it from one in a box. */
export const securityKey = (
  kind: 'ed25519' | 'ecdsa',
): { readonly blob: Buffer; readonly sign: (data: Buffer) => Buffer; readonly publicKey: string } => {
  const pair = kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const type = kind === 'ed25519' ? 'sk-ssh-ed25519@openssh.com' : 'sk-ecdsa-sha2-nistp256@openssh.com';
  const blob = Buffer.concat([string(type), publicPart(pair.publicKey), string('ssh:')]);
  const signIt = (data: Buffer): Buffer => {
    const tail = Buffer.concat([Buffer.of(1), uint32(7)]);
    const signed = Buffer.concat([sha256(Buffer.from('ssh:')), tail, sha256(data)]);
    return Buffer.concat([string(type), string(rawSignature(pair.privateKey, signed)), tail]);
  };
  return { blob, sign: signIt, publicKey: `${type} ${blob.toString('base64')}` };
};

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

const publicPart = (key: KeyObject): Buffer => {
  const { x = '', y } = key.export({ format: 'jwk' });
  const [first, second] = [Buffer.from(x, 'base64url'), Buffer.from(y ?? '', 'base64url')];
  if (y === undefined) return string(first);
  return Buffer.concat([string('nistp256'), string(Buffer.concat([Buffer.of(4), first, second]))]);
};

const rawSignature = (key: KeyObject, data: Buffer): Buffer => {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, data, key);
  const pair = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([mpint(pair.subarray(0, 32)), mpint(pair.subarray(32))]);
};
