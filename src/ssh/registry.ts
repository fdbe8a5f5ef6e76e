import { Failure } from '../errors.ts';
import { safeLine } from '../text/safe.ts';

const SHOWN_CHARS = 60;

/** Things that grants have open, by handle: to a grant, what belongs to another does not exist. */
export class Registry<Id extends string, Item> {
  readonly #what: string;
  readonly #forgotten: string;
  readonly #entries = new Map<string, { readonly grant: string; readonly id: Id; readonly item: Item }>();

  /** `what` is the word for one of them, in messages; `forgotten` says when a handle expires. */
  constructor(what: string, forgotten: string) {
    this.#what = what;
    this.#forgotten = forgotten;
  }

  add(grant: string, id: Id, item: Item): void {
    this.#entries.set(id, { grant, id, item });
  }

  remove(id: Id): void {
    this.#entries.delete(id);
  }

  find(grant: string, id: string): Item | undefined {
    const entry = this.#entries.get(id);
    return entry?.grant === grant ? entry.item : undefined;
  }

  /** `UNKNOWN_ID`, in the same words whether nobody or somebody else has it. */
  get(grant: string, id: string): Item {
    const item = this.find(grant, id);
    if (item !== undefined) return item;
    const shown = JSON.stringify(safeLine(id, SHOWN_CHARS));
    throw new Failure('UNKNOWN_ID', `There is no ${this.#what} ${shown}. ${this.#forgotten}`);
  }

  /** Those of one grant, the oldest first. */
  of(grant: string): readonly Item[] {
    return [...this.#entries.values()].filter(entry => entry.grant === grant).map(({ item }) => item);
  }

  /** Those of every grant, the oldest first. */
  all(): readonly Item[] {
    return [...this.#entries.values()].map(({ item }) => item);
  }
}
