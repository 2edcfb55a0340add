/**
 * What the client reads a watch from. It stands in for a ReadableStream where only `for await` looks at it, and costs a
 * small part of one: what was entered is read in order; an error makes what has not been read void.
 *
 * @module
 */

/** Chunks that one reader takes as they come. */
export class Chunks implements AsyncIterable<Uint8Array> {
  readonly #onCancel: () => void;
  #queue: Uint8Array[] = [];
  #state: "open" | "closed" | { readonly error: unknown } = "open";
  #wake: () => void = () => {};

  /** @param onCancel is told when the reader leaves before the end. */
  constructor(onCancel: () => void) {
    this.#onCancel = onCancel;
  }

  enqueue(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#queue.push(chunk);
    this.#wake();
  }

  /** No more chunks come. */
  close(): void {
    if (this.#state === "open") this.#state = "closed";
    this.#wake();
  }

  error(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = { error };
    this.#queue = [];
    this.#wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: () => {
        if (this.#state === "open") this.#onCancel();
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (typeof this.#state === "object") throw this.#state.error;
      const value = this.#queue.shift();
      if (value !== undefined) return { done: false, value };
      if (this.#state === "closed") return { done: true, value };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
