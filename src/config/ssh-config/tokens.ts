import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** What the tokens of ssh_config stand for (ssh_config(5), TOKENS). */
export type Tokens = {
  /** The home folder of the account that runs this. */
  readonly home: string;
  readonly localUser: string;
  readonly localHost: string;
  readonly uid: number | undefined;
  /** The name as it was asked for, and what it turned out to be. */
  readonly asked: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly keyAlias: string | undefined;
  /** ProxyJump as it is written, or nothing. */
  readonly jump: string;
};

/** The text with its tokens replaced; undefined when it has one that stands for nothing here. */
export const expandTokens = (text: string, tokens: Tokens): string | undefined => {
  let known = true;
  const expanded = text.replace(/%(.?)/gs, (_, letter: string) => {
    const value = standsFor(letter, tokens);
    if (value === undefined) known = false;
    return value ?? '';
  });
  return known ? expanded : undefined;
};

/** A path with its tokens and a leading `~` replaced; undefined when it leads nowhere that is known here. */
export const expandPath = (text: string, tokens: Tokens): string | undefined => {
  const path = text === '~' || text.startsWith('~/') ? join(tokens.home.replaceAll('%', '%%'), text.slice(1)) : text;
  const expanded = expandTokens(path, tokens);
  return expanded?.startsWith('/') === true ? expanded : undefined;
};

const standsFor = (letter: string, tokens: Tokens): string | undefined => {
  const { home, localUser, localHost, uid, asked, address, port, user, keyAlias, jump } = tokens;
  const values: Readonly<Record<string, string | undefined>> = {
    '%': '%',
    d: home,
    h: address,
    i: uid?.toString(),
    j: jump,
    k: keyAlias ?? asked,
    L: localHost.split('.')[0],
    l: localHost,
    n: asked,
    p: String(port),
    r: user,
    u: localUser,
    C: createHash('sha1').update(`${localHost}${address}${port}${user}${jump}`).digest('hex'),
  };
  return Object.hasOwn(values, letter) ? values[letter] : undefined;
};
