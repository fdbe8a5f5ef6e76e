import type { Secret } from './secret.ts';

/** What an account is asked beside a password, known by words of the question, in either case (RFC 4256). */
export type Answer = { readonly asks: string; readonly answer: Secret };

/**
 * One way to log in, tried in the order of the list. `socket` is the path of an ssh-agent's socket, and `only` the public
 * keys, by their files, that it is asked to use (IdentitiesOnly); `path` is a private key file and `certificate` the file
 * that stands for its public half (PROTOCOL.certkeys).
 */
export type Login =
  | { readonly kind: 'agent'; readonly socket: string; readonly only?: readonly string[] }
  | { readonly kind: 'key'; readonly path: string; readonly passphrase?: Secret; readonly certificate?: string }
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'interactive'; readonly answers: readonly [Answer, ...Answer[]] };

/** Who speaks SSH to a host: ssh2, in this process, or an OpenSSH client that this process starts. */
export type Transport = 'ssh2' | 'openssh';

/** A host as configured, by a person unless `addedBy` says otherwise; nothing here is a secret's text. */
export type Host = {
  /** What agents and policies call it; see `isHostName`. */
  readonly name: string;
  /** A DNS name or an IP address, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Never empty. */
  readonly auth: readonly [Login, ...Login[]];
  /** Pins, `SHA256:` and 43 characters of base64: with one or more, `known_hosts` is not asked. */
  readonly hostKeys: readonly string[];
  readonly tags: readonly string[];
  /** The grant whose agent put it on the list. */
  readonly addedBy?: string;
  /** What `sudo` is answered when it asks on the terminal of a program that rules granted by its words. */
  readonly sudoPassword?: Secret;
  /** The host whose connection carries the one to this; it may have one of its own. */
  readonly via?: Host;
  /** What the person's ssh_config calls it, when it comes from there: an OpenSSH client is given this name and that file. */
  readonly alias?: string;
  /** The ssh_config that has `alias`, when it is none of the usual files. */
  readonly aliasFile?: string;
  /** `ssh2` unless said otherwise. */
  readonly transport?: Transport;
  /** The known_hosts files that are asked about it, in place of the usual ones. */
  readonly knownHosts?: readonly string[];
  /** The name under which its key is looked up, in place of its address and port (HostKeyAlias). */
  readonly keyAlias?: string;
  /** Host key algorithms that may be used, the first preferred; only narrows what is offered. */
  readonly keyAlgorithms?: readonly string[];
  /** The variables of SetEnv and SendEnv: asked of the host with each command, and dropped where its sshd takes none (AcceptEnv). */
  readonly env?: Readonly<Record<string, string>>;
  readonly connectTimeoutMs?: number;
  /** How often a silent host is asked whether it is there (ServerAliveInterval). */
  readonly aliveMs?: number;
  /** What of its ssh_config is not honoured here, in words for the operator. */
  readonly unheeded?: readonly string[];
  /** Why ssh2 is not to dial it, as the end of a sentence about it that names nothing of this machine. */
  readonly unreachable?: string;
};

/** More hosts on the way to one than anybody has. */
export const MOST_HOPS = 16;

/** The hosts on the way to one, the nearest to us first, and the host itself. */
export const chainTo = (host: Host): readonly Host[] => [...(host.via === undefined ? [] : chainTo(host.via)), host];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const PIN = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** Whether a host may have this name: no option of any program, no path, no pattern. */
export const isHostName = (text: string): boolean => NAME.test(text);

/** Whether this is a fingerprint as `ssh-keygen -l` prints it. */
export const isFingerprint = (text: string): boolean => PIN.test(text);
