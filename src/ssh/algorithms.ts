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

/** What to offer a host whose keys of `first` types are trusted, leaving out the types in `without`. */
export const offer = (first: readonly string[], without: readonly string[] = []): Algorithms => {
  const usable = HOST_KEYS.filter(({ type }) => !without.includes(type));
  const ordered = [
    ...usable.filter(({ type }) => first.includes(type)),
    ...usable.filter(({ type }) => !first.includes(type)),
  ];
  return { ...OFFER, serverHostKey: ordered.flatMap(({ algorithms }) => algorithms) };
};

/** Whether a host key of any type is left to ask for. */
export const canOffer = (without: readonly string[]): boolean => HOST_KEYS.some(({ type }) => !without.includes(type));
