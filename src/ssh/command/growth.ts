/** Lets readers wait for something that grows until it has ended. */
export class Growth {
  #ended = false;
  #pulse = pulse();

  get ended(): boolean {
    return this.#ended;
  }

  /** It has grown. */
  beat(): void {
    const { beat } = this.#pulse;
    this.#pulse = pulse();
    beat();
  }

  /** It will not grow any more. */
  end(): void {
    this.#ended = true;
    this.beat();
  }

  /** Resolves when `reached` holds, which is asked after each growth, or when it has ended. */
  async until(reached: () => boolean): Promise<void> {
    while (!this.#ended && !reached()) await this.#pulse.promise;
  }
}

type Pulse = { readonly promise: Promise<void>; readonly beat: () => void };

const pulse = (): Pulse => {
  let beat = (): void => undefined;
  const promise = new Promise<void>(resolve => {
    beat = resolve;
  });
  return { promise, beat };
};
