import type { KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import type { Clock, Log, Random } from '../call.ts';
import { ensurePrivateFolder, type Uid } from '../state/private.ts';
import type { Store } from '../state/store.ts';
import { Committer, type Later, unavailable } from './committer.ts';
import { type Disk, realDisk } from './disk.ts';
import { Files } from './files.ts';
import { type Heads, makeHeads } from './heads.ts';
import { obtainKey } from './key.ts';
import type { Audit, Json } from './record.ts';
import { sealTornTails } from './recover.ts';

/** Where the record lies, and what a test may put in the place of the real thing. */
export type AuditOptions = {
  readonly folder: string;
  /** Beside the folder, not in it; made when there is none. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Log;
  readonly random: Random;
  /** Our own user, for judging who else may read or write. */
  readonly uid?: Uid;
  /** What the first record of each file says of this process: its version, for one. */
  readonly about?: { readonly [key: string]: Json };
  readonly disk?: Disk;
  readonly later?: Later;
};

/** Real time, which never keeps the process alive. */
const laterReal: Later = (ms, work) => {
  const timer = setTimeout(work, ms).unref();
  return () => clearTimeout(timer);
};

/**
 * Opens the record of this process, in a file of its own that begins with `started` and, closed in order, ends with
 * `stopped`. Rejects with AUDIT_UNAVAILABLE unless its first line is on disk.
 */
export const openAudit = async (options: AuditOptions): Promise<Audit> => {
  const { folder, clock, store, log, random, uid, about = {}, disk = realDisk, later = laterReal } = options;
  const key = obtainedKey(options);
  const heads = makeHeads(store, log, later);
  const files = new Files({ folder, key, clock, random, uid, disk, about, left: heads.publish });
  const committer = new Committer({
    write: async records => {
      await files.append(records);
      publish(heads, files);
    },
    wallMs: clock.wallMs,
    later,
    failing: error => log('error', 'the audit cannot be written: calls are refused', { error: error.message }),
    recovered: () => log('info', 'the audit is written again'),
  });
  await files.open().catch((error: unknown) => Promise.reject(unavailable(error)));
  publish(heads, files);
  void sealTornTails({ folder, key, clock, store, random, except: files.name }).catch((error: unknown) =>
    log('warn', 'torn files of the audit could not be sealed', { error: String(error) }),
  );
  const close = (): void => {
    const rest = committer.stop();
    try {
      files.finish([...rest, { record: { event: 'stopped', detail: {} }, at: clock.wallMs() }]);
    } catch (error) {
      log('error', 'the end of the audit was not written', { error: String(error) });
    }
    publish(heads, files);
    heads.flush();
  };
  return { admit: record => committer.admit(record), note: record => committer.note(record), close };
};

const publish = (heads: Heads, files: Files): void => {
  if (files.head !== undefined) heads.publish(files.head);
};

const obtainedKey = ({ folder, keyFile, uid, random }: AuditOptions): KeyObject => {
  try {
    ensurePrivateFolder(dirname(keyFile), uid);
    ensurePrivateFolder(folder, uid);
    return obtainKey(keyFile, uid, random);
  } catch (error) {
    throw unavailable(error);
  }
};
