import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';

/**
 * What we offer, fixed here so that an upgrade of ssh2 cannot widen it: no SHA-1, no CBC, no compression, no
 * group-exchange (the host chooses its prime, and checking that blocks this process for a second).
 */
const OFFER = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group17-sha512',
    'diffie-hellman-group18-sha512',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies Algorithms;

type HostKeyType = { readonly type: string; readonly algorithms: readonly ServerHostKeyAlgorithm[] };

/** Host keys by type, the preferred first; an RSA key signs with SHA-2 alone (RFC 8332). */
const HOST_KEYS: readonly HostKeyType[] = [
  { type: 'ssh-ed25519', algorithms: ['ssh-ed25519'] },
  { type: 'ecdsa-sha2-nistp256', algorithms: ['ecdsa-sha2-nistp256'] },
  { type: 'ecdsa-sha2-nistp384', algorithms: ['ecdsa-sha2-nistp384'] },
  { type: 'ecdsa-sha2-nistp521', algorithms: ['ecdsa-sha2-nistp521'] },
  { type: 'ssh-rsa', algorithms: ['rsa-sha2-512', 'rsa-sha2-256'] },
];

/** Which host keys to ask for: the types in `first` before others, none of `without`, and of `only` alone when it is given. */
export type KeyWish = {
  readonly first: readonly string[];
  readonly without?: readonly string[];
  /** Algorithms as ssh_config names them (HostKeyAlgorithms), in the order of preference. */
  readonly only?: readonly string[] | undefined;
};

/** What to offer a host, or undefined when no host key is left to ask for: an empty list would be all that ssh2 knows. */
export const offer = ({ first, without = [], only }: KeyWish): Algorithms | undefined => {
  const usable = HOST_KEYS.filter(({ type }) => !without.includes(type));
  const known = usable.filter(({ type }) => first.includes(type));
  const all = [...known, ...usable.filter(type => !known.includes(type))];
  const wanted = [known, all].flatMap(types => preferred(types, only));
  return wanted.length === 0 ? undefined : { ...OFFER, serverHostKey: [...new Set(wanted)] };
};

const preferred = (types: readonly HostKeyType[], only: KeyWish['only']): readonly ServerHostKeyAlgorithm[] => {
  const names = types.flatMap(({ algorithms }) => algorithms);
  return only === undefined ? names : only.flatMap(wanted => names.filter(name => name === wanted));
};
