import type { Answer } from './answer.ts';

/** What of ssh_config is not done for a host. */
export type Unheeded = {
  /** What an OpenSSH client would do. */
  readonly byOpenssh: readonly string[];
  /** What nobody does here. */
  readonly never: readonly string[];
  /** Why it is not to be reached without OpenSSH. */
  readonly unreachable?: string;
};

/** Keywords whose value matters to how a host is reached, and is ssh's own affair. */
const OPENSSH = {
  addressfamily: 'AddressFamily',
  bindaddress: 'BindAddress',
  bindinterface: 'BindInterface',
  casignaturealgorithms: 'CASignatureAlgorithms',
  ciphers: 'Ciphers',
  hostbasedauthentication: 'HostbasedAuthentication',
  kexalgorithms: 'KexAlgorithms',
  knownhostscommand: 'KnownHostsCommand',
  macs: 'MACs',
  pkcs11provider: 'PKCS11Provider',
  preferredauthentications: 'PreferredAuthentications',
  proxycommand: 'ProxyCommand',
  pubkeyacceptedalgorithms: 'PubkeyAcceptedAlgorithms',
  pubkeyauthentication: 'PubkeyAuthentication',
  requiredrsasize: 'RequiredRSASize',
  revokedhostkeys: 'RevokedHostKeys',
  securitykeyprovider: 'SecurityKeyProvider',
  verifyhostkeydns: 'VerifyHostKeyDNS',
} as const;

/** Keywords that open more than was asked for. */
const NEVER = {
  dynamicforward: 'DynamicForward',
  forwardagent: 'ForwardAgent',
  forwardx11: 'ForwardX11',
  localcommand: 'LocalCommand',
  localforward: 'LocalForward',
  remotecommand: 'RemoteCommand',
  remoteforward: 'RemoteForward',
  tunnel: 'Tunnel',
} as const;

/** Compares what ssh says of a host with what it says without any file; `stated` are the keywords of the person's own files. */
export const unheededOf = (answer: Answer, usual: Answer, stated: ReadonlySet<string>): Unheeded => {
  const differs = (keyword: string): boolean => answer.all(keyword).join('\n') !== usual.all(keyword).join('\n');
  const among = (table: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(table).flatMap(([keyword, name]) => (differs(keyword) ? [name] : []));
  const byOpenssh = [...among(OPENSSH)];
  // Distributions turn it on for all: only who wrote it means it.
  if (answer.get('gssapiauthentication') === 'yes' && stated.has('gssapiauthentication'))
    byOpenssh.push('GSSAPIAuthentication');
  const strict = answer.get('stricthostkeychecking');
  const lax = strict !== undefined && LAX.has(strict) ? [`StrictHostKeyChecking ${strict}`] : [];
  const [needed] = NEEDED.filter(name => byOpenssh.includes(name));
  return {
    byOpenssh,
    never: [...lax, ...among(NEVER)],
    ...(needed === undefined ? {} : { unreachable: `its ssh_config has ${needed}, which only OpenSSH honours` }),
  };
};

const LAX: ReadonlySet<string> = new Set(['no', 'off', 'false', 'accept-new']);

/** Without the first the host is not found; without the second a key that a person revoked would be taken. */
const NEEDED = ['ProxyCommand', 'RevokedHostKeys'];
