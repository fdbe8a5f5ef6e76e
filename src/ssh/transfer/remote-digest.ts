import type { Random } from '../../call.ts';
import { bytesOf } from '../../text/byte-name.ts';
import { ask } from '../command/channel.ts';
import { scriptText } from '../command/launch.ts';
import type { Connection } from '../connection/connection.ts';
import type { After } from '../timer.ts';

/** Prints a nonce and the SHA-256 of the first `$2` bytes of the file `$1`, by whichever program there is. */
const SCRIPT = `
if command -v sha256sum >/dev/null 2>&1; then sum() { sha256sum; }
elif command -v shasum >/dev/null 2>&1; then sum() { shasum -a 256; }
elif command -v sha256 >/dev/null 2>&1; then sum() { sha256 -q; }
else exit 1; fi
test -f "$1" && exec 3<"$1" && head -c "$2" <&3 | sum | { read -r hex rest; printf '\\n%s %s\\n' "$3" "$hex"; }
`;

const BEGINNING_MS = 5_000;
/** A slow disk reads so many bytes in a millisecond. */
const BYTES_A_MS = 50_000;
const LONGEST_MS = 120_000;

type Means = { readonly after: After; readonly random: Random; readonly signal: AbortSignal };

/**
 * SHA-256 in hex of the first bytes of a file of the host; undefined when it cannot be had: no commands there, no such program, a name that no
 * shell can be given, or too slow. Asked on the lane for questions, unless stopping would need that one.
 */
export const digestOnHost = async (
  connection: Connection,
  { path, bytes }: { readonly path: string; readonly bytes: number },
  { after, random, signal }: Means,
): Promise<string | undefined> => {
  if (bytesOf(path).toString('utf8') !== path) return undefined;
  const reserved = connection.warden() !== undefined;
  const nonce = random(8).toString('hex');
  const text = scriptText(SCRIPT, [path, String(bytes), nonce]);
  const deadlineMs = Math.min(LONGEST_MS, BEGINNING_MS + bytes / BYTES_A_MS);
  try {
    const { stdout } = await ask(connection, { text, reserved, deadlineMs, after, signal });
    return new RegExp(`^${nonce} ([0-9a-f]{64})$`, 'm').exec(stdout.toString('latin1'))?.[1];
  } catch {
    // A host that cannot be asked gives no sum; what that means for the transfer is seen where it goes on.
    return undefined;
  }
};
