import { Failure } from '../errors.ts';

/** Where a secret lies: never its text. */
export type SecretReference =
  | { readonly env: string }
  | { readonly command: readonly [string, ...string[]] }
  | { readonly file: string };

/** Fetches the text behind a reference; an error's message, for the operator alone, names the reference and never the text. */
export type SecretResolver = (reference: SecretReference) => Promise<string>;

/** A secret by reference: fetched when it is used, and shown as `[secret]` whatever prints it. */
export class Secret {
  readonly #reference: SecretReference;
  readonly #resolve: SecretResolver;
  readonly #listeners: ((text: string) => void)[] = [];

  constructor(reference: SecretReference, resolve: SecretResolver) {
    this.#reference = reference;
    this.#resolve = resolve;
  }

  /** Where it lies, for messages to the operator. */
  get origin(): string {
    const reference = this.#reference;
    if ('env' in reference) return `environment variable ${reference.env}`;
    if ('file' in reference) return `file ${reference.file}`;
    return `command ${reference.command[0]}`;
  }

  /** The file in which it lies, when it is one. */
  get file(): string | undefined {
    return 'file' in this.#reference ? this.#reference.file : undefined;
  }

  /** The text, fetched anew at each call; `AUTH_FAILED`, without anything of the text, when it cannot be had or is empty. */
  async reveal(): Promise<string> {
    const text = await this.#resolve(this.#reference).catch((error: unknown) => {
      throw this.#unreadable('it cannot be fetched', error instanceof Error ? error.message : undefined);
    });
    if (text === '') throw this.#unreadable('it is empty');
    for (const hear of this.#listeners) hear(text);
    return text;
  }

  /** Tells the text each time before it is given out: for what must keep it from being shown. */
  whenRevealed(hear: (text: string) => void): void {
    this.#listeners.push(hear);
  }

  #unreadable(why: string, cause = why): Failure {
    return new Failure('AUTH_FAILED', `The configured secret cannot be used: ${why}.`, {
      next: 'Make it available to sallyport, then call again.',
      operator: `The secret in ${this.origin} cannot be used: ${cause}.`,
    });
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
