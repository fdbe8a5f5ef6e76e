import { Failure } from '../../errors.ts';
import type { Channel } from '../command/channel.ts';
import type { Mark } from '../command/mark.ts';
import { unlessGivenUp } from '../given-up.ts';
import type { Host } from '../host.ts';
import { loadTrust, type Verdict } from '../trust/trust.ts';
import type { Connection, ExecOptions, Peer } from './connection.ts';
import { Lanes } from './lanes.ts';
import type { Link } from './link.ts';
import { type LinkMeans, Links } from './links.ts';
import { closedMeanwhile, unsteady } from './no-session.ts';
import type { Room } from './room.ts';
import type { Lent } from './through.ts';
import type { Warden } from './warden.ts';

/** How often a command moves to another link before it began. */
const MAX_MOVES = 2;
/** How long what was stopped on a host that is configured anew may take to close. */
const RETIRE_MS = 10_000;

/** The connection to one host: its links, and who waits for a lane of one of them. */
export class HostConnection implements Connection {
  readonly host: Host;
  readonly #means: LinkMeans;
  readonly #links: Links;
  readonly #lanes: Lanes;
  #shut = false;
  #retired = false;
  #callOffRetiring: () => void = () => undefined;
  #holds = 0;
  /** How often it was closed on purpose: what waited then is not to begin on the next link. */
  #closes = 0;

  constructor(host: Host, means: LinkMeans) {
    this.host = host;
    this.#means = means;
    this.#links = new Links(host, means, {
      changed: () => this.#lanes.give(),
      failed: why => this.#lanes.refuse(why),
      short: () => this.#lanes.waiting,
      wanted: () => this.#holds > 0,
    });
    this.#lanes = new Lanes({
      carriers: () => this.#links.open,
      most: means.caps.linksPerHost,
      short: () => this.#links.more(),
    });
  }

  state(): 'idle' | 'connecting' | 'ready' | 'closed' {
    return this.#links.state;
  }

  channels(): number {
    return this.#links.open.reduce((sum, { taken }) => sum + taken, 0);
  }

  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<Peer> {
    return (await this.#first(this.#closes, options)).peer;
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    const closes = this.#closes;
    for (let moves = 0, again = false; ; again = true) {
      await this.#first(closes, options);
      this.#check(closes, options);
      const lane = await this.#lanes.take({ ...options, again });
      try {
        const ran = await lane.carrier.run(command, options, lane);
        if (ran.how === 'open') return ran.channel;
        lane.release();
        if (ran.how === 'full') continue;
      } catch (error) {
        lane.release();
        throw error;
      }
      if (++moves > MAX_MOVES) throw unsteady(this.host);
      lane.carrier.link.end();
    }
  }

  signal(channel: Channel, name: string): boolean {
    return this.#links.open.some(({ link }) => link.signal(channel, name));
  }

  warden(near?: Mark): Warden | undefined {
    const standing = this.#links.open.filter(({ warden }) => warden?.stands() === true);
    const nearest = standing.find(carrier => near !== undefined && carrier.carries(near));
    return (nearest ?? standing[0])?.warden;
  }

  reaches(peer: Peer): boolean {
    return this.#links.open.some(({ link }) => link.peer === peer);
  }

  peers(): readonly Peer[] {
    return this.#links.open.map(({ link }) => link.peer);
  }

  leased(): boolean {
    const { open } = this.#links;
    return open.length > 0 && open.every(({ warden }) => warden?.stands() === true);
  }

  release(mark: Mark): void {
    for (const carrier of this.#links.open) carrier.release(mark);
  }

  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  carriesLinks(): boolean {
    return this.#links.open.some(carrier => carrier.carriesLinks);
  }

  async startup(signal?: AbortSignal): Promise<number | undefined> {
    const stood = this.#links.open[0]?.warden?.stood;
    if (stood !== undefined) await unlessGivenUp(stood, signal);
    return this.#links.startupMs;
  }

  async room(most: number, signal?: AbortSignal): Promise<Room | undefined> {
    await this.#first(this.#closes, signal === undefined ? {} : { signal });
    return await (await this.#links.first(signal)).room(most, this.#means);
  }

  /** Its link, for one to another host to be led through. */
  async carry(signal: AbortSignal): Promise<Link> {
    await this.#first(this.#closes, { signal });
    return (await this.#links.first(signal)).through();
  }

  async lend(signal?: AbortSignal): Promise<Lent> {
    await this.#first(this.#closes, signal === undefined ? {} : { signal });
    return (await this.#links.first(signal)).lend();
  }

  close(): void {
    this.#closes++;
    this.#lanes.refuse(closedMeanwhile(this.host));
    this.#links.end();
  }

  /** Closes it for good. */
  shut(): void {
    this.#shut = true;
    this.#callOffRetiring();
    this.close();
  }

  /** Begins no command any more, and closes for good: when whoever stops what runs there closes it, or after a while. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#callOffRetiring = this.#means.after(RETIRE_MS, () => this.shut());
    // Not in this turn: who waits is to hear from whoever started it why it is not sent.
    queueMicrotask(() => {
      if (this.channels() === 0 && !this.carriesLinks()) this.shut();
    });
  }

  async key(): Promise<Verdict> {
    if (this.#links.refusedKey !== undefined) return this.#links.refusedKey;
    const trust = await loadTrust(this.host, this.#means.knownHosts);
    return trust.standing;
  }

  async #first(closes: number, options: Pick<ExecOptions, 'signal' | 'reserved'>): Promise<Link> {
    this.#check(closes, options);
    return (await this.#links.first(options.signal)).link;
  }

  #check(closes: number, { reserved }: Pick<ExecOptions, 'reserved'>): void {
    const gone = this.#retired && (this.#shut || reserved !== true);
    if (gone || (closes !== this.#closes && !this.#shut)) throw closedMeanwhile(this.host);
    if (this.#shut) throw new Failure('SHUTTING_DOWN', 'The server is shutting down.');
  }
}
