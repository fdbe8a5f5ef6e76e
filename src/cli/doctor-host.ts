import { FAILURES, Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection/connection.ts';
import type { Room } from '../ssh/connection/room.ts';
import { chainTo, type Host } from '../ssh/host.ts';
import type { Secret } from '../ssh/secret.ts';
import { advice, type Finding, unavailable, well, wrong } from './finding.ts';
import { counted, type Io } from './io.ts';
import { byWhat, isSlow, type Probe, probe } from './probe.ts';
import { shellWord } from './shell-word.ts';

/** Sessions that are asked for at most: sshd allows 10 unless configured otherwise. */
const MOST_SESSIONS = 12;
/** With fewer a command has neither a stop nor a warden beside it. */
const FEW_SESSIONS = 3;
const WORTH_MENDING_MS = 100;

/** Logs in to a host, once, and describes it; a person who asks for this host alone also learns how many sessions it allows. */
export const checkHost = async (io: Io, connection: Connection, alone: boolean): Promise<readonly Finding[]> => {
  const { host } = connection;
  try {
    const found = await probe(connection, io.clock, io.stopped);
    const room = alone ? await connection.room(MOST_SESSIONS, io.stopped) : undefined;
    const key = await connection.key();
    const shown = [
      `logged in as ${host.user}${byWhat(found)}; key ${key}`,
      found.server,
      `shell ${found.shell} (${found.family})`,
      `round trip ${found.roundTripMs.toFixed(1)} ms`,
      `a command ${found.commandMs.toFixed(1)} ms${startupIn(found)}`,
      ...(room === undefined ? [] : [`${room.more ? 'at least ' : ''}${counted(room.sessions, 'session')} at once`]),
      ...wayTo(host),
    ];
    return [
      well(nameOf(host), shown.join(', ')),
      ...slowShell(host, found),
      ...noisyShell(host, found),
      ...fewSessions(host, room),
    ];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return await failed(connection, error);
  }
};

const nameOf = ({ name }: Host): string => `host ${name}`;

const startupIn = (found: Probe): string =>
  isSlow(found) ? `, of which ${found.startupMs.toFixed(0)} ms for its shell to start` : '';

/** By what and through whom it is reached, where that is not the plain way. */
const wayTo = ({ transport, via }: Host): readonly string[] => [
  ...(transport === 'openssh' ? ['by OpenSSH'] : []),
  ...(via === undefined
    ? []
    : [
        `by way of ${chainTo(via)
          .map(({ name }) => name)
          .join(', ')}`,
      ]),
];

const slowShell = (host: Host, { startupMs = 0 }: Probe): readonly Finding[] =>
  startupMs < WORTH_MENDING_MS
    ? []
    : [
        advice(
          nameOf(host),
          `its login shell takes ${startupMs.toFixed(0)} ms to start, before every command`,
          LEAVE_EARLY,
        ),
      ];

const LEAVE_EARLY =
  'look into its startup files on the host (.bashrc, .zshenv, config.fish), and leave them early where the shell is not interactive: case $- in *i*) ;; *) return ;; esac';

const noisyShell = (host: Host, { noise }: Probe): readonly Finding[] =>
  noise === ''
    ? []
    : [
        advice(
          nameOf(host),
          `its login shell prints ${JSON.stringify(noise)} before the output of every command`,
          LEAVE_EARLY,
        ),
      ];

const fewSessions = (host: Host, room: Room | undefined): readonly Finding[] => {
  if (room === undefined || room.more || room.sessions >= FEW_SESSIONS) return [];
  const lost = LOST[room.sessions] ?? '';
  return [
    advice(
      nameOf(host),
      `it allows no more than ${counted(room.sessions, 'session')} at once (MaxSessions): ${lost}`,
      MORE_SESSIONS,
    ),
  ];
};

const LOST: Readonly<Record<number, string>> = {
  1: 'a command that runs cannot be stopped or looked at, and goes on when the line breaks',
  2: 'beside a command there is room for its stop or for the warden that ends it when the line breaks, not for both',
};

const MORE_SESSIONS = 'raise MaxSessions in sshd_config on the host; 10 is what it has unless configured';

const failed = async (connection: Connection, failure: Failure): Promise<readonly Finding[]> => {
  const { host } = connection;
  const check = nameOf(host);
  const says = `${failure.code}: ${failure.operator ?? failure.message}`;
  if (failure.code === 'AUTH_FAILED')
    return [unavailable(check, says, mendLogin(refusing(host, failure))), ...(await checkSecrets(host))];
  const { code } = failure;
  if (code.startsWith('HOST_KEY') || code === 'UNSUPPORTED') return [wrong(check, says, failure.next)];
  return [unavailable(check, `${says} Its key is ${await connection.key()}.`, mendReach(host, failure))];
};

/** The host or the hop before it whose login failed. */
const refusing = (host: Host, { details }: Failure): Host =>
  chainTo(host).find(({ name }) => name === details.host) ?? host;

/** What is next for an agent is to call again; a person has more to look at. */
const mendReach = ({ name }: Host, { next, details }: Failure): string => {
  const again = `sallyport doctor ${name}`;
  if (typeof details.retry_after_ms === 'number')
    return `wait ${Math.ceil(details.retry_after_ms / 1_000)} seconds, then: ${again}`;
  return next === FAILURES.UNREACHABLE.next ? `check that it is up, and its address and port; then: ${again}` : next;
};

const mendLogin = (host: Host): string =>
  `correct the login of ${host.name} in the configuration; what ssh says, not sooner than in half a minute: ${sshTo(host)}`;

/** The command by which a person would look: ssh finds a host of ssh_config by its name. */
const sshTo = ({ alias, aliasFile, user, address, port, via }: Host): string => {
  const file = aliasFile === undefined ? '' : ` -F ${shellWord(aliasFile)}`;
  if (alias !== undefined) return `ssh -v${file} ${shellWord(alias)}`;
  const hops =
    via === undefined
      ? ''
      : ` -J ${chainTo(via)
          .map(hop => shellWord(`${hop.user}@${hop.address}:${hop.port}`))
          .join(',')}`;
  return `ssh -v${hops} -p ${port} ${shellWord(`${user}@${address}`)}`;
};

/** Secrets that cannot be fetched, after a login failed; what they are is looked at no further. */
const checkSecrets = async ({ name, auth }: Host): Promise<readonly Finding[]> => {
  const secrets = auth.flatMap((login): readonly Secret[] => {
    if (login.kind === 'password') return [login.password];
    return login.kind === 'key' && login.passphrase !== undefined ? [login.passphrase] : [];
  });
  const checked = await Promise.all(secrets.map(secret => checkSecret(`login ${name}`, secret)));
  return checked.flat();
};

const checkSecret = async (check: string, secret: Secret): Promise<readonly Finding[]> =>
  await secret.reveal().then(
    () => [],
    (error: unknown) => [unavailable(check, said(error), `make the ${secret.origin} give it`)],
  );

const said = (error: unknown): string => {
  if (error instanceof Failure && error.operator !== undefined) return error.operator;
  return String(error instanceof Error ? error.message : error);
};
