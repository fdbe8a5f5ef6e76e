import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Algorithms, AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import ssh2 from 'ssh2';
import type { Host, Login } from '../../src/ssh/host.ts';
import { makeKey } from './sshd.ts';
import { tempFolder } from './temp.ts';

/** One exec request, and what a rude host can do with it. */
export type Exec = {
  readonly command: string;
  /** The number that the client gave its channel. */
  readonly id: number;
  readonly connection: Connection;
  readonly accept: () => ServerChannel;
  readonly refuse: () => void;
  /** Ends the TCP connection without a goodbye. */
  readonly drop: () => void;
  /** Sends an exit status whatever state the channel is in, as the library would not. */
  readonly status: (code: number) => void;
  /** Sends end of file, likewise. */
  readonly eof: () => void;
  /** Closes the channel, likewise. */
  readonly close: () => void;
  /** Writes, likewise. */
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
};

/** What a rude host does with a command. */
export type Manner = (exec: Exec) => void;

/** Ways to misbehave. */
export const manners = {
  /** The well-behaved one: says what it was asked to run, exits 0. */
  polite: exec => {
    const channel = exec.accept();
    channel.write(`ran: ${exec.command}`);
    channel.exit(0);
    channel.end();
  },
  /** Answers neither yes nor no. */
  silent: () => {},
  refuse: exec => exec.refuse(),
  /** Closes the channel instead of an answer. */
  closeUnanswered: exec => exec.close(),
  /** Acceptance, status and close in one write. */
  instantly: exec => {
    exec.accept();
    exec.status(7);
    exec.eof();
    exec.close();
  },
  /** Reads its stdin to the end and goes on, until a signal or a close ends it. */
  patient: exec => {
    exec.accept().resume();
  },
  /** Some output, and then the line is cut. */
  drop: exec => {
    exec.accept().write('partial', () => exec.drop());
  },
  /** The end of file comes first, the status long after it. */
  eofBeforeStatus: exec => {
    exec.accept().write('early');
    exec.eof();
    setTimeout(() => {
      exec.status(5);
      exec.close();
    }, 50);
  },
  /** Output and a proper close, and no word about how it ended. */
  noStatus: exec => {
    exec.accept().write('what became of it?');
    exec.eof();
    exec.close();
  },
  /** Says 0 and then 1. */
  twoStatuses: exec => {
    exec.accept().write('which?');
    exec.status(0);
    exec.status(1);
    exec.eof();
    exec.close();
  },
  /** `é€😀` three times, each byte in a packet of its own, and on stderr as well. */
  splitCharacters: exec => {
    const channel = exec.accept();
    for (const byte of Buffer.from('é€😀'.repeat(3))) {
      channel.write(Buffer.of(byte));
      channel.stderr.write(Buffer.of(byte));
    }
    channel.exit(0);
    channel.end();
  },
  /** Writes without end, until somebody closes. */
  endless: exec => {
    const channel = exec.accept();
    const line = Buffer.from(`${'y'.repeat(1023)}\n`);
    const flood = (): void => {
      while (channel.writable && channel.write(line));
    };
    channel.on('drain', flood).on('error', () => {});
    exec.connection.on('close', () => channel.removeAllListeners('drain'));
    flood();
  },
} satisfies Record<string, Manner>;

export type Rudeness = {
  /** What becomes of a command; `polite` unless given. */
  readonly exec?: (command: string) => Manner;
  /** Refuses so many sessions before the first is opened; `Infinity` refuses all. */
  readonly refuseSessions?: number;
  /** Never answers the request for a session. */
  readonly ignoreSessions?: boolean;
  /** Decides about a login; unless given, every public key is let in and nothing else. */
  readonly login?: (context: AuthContext) => void;
  readonly algorithms?: Algorithms;
  readonly banner?: string;
  readonly greeting?: string;
  readonly ident?: string;
  /** Called when somebody has connected, before anything is said. */
  readonly onConnection?: (connection: Connection) => void;
  /** Called when somebody is logged in: to open channels towards them, to rekey. */
  readonly onReady?: (connection: Connection) => void;
  /** Called when a session was opened, before anything is asked of it. */
  readonly onSession?: (session: Pick<Exec, 'status' | 'write' | 'close'>) => void;
  /** Bytes that its channels ever take; as much as anybody's unless given. */
  readonly window?: number;
};

/** An SSH server in this process that misbehaves on command. */
export type RudeHost = AsyncDisposable & {
  readonly port: number;
  /** The path of a known_hosts file with its key, and the key's fingerprint. */
  readonly knownHosts: string;
  readonly fingerprint: string;
  readonly host: (overrides?: Partial<Host>) => Host;
  /** A key for logging in; every key is let in unless `login` says otherwise. */
  readonly keyPath: string;
  /** Connections, commands and signals so far. */
  readonly seen: { connections: number; commands: string[]; signals: string[] };
  readonly close: () => Promise<void>;
};

/** Starts one on a free port of loopback. */
export const startRudeHost = async (rudeness: Rudeness = {}): Promise<RudeHost> => {
  const temp = await tempFolder('sallyport-rude-');
  const [hostKey, key] = await Promise.all([makeKey(join(temp.path, 'host')), makeKey(join(temp.path, 'user'))]);
  const seen: RudeHost['seen'] = { connections: 0, commands: [], signals: [] };
  const open = new Set<Connection>();
  const { algorithms, banner, greeting, ident } = rudeness;
  const server = new ssh2.Server(
    {
      hostKeys: [await readFile(hostKey.path)],
      ...(algorithms === undefined ? {} : { algorithms }),
      ...(banner === undefined ? {} : { banner }),
      ...(greeting === undefined ? {} : { greeting }),
      ...(ident === undefined ? {} : { ident }),
    },
    connection => {
      seen.connections++;
      socketOf(connection).setNoDelay(true);
      open.add(connection);
      connection.on('close', () => open.delete(connection)).on('error', () => {});
      rudeness.onConnection?.(connection);
      serve(connection, rudeness, seen);
    },
  );
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  const knownHosts = await temp.write('known_hosts', `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  const close = async (): Promise<void> => {
    for (const connection of open) socketOf(connection).destroy();
    await new Promise<void>(resolve => server.close(() => resolve()));
    await temp.remove();
  };
  const auth: Login = { kind: 'key', path: key.path };
  return {
    port,
    knownHosts,
    fingerprint: hostKey.fingerprint,
    host: overrides => ({
      ...{ name: 'web', address: '127.0.0.1', port, user: 'deploy', auth: [auth], hostKeys: [], tags: [] },
      ...overrides,
    }),
    keyPath: key.path,
    seen,
    close,
    [Symbol.asyncDispose]: close,
  };
};

const serve = (connection: Connection, rudeness: Rudeness, seen: RudeHost['seen']): void => {
  let refusals = rudeness.refuseSessions ?? 0;
  const login = rudeness.login ?? (context => (context.method === 'publickey' ? context.accept() : context.reject()));
  connection.on('authentication', login);
  connection.on('ready', () => rudeness.onReady?.(connection));
  if (rudeness.window !== undefined) keepWindow(connection, rudeness.window);
  connection.on('session', (accept, reject) => {
    if (rudeness.ignoreSessions === true) return;
    if (refusals-- > 0) return reject();
    const session = accept();
    const early = outgoingOf(session);
    rudeness.onSession?.({
      status: code => protocolOf(connection).exitStatus(early, code),
      write: text => protocolOf(connection).channelData(early, Buffer.from(text)),
      close: () => protocolOf(connection).channelClose(early),
    });
    // The library ignores what comes for a session after its end of file; sshd does not.
    session.on('end', () => Object.assign(session, { _ending: false }));
    session.on('signal', (_accept, _reject, { name }) => seen.signals.push(name));
    session.on('exec', (acceptExec, refuse, { command }) => {
      seen.commands.push(command);
      const manner = rudeness.exec?.(command) ?? manners.polite;
      const id = outgoingOf(session);
      const protocol = protocolOf(connection);
      manner({
        command,
        id,
        connection,
        accept: acceptExec,
        refuse,
        drop: () => socketOf(connection).destroy(),
        status: code => protocol.exitStatus(id, code),
        eof: () => protocol.channelEOF(id),
        close: () => protocol.channelClose(id),
        write: text => protocol.channelData(id, Buffer.from(text)),
        writeError: text => protocol.channelExtData(id, Buffer.from(text), 1),
      });
    });
  });
};

/** Grants every channel this window and never another. */
const keepWindow = (connection: Connection, bytes: number): void => {
  const protocol = protocolOf(connection);
  const confirm = protocol.channelOpenConfirm.bind(protocol);
  protocol.channelOpenConfirm = (theirs, ours, _window, packet) => confirm(theirs, ours, bytes, packet);
  protocol.channelWindowAdjust = () => undefined;
};

/** Sends a packet of any content, encrypted and authenticated as a proper one. */
export const sendPacket = (connection: Connection, payload: Uint8Array): void => {
  const { _packetRW, _cipher } = protocolOf(connection);
  const start = _packetRW.write.allocStart;
  const packet = _packetRW.write.alloc(payload.length);
  packet.set(payload, start);
  _cipher.encrypt(_packetRW.write.finalize(packet));
};

/** Presents another host key from the next key exchange on, and asks for one. */
export const swapHostKey = async (connection: Connection): Promise<void> => {
  await using temp = await tempFolder('sallyport-swap-');
  const { path } = await makeKey(join(temp.path, 'other'));
  inside(connection)._protocol._hostKeys['ssh-ed25519'] = ssh2.utils.parseKey(await readFile(path));
  connection.rekey();
};

// A well-behaved server library does not let one misbehave: what is private in it is taken as it is.
type Inside = {
  _protocol: Record<'exitStatus' | 'channelEOF' | 'channelClose', (id: number, code?: number) => void> & {
    channelData: (id: number, data: Buffer) => void;
    channelExtData: (id: number, data: Buffer, type: number) => void;
    channelOpenConfirm: (theirs: number, ours: number, window: number, packet: number) => void;
    channelWindowAdjust: () => void;
    _hostKeys: Record<string, unknown>;
    _packetRW: {
      write: { allocStart: number; alloc: (size: number) => Buffer; finalize: (packet: Buffer) => Buffer };
    };
    _cipher: { encrypt: (packet: Buffer) => void };
  };
  _sock: { destroy: () => void; setNoDelay: (on: boolean) => void };
};
const inside = (connection: Connection): Inside => connection as unknown as Inside;
const protocolOf = (connection: Connection): Inside['_protocol'] => inside(connection)._protocol;
const socketOf = (connection: Connection): Inside['_sock'] => inside(connection)._sock;
const outgoingOf = (session: Session): number =>
  (session as unknown as { _chanInfo: { outgoing: { id: number } } })._chanInfo.outgoing.id;
