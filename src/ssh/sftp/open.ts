import type { Connection, ExecOptions, Party, Peer } from '../connection/connection.ts';
import { givingUpWith, once } from '../giving-up.ts';
import type { After } from '../timer.ts';
import { greeting } from './ability.ts';
import { clientOf } from './client.ts';
import { Conversation } from './conversation.ts';
import { otherVersion } from './over.ts';
import type { Sftp } from './sftp.ts';
import { VERSION } from './wire.ts';

/** For whom a conversation is, and when to give it up. */
export type SftpOptions = {
  readonly by?: Party | undefined;
  /** Gives up waiting for it, and ends it at any time later: what is in flight then rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  readonly after: After;
  /** What has to be known of the far side before anything is sent there. */
  readonly suits?: ((peer: Peer) => Promise<void>) | undefined;
  /** Only on a lane that is free now: CANCELLED where it would have to wait for one. */
  readonly ifFree?: boolean;
  /** How long a server may owe an answer and say nothing at all; a minute unless given. */
  readonly silentMs?: number;
};

const SILENT_MS = 60_000;

/**
 * Begins a conversation with the SFTP server of a host, on a lane of its own until `close`. Rejects as `Connection.exec` does,
 * and with UNSUPPORTED where there is no SFTP server that speaks version 3.
 */
export const openSftp = async (connection: Connection, options: SftpOptions): Promise<Sftp> => {
  const { by, signal, after, ifFree = false, silentMs = SILENT_MS } = options;
  const { name } = connection.host;
  const conversation = new Conversation({ host: name, after, silentMs });
  const waiting = givingUpWith(signal);
  let roundTripMs = 0;
  const exec: ExecOptions = {
    ...{ by, subsystem: true, signal: waiting.signal },
    ...(ifFree ? { queued: waiting.now } : {}),
    suits: async peer => {
      await options.suits?.(peer);
      roundTripMs = peer.roundTripMs;
    },
    attach: channel => {
      const release = once(signal, () => conversation.close());
      channel.once('close', release);
      conversation.attach(channel);
    },
  };
  await connection.exec('sftp', exec).finally(waiting.release);
  const greeted = await conversation.greet(greeting);
  if (greeted.version === VERSION) return clientOf(conversation, greeted, roundTripMs);
  conversation.close();
  throw otherVersion(name, greeted.version);
};
