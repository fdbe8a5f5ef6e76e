import type { Client } from 'ssh2';
import type { Certificate } from './certificate.ts';
import type { CertificateTypes } from './trust.ts';

// ssh2 knows no certificates of hosts. Two things are put right for it: what the client offers, before its first packet, and
// once a certificate was judged by us, which key the exchange is checked with. Where ssh2 has nothing to be put right, the
// handshake fails: a signature is accepted by ssh2 itself, from the certified key, over the certificate, or not at all.

/** Offers certificates of these types, the last ones behind the keys of known types; to be called right behind `connect`. */
export const offerCertificates = (
  client: Client,
  { first, last }: CertificateTypes,
  known: readonly string[],
): void => {
  if (first.length + last.length === 0) return;
  const protocol = protocolOf(client);
  const offer = protocol === undefined ? undefined : memberOf(protocol, '_offer');
  const lists = offer === undefined ? undefined : memberOf(offer, 'lists');
  const [kex, serverHostKey] = [namesIn(lists, 'kex'), namesIn(lists, 'serverHostKey')];
  const [cs, sc] = [namesByKind(lists, 'cs'), namesByKind(lists, 'sc')];
  if (protocol === undefined || offer === undefined) return;
  if (kex === undefined || serverHostKey === undefined || cs === undefined || sc === undefined) return;
  const isKnown = (algorithm: string): boolean => known.includes(algorithm.replace(/^rsa-sha2-.*/, 'ssh-rsa'));
  const plain = [...serverHostKey.filter(isKnown), ...last, ...serverHostKey.filter(one => !isKnown(one))];
  const wider = { kex, serverHostKey: [...first, ...plain], cs, sc };
  Object.assign(protocol, { _offer: Reflect.construct(offer.constructor, [wider]) });
};

/** Has the exchange that waits for a verdict checked by the key that a certificate speaks for. */
export const checkByCertifiedKey = (client: Client, { blob, certified }: Certificate): void => {
  const protocol = protocolOf(client);
  const exchange = protocol === undefined ? undefined : memberOf(protocol, '_kex');
  const negotiated = exchange === undefined ? undefined : memberOf(exchange, 'negotiated');
  if (exchange === undefined || negotiated === undefined) return;
  // The host signs as its plain key does (PROTOCOL.certkeys), though the certificate is what was negotiated.
  Object.assign(negotiated, { serverHostKey: certified.type });
  let looks = 0;
  // The certificate is what was hashed, and is looked at first; after that the key that verifies is read from the same place.
  Object.defineProperty(exchange, '_hostKey', {
    configurable: true,
    get: () => (looks++ === 0 ? blob : certified.blob),
    set: (value: unknown) => {
      Object.defineProperty(exchange, '_hostKey', { configurable: true, writable: true, value });
    },
  });
};

const protocolOf = (client: Client): object | undefined => memberOf(client, '_protocol');

const memberOf = (value: object, name: string): object | undefined => {
  const member: unknown = Reflect.get(value, name);
  return typeof member === 'object' && member !== null ? member : undefined;
};

const namesIn = (lists: object | undefined, name: string): readonly string[] | undefined => {
  const entry = lists === undefined ? undefined : memberOf(lists, name);
  const names: unknown = entry === undefined ? undefined : Reflect.get(entry, 'array');
  return Array.isArray(names) ? names.filter(one => typeof one === 'string') : undefined;
};

const KINDS = ['cipher', 'mac', 'compress', 'lang'];

const namesByKind = (lists: object | undefined, way: string): Record<string, readonly string[]> | undefined => {
  const all = lists === undefined ? undefined : memberOf(lists, way);
  const named = KINDS.map(kind => [kind, namesIn(all, kind)] as const);
  const whole = named.flatMap(([kind, names]) => (names === undefined ? [] : [[kind, names] as const]));
  return whole.length === KINDS.length ? Object.fromEntries(whole) : undefined;
};
