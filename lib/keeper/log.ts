/**
 * The keeper's log: a file that does not grow without bound.
 *
 * @module
 */

/** The most that is written; the rest of a keeper's life is in its state file. */
const LARGEST_BYTES = 64 * 1024;

/** Appends lines to a file. What cannot be written is dropped: nobody is left to tell. */
export class KeeperLog {
  readonly #path: string;
  #bytes = 0;
  #last: Promise<void> = Promise.resolve();

  /** @param path the file, which is begun anew. */
  constructor(path: string) {
    this.#path = path;
    this.#last = Deno.writeTextFile(path, "", { mode: 0o600 }).catch(() => {});
  }

  /** Writes a line with the time before it. */
  write(message: string): void {
    const line = `${new Date().toISOString()} ${message.replaceAll(/\s+/g, " ")}\n`;
    if (this.#bytes >= LARGEST_BYTES) return;
    this.#bytes += line.length;
    const text = this.#bytes >= LARGEST_BYTES ? `${line}(the log is full)\n` : line;
    this.#last = this.#last.then(() => Deno.writeTextFile(this.#path, text, { append: true })).catch(
      () => {},
    );
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    await this.#last;
    await Deno.remove(this.#path).catch(() => {});
  }

  /** Resolves when everything is written. */
  flushed(): Promise<void> {
    return this.#last;
  }
}
