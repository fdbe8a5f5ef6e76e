import { Failure } from '../../errors.ts';
import { safeLine } from '../../text/safe.ts';
import type { Status } from '../command/channel.ts';

const lost = (host: string, message: string): Failure =>
  new Failure('CONNECTION_LOST', message, { next: 'Look at what is there before you repeat it.', details: { host } });

/** The conversation was ended from this side. */
export const stopped = (): Failure => new Failure('CANCELLED', 'The transfer was given up.');

/** The server said what version 3 does not have; `why` as in "it broke the protocol: `why`". */
export const broken = (host: string, why: string): Failure =>
  lost(host, `The SFTP server of ${host} broke the protocol (${why}), and was given up.`);

/** The server owed an answer, and said nothing, while the connection lived. */
export const silent = (host: string, silentMs: number): Failure =>
  lost(host, `The SFTP server of ${host} said nothing for ${Math.round(silentMs / 1_000)} s, and was given up.`);

/** The channel closed, or the connection under it was lost. */
export const ended = (host: string, status: Status, complaint: string): Failure => {
  if (status.how === 'unknown') return lost(host, `The connection to ${host} was lost during the transfer.`);
  const how = status.how === 'exited' ? `with status ${status.code}` : `by SIG${status.signal.replace(/^SIG/, '')}`;
  return lost(host, `The SFTP server of ${host} ended ${how} during the transfer${saying(complaint)}.`);
};

const saying = (text: string): string => {
  const line = safeLine(text.split('\n').find(one => one.trim() !== '') ?? '');
  return line === '' ? '' : `, saying: ${line}`;
};

/** What there is to do where no SFTP is. */
const WAY_ROUND =
  'Ask the operator for an SFTP server there: Subsystem sftp internal-sftp in sshd_config, or the package openssh-sftp-server beside dropbear. Meanwhile ssh_exec carries small files: cat with stdin writes one, its output reads one.';

const none = (host: string, message: string, next = WAY_ROUND): Failure =>
  new Failure('UNSUPPORTED', message, { next, details: { host } });

/** The host begins no subsystem of the name. */
export const refusesSubsystem = (host: string): Failure => none(host, `${host} has no SFTP server.`);

/** What was begun ended before it had said anything of SFTP. */
export const neverBegan = (host: string, status: Status, complaint: string): Failure =>
  status.how === 'unknown'
    ? lost(host, `The connection to ${host} was lost before the SFTP server answered.`)
    : none(host, `${host} has no SFTP server that runs${saying(complaint)}.`);

/** Something else came first, most often what the account's login shell prints. */
export const noGreeting = (host: string, first: string): Failure =>
  none(
    host,
    `Something on ${host} writes before the SFTP server does${saying(first)}.`,
    'Ask the operator to have the login shell of the account print nothing when it is not at a terminal, or to set Subsystem sftp internal-sftp in sshd_config.',
  );

/** The server speaks no version 3. */
export const otherVersion = (host: string, version: number): Failure =>
  none(host, `The SFTP server of ${host} speaks version ${version}, and not version 3.`);
