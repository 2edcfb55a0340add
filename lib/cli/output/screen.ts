/**
 * A terminal's screen that is drawn again in place, and is as it was before when it is left.
 *
 * @see {@link https://invisible-island.net/xterm/ctlseqs/ctlseqs.html}
 * @module
 */
import type { Host } from "../host.ts";

const ALTERNATE = "\x1b[?1049h\x1b[?25l", NORMAL = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H", ERASE_LINE = "\x1b[K", ERASE_BELOW = "\x1b[J";
/** No line is wrapped: a longer one is cut off by the terminal. */
const NO_WRAP = "\x1b[?7l", WRAP = "\x1b[?7h";

/** The alternate screen of the terminal. */
export class Screen implements Disposable {
  readonly #host: Host;
  readonly #rows: () => number;

  /**
   * Enters the screen.
   *
   * @param host writes to it.
   * @param rows how many rows it has now.
   */
  constructor(host: Host, rows: () => number) {
    this.#host = host;
    this.#rows = rows;
    host.print(ALTERNATE + NO_WRAP);
  }

  /** Draws a text from the first row on; what does not fit is left out, and said to be. */
  draw(text: string): void {
    const lines = text.replace(/\n$/, "").split("\n");
    const rows = Math.max(2, this.#rows());
    const shown = lines.length <= rows
      ? lines
      : [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} more lines`];
    this.#host.print(HOME + shown.map((line) => line + ERASE_LINE).join("\r\n") + ERASE_BELOW);
  }

  /** Leaves the screen. */
  [Symbol.dispose](): void {
    this.#host.print(WRAP + NORMAL);
  }
}
