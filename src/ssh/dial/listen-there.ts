import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { Failure } from '../../errors.ts';
import type { Knock, Link } from '../connection/link.ts';
import type { Host } from '../host.ts';
import { hearDebug } from './wire.ts';

type Line = {
  readonly client: Client;
  /** Calls back when the link is over; what it gives back lets go of it. */
  readonly onClosed: (listener: () => void) => () => void;
};

/** The loopback of the host by the name that sshd takes for nothing more (GatewayPorts no, clientspecified). */
const LOOPBACK = '127.0.0.1';
/** What sshd says where it listens on every address of the host all the same (GatewayPorts yes). */
const WIDENED = /^Forwarding listen address .* overridden by server GatewayPorts/;

/** How a client of ssh2 has its host listen: see `Link.listen`. Who comes to where nobody was asked to listen is refused. */
export const listenThere = (host: Host, line: Line, streamOf: (channel: ClientChannel) => Duplex): Link['listen'] => {
  const { client } = line;
  const ports = new Map<number, (knock: Knock) => void>();
  client.on('tcp connection', ({ destIP, destPort }, accept, refuse) => {
    const knock = destIP === LOOPBACK ? ports.get(destPort) : undefined;
    if (knock === undefined) refuse();
    else knock({ accept: () => streamOf(accept()), refuse });
  });
  let widened = false;
  hearDebug(client, text => {
    widened ||= WIDENED.test(text);
  });
  const close = async (port: number): Promise<void> => {
    ports.delete(port);
    await answered(line, done => client.unforwardIn(LOOPBACK, port, () => done(undefined)));
  };
  return async (asked, knock) => {
    if (ports.has(asked)) throw taken(host, asked);
    const port = await begin(line, asked, found => {
      // In the same turn: the first connection may come in the same packet.
      if (!ports.has(found)) ports.set(found, knock);
    });
    if (port === undefined) throw await whyNot(host, line, asked);
    if (!isPort(port) || ports.get(port) !== knock) throw refused(host);
    if (!widened) return { port, close: async () => await close(port) };
    await close(port);
    throw tooWide(host);
  };
};

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

/** Where the host listens from now on; undefined when it does not. */
const begin = (line: Line, asked: number, found: (port: number) => void): Promise<number | undefined> =>
  answered<number>(line, done =>
    line.client.forwardIn(LOOPBACK, asked, (error, port) => {
      if (error === undefined) found(port);
      done(error === undefined ? port : undefined);
    }),
  );

/** An answer of the host, or undefined when the link is over first; ssh2 throws when it already is. */
const answered = <T>(
  { onClosed }: Line,
  ask: (done: (answer: T | undefined) => void) => void,
): Promise<T | undefined> =>
  new Promise(resolve => {
    const letGo = onClosed(() => resolve(undefined));
    const done = (answer: T | undefined): void => {
      letGo();
      resolve(answer);
    };
    try {
      ask(done);
    } catch {
      done(undefined);
    }
  });

/** A host gives no reason (RFC 4254 section 4): where it listens on a free port instead, it is the port that it does not give. */
const whyNot = async (host: Host, line: Line, asked: number): Promise<Failure> => {
  if (asked === 0) return refused(host);
  const other = await begin(line, 0, () => undefined);
  if (other === undefined) return refused(host);
  await answered(line, done => line.client.unforwardIn(LOOPBACK, other, () => done(undefined)));
  return taken(host, asked);
};

const taken = ({ name, user }: Host, port: number): Failure =>
  new Failure('PORT_TAKEN', `${name} does not give port ${port} to ${user}: it is taken, or not for this account.`, {
    details: { host: name, port },
  });

const refused = ({ name, user }: Host): Failure =>
  new Failure('UNSUPPORTED', `${name} does not listen for ${user}: its sshd forbids it, or cannot.`, {
    next: 'Ask the operator (AllowTcpForwarding, PermitListen), or use direction local.',
    details: { host: name },
  });

const tooWide = ({ name }: Host): Failure =>
  new Failure('UNSUPPORTED', `${name} would listen on all of its addresses, not on its loopback alone.`, {
    next: 'Ask the operator to set GatewayPorts no, or clientspecified, in its sshd_config.',
    details: { host: name },
  });
