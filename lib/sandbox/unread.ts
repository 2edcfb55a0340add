/**
 * What a client has not read yet, up to a limit: a client that does not read must not fill the memory.
 *
 * @module
 */

/** How much a watcher may leave unread, in bytes: some events of the largest objects. */
export const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** A queue of pieces of an answer. */
export class Unread {
  readonly #maxBytes: number;
  #pieces: { readonly bytes: Uint8Array; readonly counted: number }[] = [];
  #bytes = 0;
  #ended = false;
  #wake = () => {};

  /** @param maxBytes how much may be unread, in bytes, at least 1. A single larger piece is taken if nothing is unread. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Adds a piece.
   *
   * @param piece bytes of the answer.
   * @param counts whether it counts: what a client asked for does not, be it ever so much.
   * @returns `false` if there is too much already: what is unread is dropped, and the queue has ended.
   */
  add(piece: Uint8Array, counts = true): boolean {
    if (this.#ended) return false;
    const counted = counts ? piece.length : 0;
    if (this.#bytes > 0 && this.#bytes + counted > this.#maxBytes) {
      this.#pieces = [];
      this.end();
      return false;
    }
    this.#pieces.push({ bytes: piece, counted });
    this.#bytes += counted;
    this.#wake();
    return true;
  }

  /** Takes no more pieces. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next piece, as soon as there is one; `undefined` at the end. */
  async take(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const piece = this.#pieces.shift();
    this.#bytes -= piece?.counted ?? 0;
    return piece?.bytes;
  }
}
