/**
 * The text of a stream as it comes in, and the wait for a line of it.
 *
 * @module
 */

/** How long to wait for a line before saying that it never came. */
const PATIENCE_MS = 60_000;

/** Text that comes in over time. */
export class Collected {
  /** All of it so far. */
  text = "";
  /** Resolves at the end of the stream. */
  readonly closed: Promise<void>;
  #ended = false;
  #wake: () => void = () => {};
  #changed = new Promise<void>((resolve) => this.#wake = resolve);

  constructor(stream: ReadableStream<Uint8Array>) {
    this.closed = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      this.text += piece;
      this.#onEvent();
    }
    this.#ended = true;
    this.#onEvent();
  }

  #onEvent(): void {
    const wake = this.#wake;
    this.#changed = new Promise((resolve) => this.#wake = resolve);
    wake();
  }

  /**
   * Waits for a complete line, also one that is there already.
   *
   * @returns the first one that matches; undefined if the stream ends or a minute passes without one.
   */
  async line(pattern: RegExp): Promise<string | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), PATIENCE_MS));
    try {
      for (;;) {
        const changed = this.#changed;
        const found = this.text.split("\n").slice(0, this.#ended ? undefined : -1).find((l) =>
          pattern.test(l)
        );
        if (found !== undefined || this.#ended) return found;
        if (await Promise.race([changed, late]) === "late") return undefined;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
