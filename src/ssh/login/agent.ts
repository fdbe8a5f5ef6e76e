import { connect } from 'node:net';
import { readBlob, string, uint32 } from '../trust/blob.ts';

/** A public key or certificate that an ssh-agent holds, and what it is called there. */
export type Identity = { readonly blob: Buffer; readonly comment: string };

/** An ssh-agent behind its socket (draft-miller-ssh-agent): whatever it holds, certificates and security keys too. */
export type Agent = {
  /** Rejects when the agent does not answer as an agent. */
  readonly identities: () => Promise<readonly Identity[]>;
  /** The whole signature blob; undefined when the agent will not sign. */
  readonly sign: (blob: Buffer, data: Buffer, flags: number) => Promise<Buffer | undefined>;
};

/** Asks an RSA key for a signature with SHA-2 in place of SHA-1. */
export const RSA_SHA2: Readonly<Record<string, number>> = { 'rsa-sha2-256': 2, 'rsa-sha2-512': 4 };

const MESSAGE = { failure: 5, askIdentities: 11, identities: 12, askSignature: 13, signature: 14 } as const;
const MAX_BYTES = 256 * 1024;
const ANSWER_MS = 10_000;
/** A person may have to touch a key, or to say yes. */
const SIGN_MS = 60_000;

/** An agent at a socket, or at a named pipe; each question has a connection of its own, which ends with `signal`. */
export const agentAt = (socket: string, signal: AbortSignal): Agent => ({
  identities: async () => {
    const answer = await ask(socket, Buffer.of(MESSAGE.askIdentities), ANSWER_MS, signal);
    const identities = readBlob(answer, ({ byte, uint32: count, bytes, more }) => {
      if (byte() !== MESSAGE.identities) return undefined;
      const all: Identity[] = [];
      for (let left = count(); left > 0 && more(); left--)
        all.push({ blob: Buffer.from(bytes()), comment: bytes().toString() });
      return all;
    });
    if (identities === undefined) throw new Error('it does not answer as an agent does');
    return identities;
  },
  sign: async (blob, data, flags) => {
    const request = [Buffer.of(MESSAGE.askSignature), string(blob), string(data), uint32(flags)];
    const answer = await ask(socket, Buffer.concat(request), SIGN_MS, signal);
    return readBlob(answer, ({ byte, bytes }) => (byte() === MESSAGE.signature ? bytes() : undefined));
  },
});

/** One question and its answer, without its length. */
const ask = (path: string, question: Buffer, timeoutMs: number, signal: AbortSignal): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect({ path, signal });
    let heard = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('it does not answer')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('it closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < 4) return;
      const length = heard.readUInt32BE();
      if (length > MAX_BYTES) socket.destroy(new Error('its answer is too long'));
      if (length > MAX_BYTES || heard.length < 4 + length) return;
      resolve(heard.subarray(4, 4 + length));
      socket.destroy();
    });
    socket.write(string(question));
  });
