import type { Target, Transfer } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Permit } from '../../gate/permit.ts';
import type { Parts } from '../caps.ts';
import type { Connection } from '../connection/connection.ts';
import { type GivingUp, givingUpWith, once } from '../giving-up.ts';
import { openBeside } from '../sftp/beside.ts';
import { openSftp } from '../sftp/open.ts';
import type { Sftp } from '../sftp/sftp.ts';
import { downloadFile, downloadText } from './download.ts';
import type { Files } from './files.ts';
import { givenUp, type Job } from './job.ts';
import { localPlace } from './local-place.ts';
import { overseenTransfer } from './overseen-transfer.ts';
import { checkRemotePath } from './path.ts';
import { realPlace } from './place.ts';
import { digestOnHost } from './remote-digest.ts';
import type { TransferMoment, Transferred, TransferView } from './transfer.ts';
import { copyTree } from './tree/tree.ts';
import { Turns } from './turns.ts';
import { Underway } from './underway.ts';
import { uploadFile } from './upload.ts';

/** The transfers of this process that are under way. */
export class Transfers {
  readonly #parts: Parts;
  readonly #files: Files | undefined;
  readonly #connectionTo: (target: Target) => Connection;
  readonly #turns: Turns;
  readonly #open = new Set<Underway>();
  #halted = false;

  /** `connectionTo` gives the connection to an account as it was judged. */
  constructor(parts: Parts, files: Files | undefined, connectionTo: (target: Target) => Connection) {
    this.#parts = parts;
    this.#files = files;
    this.#connectionTo = connectionTo;
    this.#turns = new Turns(parts.caps.transfersPerGrant);
  }

  /** Copies as permitted: see `Fleet.transfer`. */
  async run(permit: Permit<Transfer>, { signal, progress }: TransferMoment): Promise<Transferred> {
    const action = permit.spend();
    if (this.#halted) throw goingDown();
    const one = new Underway(permit.grant, action, this.#parts, progress);
    permit.livesUntil(one.outcome);
    this.#show(one);
    const releases = [signal, permit.revoked].map(why => once(why, () => void one.stop(givenUp())));
    try {
      const result = await this.#copy(permit, action, one);
      one.done(result);
      return result;
    } catch (error) {
      throw one.failed(error, permit.revoked.aborted);
    } finally {
      this.#open.delete(one);
      for (const release of releases) release();
    }
  }

  /** Those of a grant, the oldest first. */
  of(grant: string): readonly TransferView[] {
    return this.#all(one => one.grant === grant).map(one => one.view());
  }

  /** Whether anything of any grant moves to or from a host. */
  uses(host: string): boolean {
    return this.#all(one => one.host === host).length > 0;
  }

  /** Gives up those of a grant on a host that it disconnects; resolves when nothing of them moves. */
  async endOn(grant: string, host: string): Promise<void> {
    await this.#stop(
      one => one.grant === grant && one.host === host,
      new Failure('CANCELLED', `${host} was disconnected; nothing unfinished stands under its final name.`),
    );
  }

  /** Gives up those on a host that is gone, or another now. */
  revokeOn(host: string): void {
    const next = 'Call again, if it is still there.';
    void this.#stop(
      one => one.host === host,
      new Failure('UNKNOWN_HOST', `${host} was configured anew in the meantime.`, { next }),
    );
  }

  /** Begins nothing more, and gives up what is under way; resolves when nothing moves. */
  async shutdown(): Promise<void> {
    this.#halted = true;
    await this.#stop(() => true, goingDown());
  }

  #all(wanted: (one: Underway) => boolean): readonly Underway[] {
    return [...this.#open].filter(wanted);
  }

  async #stop(wanted: (one: Underway) => boolean, cause: Failure): Promise<void> {
    await Promise.all(this.#all(wanted).map(one => one.stop(cause)));
  }

  #show(one: Underway): void {
    this.#open.add(one);
    const stopped = new Failure('CANCELLED', 'The operator of this machine has stopped the transfer.');
    this.#parts.overseer?.began(
      overseenTransfer(one.id, {
        grant: one.grant,
        view: () => one.view(),
        stop: async () => await one.stop(stopped, 'operator'),
        open: () => one.open,
        ended: one.ended,
      }),
    );
  }

  async #copy(permit: Permit<Transfer>, action: Transfer, one: Underway): Promise<Transferred> {
    checkRemotePath(action.remotePath);
    // What this machine refuses is refused before a host is touched.
    if ('localPath' in action) await localPlace(this.#files, action.localPath);
    const { signal } = one;
    const { after } = this.#parts;
    const leave = await this.#turns.take(permit.grant, signal, most =>
      one.say(`waits: ${most} transfers are under way`),
    );
    const opening = givingUpWith(signal);
    try {
      const connection = this.#connectionTo(action.target);
      const sftp = await openSftp(connection, { by: { grant: permit.grant }, signal: opening.signal, after });
      // Later it is given up by the transfer, which has something to put away.
      opening.release();
      // The same holds for those that help it.
      const others = givingUpWith(signal);
      const closeAll = (): void => {
        others.now();
        sftp.close();
      };
      const patience = once(signal, () => after(CLEAN_MS, closeAll));
      try {
        return await this.#move(this.#job({ permit, one, sftp, connection, others }), action, one);
      } finally {
        patience();
        others.release();
        closeAll();
      }
    } finally {
      opening.release();
      leave();
    }
  }

  #job({ permit, one, sftp, connection, others }: Begun): Job {
    const { random, after } = this.#parts;
    const { signal } = one;
    return {
      ground: { sftp, host: one.host, leave: permit.files },
      grant: permit.grant,
      files: this.#files,
      ...{ random, signal },
      revoked: () => permit.revoked.aborted,
      remoteDigest: async (path, bytes) => await digestOnHost(connection, { path, bytes }, { random, after, signal }),
      beside: async () => {
        const how = { by: { grant: permit.grant }, signal: others.signal, after };
        return await openBeside(connection, sftp, how).finally(others.release);
      },
      expects: bytes => one.expects(bytes),
      moved: bytes => one.moved(bytes),
    };
  }

  async #move(job: Job, action: Transfer, one: Underway): Promise<Transferred> {
    const { direction } = action;
    const local = 'localPath' in action ? { localPath: action.localPath } : {};
    const about = () => ({ host: one.host, ...local, bytes: one.bytes, durationMs: Math.round(one.durationMs) });
    if ('tree' in action && action.tree !== undefined)
      return { ...(await treeOf(job, action, action.tree, () => one.filed())), ...about(), direction };
    if ('to' in action) {
      const { redaction } = this.#parts;
      return { what: 'text', ...(await downloadText(job, action)), ...about(), redaction, direction: 'download' };
    }
    if ('from' in action || direction === 'upload')
      return { what: 'file', ...(await uploadFile(job, action)), ...about(), direction: 'upload' };
    return { what: 'file', ...(await downloadFile(job, action)), ...about(), direction: 'download' };
  }
}

/** Copies a tree between the place here and the one there; both are looked for before anything is touched. */
const treeOf = async (job: Job, action: WithTree, { links, deleteExtra }: Asked, filed: () => void) => {
  const { direction, resume } = action;
  const local = await localPlace(job.files, action.localPath);
  const remotePath = await realPlace(job.ground, action.remotePath);
  const { bytes: _told, ...counts } = await copyTree(
    { job, remotePath, local, links, resume, deleteExtra, filed },
    direction,
  );
  return { remotePath, ...counts };
};

type WithTree = Extract<Transfer, { readonly localPath: string }>;
type Asked = NonNullable<WithTree['tree']>;

/** What was given up may take so long to put away what it began, though the host should answer nothing. */
const CLEAN_MS = 5_000;

type Begun = {
  readonly permit: Permit<Transfer>;
  readonly one: Underway;
  readonly sftp: Sftp;
  readonly connection: Connection;
  readonly others: GivingUp;
};

const goingDown = (): Failure => new Failure('SHUTTING_DOWN', 'The server is ending, and begins nothing more.');
