import type { Log } from '../call.ts';
import { formatProblem, InvalidFile } from '../errors.ts';
import type { Host } from '../ssh/host.ts';
import type { Inventory } from '../ssh/inventory.ts';
import type { Uid } from '../state/private.ts';
import { type Config, readConfig } from './config.ts';
import { type Fault, type Made, makeHosts } from './hosts.ts';
import { type Env, withoutVariables } from './paths.ts';
import { type Asking, askingIn, readSshConfig, type SshConfig } from './ssh-config/ssh-config.ts';
import { lookAt, type Senses, type Sight, senses, watchFile } from './watch.ts';
import { watchMarks } from './watch-marks.ts';

/** What a living inventory rests on; `text` is that of the file when the configuration was read, undefined for none. */
export type InventoryParts = {
  readonly config: Config;
  readonly file: string;
  readonly text: string | undefined;
  readonly env: Env;
  readonly uid: Uid;
  readonly log: Log;
  readonly asking?: Asking;
};

/** The hosts of config.json and ssh_config as they stand now. */
export type LiveInventory = Inventory & {
  /** Looks at the files now; resolves when the inventory is as they say. Never rejects: what is broken is said, and what was stays. */
  readonly reload: () => Promise<void>;
  /** Follows the files from now on; the result ends that. */
  readonly follow: (by?: Senses) => () => void;
};

/** An inventory that reads nothing before it is asked: the hosts of config.json are there at once, the others when `ready` resolves. */
export const liveInventory = (parts: InventoryParts): LiveInventory => {
  const living = new Living(parts);
  return {
    all: () => living.all(),
    get: name => living.get(name),
    ready: async () => await living.ready(),
    onChange: listener => living.onChange(listener),
    reload: async () => await living.reload(),
    follow: (by = senses) => living.follow(by),
  };
};

/** The configuration with the hosts of ssh_config among its own, as they stand now; what is wrong there is said. */
export const withSshHosts = async (
  config: Config,
  { env, uid, log }: Pick<InventoryParts, 'env' | 'uid' | 'log'>,
): Promise<Config> => {
  if (config.sshConfig === 'none') return config;
  const inventory = liveInventory({ config, file: '', text: undefined, env, uid, log });
  await inventory.ready();
  return { ...config, hosts: inventory.all() };
};

class Living {
  readonly #parts: InventoryParts;
  readonly #listeners: ((names: readonly string[]) => void)[] = [];
  #config: Config;
  #text: string | undefined;
  #ssh: SshConfig | undefined;
  #hosts: ReadonlyMap<string, Host> = new Map();
  #kept: ReadonlyMap<string, Made> = new Map();
  #list: readonly Host[] = [];
  #turn: Promise<void> | undefined;
  /** The first of them: what comes later keeps nobody waiting, as the hosts that were are there. */
  #first: Promise<void> | undefined;
  /** Whether ssh_config was read, or tried: from then on it runs no commands. */
  #begun = false;
  /** What was said last, and is not repeated. */
  #said = '';

  constructor(parts: InventoryParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#text = parts.text;
    this.#swap();
  }

  all(): readonly Host[] {
    return this.#list;
  }

  get(name: string): Host | undefined {
    return this.#hosts.get(name);
  }

  onChange(listener: (names: readonly string[]) => void): void {
    this.#listeners.push(listener);
  }

  async ready(): Promise<void> {
    this.#turn ??= this.#update();
    this.#first ??= this.#turn;
    await this.#first;
  }

  async reload(): Promise<void> {
    const before = this.#turn;
    this.#turn = (async () => {
      await before;
      this.#take(lookAt(this.#parts.file, this.#parts.uid));
      await this.#update();
    })();
    this.#first ??= this.#turn;
    await this.#turn;
  }

  follow(by: Senses): () => void {
    const { file, uid } = this.#parts;
    const known: Sight = this.#text === undefined ? { kind: 'absent' } : { kind: 'text', text: this.#text };
    const changed = (): void => void this.reload();
    const standing = () => ({ paths: this.#ssh?.paths ?? [], marks: this.#ssh?.marks ?? '' });
    const ends = [watchFile({ path: file, uid, known }, changed, by), watchMarks(standing, changed, by)];
    void this.ready();
    return () => {
      for (const end of ends) end();
    };
  }

  /** Reads config.json, if there is another text. */
  #take(sight: Sight): void {
    const { file, env, log } = this.#parts;
    const text = sight.kind === 'text' ? sight.text : undefined;
    if (text === this.#text && sight.kind !== 'refused') return;
    if (text === undefined) {
      const why = sight.kind === 'refused' ? `cannot be trusted: ${sight.message}` : 'does not exist any more';
      log('error', `${file} ${why}: the hosts are left unchanged`);
      return;
    }
    try {
      const config = readConfig(text, file, env);
      if (restOf(config) !== restOf(this.#config))
        log('warn', `${file} has changed beside its hosts: that holds when sallyport is started again`);
      this.#config = config;
      this.#text = text;
    } catch (error) {
      if (!(error instanceof InvalidFile)) throw error;
      log('error', `${file} is not taken: the hosts are left unchanged`, { problems: error.problems.length });
      for (const problem of error.problems) log('error', formatProblem(problem));
    }
  }

  /** Brings the hosts up to what the files say. */
  async #update(): Promise<void> {
    const { sshConfig } = this.#config;
    const mayRun = !this.#begun;
    const problems: string[] = [];
    if (sshConfig === 'none') this.#ssh = undefined;
    else
      try {
        this.#begun = true;
        const { asking = this.#asking() } = this.#parts;
        const { now, refusal } = await readSshConfig(this.#config, asking, this.#ssh, mayRun);
        this.#ssh = now;
        problems.push(...now.problems, ...(refusal === undefined ? [] : [refusal]));
      } catch (error) {
        problems.push(`ssh_config is not read: ${error instanceof Error ? error.message : String(error)}`);
      }
    const { changed, faults } = this.#swap();
    this.#tell([...problems, ...faults]);
    if (changed !== undefined) for (const listener of this.#listeners) listener(changed);
  }

  /** ssh is asked without the secrets of config.json, so that no pattern of SendEnv means one. */
  #asking(): Asking {
    return askingIn(withoutVariables(this.#parts.env, this.#config.secretVariables), this.#parts.uid);
  }

  #tell(problems: readonly string[]): void {
    const said = problems.join('\n');
    if (said !== this.#said) for (const problem of problems) this.#parts.log('error', problem);
    this.#said = said;
  }

  #sentence({ name, member, message }: Fault): string {
    if (this.#config.entries.has(name)) return formatProblem(this.#config.problem(name, member, message));
    return `${name} of ssh_config is left out: its way ${message}`;
  }

  /** Puts the hosts that hold now in place, in one step; says which are gone or others, undefined when all is as it was. */
  #swap(): { readonly changed: readonly string[] | undefined; readonly faults: readonly string[] } {
    const { names, answers } = this.#ssh ?? { names: [], answers: new Map() };
    const sources = { entries: this.#config.entries, names, answers, env: this.#parts.env };
    const { hosts, faults, kept } = makeHosts(sources, this.#kept);
    const was = this.#hosts;
    this.#hosts = hosts;
    this.#kept = kept;
    this.#list = [...hosts.values()];
    const changed = [...was].filter(([name, host]) => hosts.get(name) !== host).map(([name]) => name);
    return {
      changed: changed.length > 0 || hosts.size !== was.size ? changed : undefined,
      faults: faults.map(fault => this.#sentence(fault)),
    };
  }
}

/** All but the hosts. */
const restOf = ({ knownHosts, networks, grants, timeouts, limits }: Config): string =>
  JSON.stringify([knownHosts, networks, [...grants], timeouts, limits]);
