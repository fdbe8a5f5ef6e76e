import { loadConfig } from '../config/load.ts';
import { Failure } from '../errors.ts';
import { enrol } from '../ssh/enrol.ts';
import { type Host, isFingerprint } from '../ssh/host.ts';
import type { HostKey } from '../ssh/host-key.ts';
import { scan } from '../ssh/reach.ts';
import { loadTrust } from '../ssh/trust.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, Usage, writeJson } from './io.ts';
import { exitOf, failureData, hostNamed, partsFor } from './link.ts';
import { logTo } from './log.ts';
import { ask, isAttended } from './prompt.ts';

type Outcome = 'already trusted' | 'enrolled' | 'declined';

/** `hosts trust`: shows the key that a host presents and enrols it when a person says so. */
export const hostsTrust = async (io: Io, { options, operands, flags }: Request): Promise<number> => {
  const { config } = loadConfig(options, io);
  const host = hostNamed(config, operands[0]);
  const expected = expectedKey(io, flags.get('fingerprint')?.[0]);
  const [file] = config.knownHosts;
  try {
    const key = await scan(host, io.stopped, partsFor(io, config, logTo(io, options.logLevel)));
    const trust = await loadTrust(host, config.knownHosts);
    const verdict = trust.judge(key);
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
const confirm = async (io: Io, { name, address, port }: Host, key: HostKey, file: string): Promise<boolean> => {
  say(io, `${name} (${address}:${port}) presents the key\n  ${key.type} ${key.fingerprint}`);
  say(io, 'Compare it with what the host itself says, on its own console:');
  say(io, '  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f "$key"; done');
  const answer = await ask(io, `Trust this key and add it to ${file}? Type yes, no or the fingerprint: `);
  return answer === 'yes' || answer === key.fingerprint;
};
