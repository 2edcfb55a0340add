/**
 * What happened, as lines that a person can read and as one number that tells two runs apart.
 *
 * @module
 */

/** The timeline of one world. */
export class Trace {
  readonly lines: string[] = [];
  readonly #record: boolean;
  readonly #now: () => number;
  #hash = 0x811c9dc5;

  /**
   * @param record whether to keep the lines.
   * @param now true time, in milliseconds.
   */
  constructor(record: boolean, now: () => number) {
    this.#record = record;
    this.#now = now;
  }

  /** Adds a line. */
  readonly say = (who: string, what: string): void => {
    const line = `${(this.#now() / 1000).toFixed(4).padStart(9)}s  ${who.padEnd(7)} ${what}`;
    // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    this.#hash = hash;
    if (this.#record) this.lines.push(line);
  };

  /** The hash of all lines so far. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }
}
