import type { CommandId, Program, Run } from '../../call.ts';
import { isCommandId, newCommandId } from '../../call.ts';
import { Failure } from '../../errors.ts';
import type { Handles } from '../../state/handles.ts';
import type { Parts } from '../caps.ts';
import type { Connection, ExecOptions, Peer } from '../connection/connection.ts';
import { givingUpWith } from '../giving-up.ts';
import { overseenDetached } from '../overseen.ts';
import { Registry } from '../registry.ts';
import { ask } from './channel.ts';
import type { Commands, Leave } from './commands.ts';
import { DETACH_SCRIPT } from './detach-script.ts';
import { DetachedCommand, type Traces } from './detached.ts';
import { scriptWithProgram } from './launch.ts';
import { createMarks, isMark, type Mark } from './mark.ts';
import { GRACE_MS } from './reap.ts';
import { REAP_SCRIPT } from './reap-script.ts';

/** What the state store keeps of one: the account it runs in, as it was judged, and whether its end is known. */
type Kept = Traces & Pick<Run['target'], 'host' | 'user' | 'address' | 'port'> & { readonly ended: boolean };

const START_MS = 15_000;

/** Commands that outlive this process: started on their hosts, kept in the state store, found again by any process of their grant. */
export class DetachedCommands {
  readonly #parts: Parts;
  readonly #commands: Commands;
  readonly #handles: Handles;
  readonly #newMark: () => Mark;
  readonly #known = new Registry<CommandId, DetachedCommand>('command', 'It may have been forgotten.');

  readonly #over = new Set<CommandId>();

  constructor(parts: Parts, commands: Commands, handles: Handles) {
    this.#parts = parts;
    this.#commands = commands;
    this.#handles = handles;
    this.#newMark = createMarks(parts.random);
  }

  /**
   * Starts one, known to the state store before it is asked for, and resolves when the host has it. Rejects as `Connection.exec`
   * does; after CONNECTION_LOST the handle still answers.
   */
  async start(leave: Leave, action: Run, signal: AbortSignal | undefined): Promise<DetachedCommand> {
    const { grant, obligations, revoked } = leave;
    if (obligations.maxOutputBytes !== undefined) throw uncapped();
    const { host, user, address, port } = action.target;
    const connection = this.#commands.connectionTo(action.target);
    const traces = {
      id: newCommandId(this.#parts.random),
      mark: this.#newMark(),
      startedAt: this.#parts.clock.wallMs(),
    };
    const kept: Kept = { ...traces, host, user, address, port, ended: false };
    await this.#makeRoom(grant);
    const timeoutMs = Math.min(action.timeoutMs, obligations.timeoutMs ?? action.timeoutMs);
    const giving = givingUpWith(revoked, signal);
    const nonce = this.#parts.random(8).toString('hex');
    const text = this.#text(action, traces, { nonce, timeoutMs });
    try {
      if ('canonical' in action.program) await this.#commands.proved(connection, giving.signal);
      await this.#handles.remember(grant, handleFor(kept));
      const suits =
        'canonical' in action.program
          ? (peer: Peer) => this.#commands.proved(connection, giving.signal, peer)
          : undefined;
      await this.#send(connection, text, { nonce, signal: giving.signal, suits });
    } catch (error) {
      const unknown = error instanceof Failure && error.code === 'CONNECTION_LOST';
      if (!unknown) await this.#handles.forget(grant, traces.id);
      throw error;
    } finally {
      giving.release();
    }
    return this.#take(grant, kept, connection, action.program);
  }

  /** One of this process, whatever became of it. */
  find(grant: string, id: string): DetachedCommand | undefined {
    return this.#known.find(grant, id);
  }

  /** One of any process of the grant, or none. */
  async get(grant: string, id: string): Promise<DetachedCommand | undefined> {
    if (this.find(grant, id) === undefined) await this.#load(grant);
    return this.find(grant, id);
  }

  /** Those of the grant whose end was not known when this process met them, the oldest first. */
  async of(grant: string): Promise<readonly DetachedCommand[]> {
    await this.#load(grant);
    return this.#known.of(grant).filter(({ id }) => !this.#over.has(id));
  }

  async #load(grant: string): Promise<void> {
    for (const handle of await this.#handles.handles(grant)) {
      const kept = keptOf(handle.text);
      if (kept === undefined || this.find(grant, kept.id) !== undefined) continue;
      const connection = this.#connectionTo(kept);
      if (connection === undefined) continue;
      if (kept.ended) this.#over.add(kept.id);
      this.#take(grant, kept, connection);
    }
  }

  /** The connection to the account that it runs in, as long as the configuration means the same one. */
  #connectionTo(kept: Kept): Connection | undefined {
    try {
      return this.#commands.connectionTo({ ...kept, tags: [] });
    } catch (error) {
      if (error instanceof Failure && error.code === 'UNKNOWN_HOST') return undefined;
      throw error;
    }
  }

  #take(grant: string, kept: Kept, connection: Connection, program?: Program): DetachedCommand {
    const { caps, redaction, log, overseer } = this.#parts;
    const command = new DetachedCommand(kept, () => this.#connectionTo(kept) ?? connection, {
      ...this.#parts,
      keeping: { keepBytes: caps.keepBytes, maxOutputBytes: caps.maxOutputBytes, redaction },
      ended: () => {
        this.#handles
          .remember(grant, handleFor({ ...kept, ended: true }))
          .catch((error: unknown) =>
            log('warn', 'the end of a detached command was not kept', { error: String(error) }),
          );
      },
    });
    this.#known.add(grant, command.id, command);
    if (!kept.ended) overseer?.began(overseenDetached(command, { grant, program, redaction }));
    return command;
  }

  async #makeRoom(grant: string): Promise<void> {
    const most = this.#parts.caps.detachedPerGrant;
    const open = (await this.#handles.handles(grant)).filter(({ text }) => keptOf(text)?.ended === false);
    if (open.length < most) return;
    throw new Failure('BUSY', `${most} detached commands of this grant are not known to have ended.`, {
      next: 'Read one that has ended with ssh_read_output, or stop one with ssh_cancel_command; ssh_status lists them.',
    });
  }

  #text(action: Run, { id, mark }: Traces, { nonce, timeoutMs }: { nonce: string; timeoutMs: number }): string {
    const { graceMs = GRACE_MS } = this.#parts;
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1_000)));
    const words = [nonce, id, seconds, REAP_SCRIPT, ...graceMs.map(String), mark];
    return scriptWithProgram(DETACH_SCRIPT, words, { ...action, mark });
  }

  async #send(
    connection: Connection,
    text: string,
    { nonce, signal, suits }: { nonce: string; signal: AbortSignal; suits: ExecOptions['suits'] },
  ): Promise<void> {
    const { name } = connection.host;
    const { stdout } = await ask(connection, { text, suits, deadlineMs: START_MS, after: this.#parts.after, signal });
    const said = new RegExp(`^${nonce} (.*)$`, 'm').exec(stdout.toString('latin1'))?.[1];
    if (said === 'started') return;
    if (said === undefined)
      throw new Failure('CONNECTION_LOST', `${name} did not say whether it started the detached command.`);
    throw new Failure('UNSUPPORTED', `${name} cannot keep a detached command: ${said.replace(/^refused /, '')}.`, {
      next: 'Ask the operator for a home folder that the account can write to, or run it without detach.',
      details: { host: name },
    });
  }
}

const handleFor = (kept: Kept): { id: string; text: string } => ({ id: kept.id, text: JSON.stringify(kept) });

const isKept = (value: unknown): value is Kept => {
  if (typeof value !== 'object' || value === null) return false;
  const { id, mark, startedAt, host, user, address, port, ended } = { ...BLANK, ...value };
  const words = [id, mark, host, user, address].every(word => typeof word === 'string');
  const numbers = [startedAt, port].every(Number.isFinite);
  return words && numbers && typeof ended === 'boolean' && isMark(String(mark)) && isCommandId(String(id));
};

const BLANK: Record<keyof Kept, unknown> = {
  id: undefined,
  mark: undefined,
  startedAt: undefined,
  host: undefined,
  user: undefined,
  address: undefined,
  port: undefined,
  ended: undefined,
};

/** A handle as we wrote it; another text is none of ours. */
const keptOf = (text: string): Kept | undefined => {
  const value: unknown = JSON.parse(text);
  return isKept(value) ? value : undefined;
};

const uncapped = (): Failure =>
  new Failure(
    'INVALID_INPUT',
    'The policy caps the output of this command, and that of a detached one cannot be capped.',
    {
      next: 'Run it without detach.',
    },
  );
