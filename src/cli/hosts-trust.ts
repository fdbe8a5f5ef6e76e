import { loadConfig } from '../config/load.ts';
import { Failure } from '../errors.ts';
import { scan } from '../ssh/dial/reach.ts';
import { type Host, isFingerprint } from '../ssh/host.ts';
import { enrol } from '../ssh/trust/enrol.ts';
import type { HostKey } from '../ssh/trust/host-key.ts';
import { randomArt } from '../ssh/trust/random-art.ts';
import { loadTrust } from '../ssh/trust/trust.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { exitOf, failureData, hostNamed, partsFor, withEveryHost } from './link.ts';
import { logTo } from './log.ts';
import { ask, isAttended } from './prompt.ts';

type Outcome = 'already trusted' | 'enrolled' | 'declined';

/** `hosts trust`: shows the key that a host presents and enrols it when a person says so. */
export const hostsTrust = async (io: Io, { options, operands, flags }: Request): Promise<number> => {
  const config = await withEveryHost(io, loadConfig(options, io).config, options);
  const host = hostNamed(config, operands[0]);
  const expected = expectedKey(io, flags.get('fingerprint')?.[0]);
  try {
    const file = fileFor(host, config.knownHosts);
    const key = await scan(host, io.stopped, partsFor(io, config, logTo(io, options.logLevel)));
    const trust = await loadTrust(host, config.knownHosts);
    const verdict = trust.judge(key);
    if (verdict === 'changed' && expected === undefined) showChanged(io, host, key);
    if (verdict === 'changed' || verdict === 'revoked') throw trust.refusal(key, verdict);
    const outcome = await decide(io, { host, key, file, expected, known: verdict !== 'unknown' });
    if (options.json) writeJson(io, { host: host.name, type: key.type, fingerprint: key.fingerprint, outcome, file });
    else
      print(
        io,
        `${host.name}: ${key.type} ${key.fingerprint}: ${outcome}${outcome === 'enrolled' ? ` in ${file}` : ''}`,
      );
    return outcome === 'declined' ? EXIT.no : EXIT.ok;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (options.json) writeJson(io, { host: host.name, error: failureData(error) });
    else say(io, `${host.name}: ${error.code}: ${error.operator ?? error.message} ${error.next}`);
    return exitOf(error);
  }
};

/** Without a terminal only a fingerprint that a person looked up can stand for the person. */
const expectedKey = (io: Io, fingerprint: string | undefined): string | undefined => {
  if (fingerprint === undefined && !isAttended(io))
    throw new Usage('only a person may trust a key: run this on a terminal, or give the --fingerprint that you expect');
  if (fingerprint !== undefined && !isFingerprint(fingerprint))
    throw new Usage('--fingerprint must be SHA256: and 43 characters, as ssh-keygen -l prints it');
  return fingerprint;
};

/** The first file that is asked about the host: its own where it has some. */
const fileFor = ({ name, knownHosts }: Host, usual: readonly string[]): string => {
  const [file] = knownHosts ?? usual;
  if (file !== undefined) return file;
  throw new Failure('INVALID_INPUT', `${name} has no known_hosts file: nothing can be kept for it.`, {
    next: 'Give it one in config.json, or in ssh_config (UserKnownHostsFile).',
  });
};

type Choice = {
  readonly host: Host;
  readonly key: HostKey;
  readonly file: string;
  readonly expected: string | undefined;
  readonly known: boolean;
};

const decide = async (io: Io, { host, key, file, expected, known }: Choice): Promise<Outcome> => {
  // The key that it does present is for the eyes of a person, not for a script's second try.
  if (expected !== undefined && expected !== key.fingerprint)
    throw new Failure('HOST_KEY_UNKNOWN', `It presents another key than ${expected}; nothing was enrolled.`, {
      next: `A person compares it on a terminal: sallyport hosts trust ${host.name}`,
    });
  if (known) return 'already trusted';
  if (expected === undefined && !(await confirm(io, host, key, file))) return 'declined';
  return (await enrol(file, host, key)) === 'added' ? 'enrolled' : 'already trusted';
};

/** As ssh does: the word yes, or the fingerprint itself. */
const confirm = async (io: Io, host: Host, key: HostKey, file: string): Promise<boolean> => {
  showKey(io, host, key);
  showComparison(io);
  const answer = await ask(io, `Trust this key and add it to ${file}? Type yes, no or the fingerprint: `);
  return answer === 'yes' || answer === key.fingerprint;
};

const showKey = (io: Io, { name, address, port, via, keyAlias, addedBy }: Host, key: HostKey): void => {
  const way = via === undefined ? '' : `, by way of ${via.name}`;
  const alias = keyAlias === undefined ? '' : `, known as ${keyAlias}`;
  say(io, `${name} (${address}:${port}${way}${alias}) presents the key\n  ${key.type} ${key.fingerprint}`);
  say(io, randomArt(key).replace(/^/gm, '  '));
  if (addedBy !== undefined)
    say(io, `It was an agent, of the grant ${addedBy}, that put ${name} on the list, and chose the address.`);
};

const showComparison = (io: Io): void => {
  say(io, 'Compare it with what the host itself says, on its own console:');
  say(io, '  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lv -f "$key"; done');
};

/** What follows is the refusal, with both fingerprints and the line to remove. */
const showChanged = (io: Io, host: Host, key: HostKey): void => {
  showKey(io, host, key);
  say(
    io,
    'That is not the key that was trusted before. Either the host was given a new one, or somebody stands in between.',
  );
  say(io, 'Ask whoever runs the host, by another way than this connection. If nobody changed it, do not connect.');
  showComparison(io);
};
