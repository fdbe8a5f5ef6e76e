import type { Secret } from './secret.ts';

/** One way to log in, tried in the order of the list; `socket` is the path of an ssh-agent's socket, `path` of a private key file. */
export type Login =
  | { readonly kind: 'agent'; readonly socket: string }
  | { readonly kind: 'key'; readonly path: string; readonly passphrase?: Secret }
  | { readonly kind: 'password'; readonly password: Secret };

/** A host as configured: nothing here came from an agent, and nothing here is a secret's text. */
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
  /** What `sudo` is answered when it asks on the terminal of a program that rules granted by its words. */
  readonly sudoPassword?: Secret;
};

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const PIN = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** Whether a host may have this name: no option of any program, no path, no pattern. */
export const isHostName = (text: string): boolean => NAME.test(text);

/** Whether this is a fingerprint as `ssh-keygen -l` prints it. */
export const isFingerprint = (text: string): boolean => PIN.test(text);
