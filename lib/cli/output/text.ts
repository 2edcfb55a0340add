/**
 * Lines for people. On a terminal the line about waiting is refreshed in place.
 *
 * @module
 */
import { printable, shortened } from "../../text.ts";
import type { Host } from "../host.ts";
import type { Output, Report, WaitingNews } from "./report.ts";

/**
 * A line that is longer than the terminal is wide is cut off instead of wrapped (DECAWM), since only the row with the
 * cursor can be overwritten.
 *
 * @see {@link https://invisible-island.net/xterm/ctlseqs/ctlseqs.html}
 */
const NO_WRAP = "\x1b[?7l", WRAP = "\x1b[?7h";
/** Moves to the beginning of the row and erases it. */
const ERASE_ROW = "\r\x1b[K";
const REFRESH_MS = 1_000;

/** Longer messages are cut: they name several texts of others. */
const LONGEST = 1_000;

/** Writes reports as lines of text. */
export class TextOutput implements Output {
  readonly #host: Host;
  readonly #program: string;
  readonly #inPlace: boolean;
  /** Whether the cursor stands behind a line that the next one overwrites. */
  #openLine = false;
  #refreshing: AbortController | undefined;
  #told: WaitingNews | undefined;

  /**
   * @param host the process around klatch.
   * @param program the name at the beginning of each line.
   */
  constructor(host: Host, program: string) {
    this.#host = host;
    this.#program = program;
    this.#inPlace = host.errIsTerminal;
  }

  write(report: Report): void {
    this.#closeLine();
    this.#host.say(`${this.#line(report)}\n`);
  }

  waiting(report: (refreshed: boolean) => Report, news: WaitingNews): void {
    if (this.#inPlace) return this.#refresh(report);
    // Lines that stay are few: one for each holder, and one when the place in line becomes known.
    const told = this.#told;
    const isKnown = told?.place === undefined && news.place !== undefined;
    if (told !== undefined && told.holders === news.holders && !isKnown) return;
    this.#told = { holders: news.holders, place: news.place ?? told?.place };
    this.write(report(false));
  }

  waited(): void {
    this.#refreshing?.abort();
    this.#closeLine();
  }

  /** Shows a report in the row of the cursor until the next one. */
  #refresh(report: (refreshed: boolean) => Report): void {
    this.#refreshing?.abort();
    const refreshing = this.#refreshing = new AbortController();
    const tick = async () => {
      while (!refreshing.signal.aborted) {
        this.#host.say(`${ERASE_ROW}${NO_WRAP}${this.#line(report(true))}${WRAP}`);
        this.#openLine = true;
        await this.#host.clock.sleep(REFRESH_MS, refreshing.signal);
      }
    };
    tick();
  }

  #line({ message }: Report): string {
    return `${this.#program}: ${printable(shortened(message, LONGEST))}`;
  }

  #closeLine(): void {
    if (this.#openLine) this.#host.say(ERASE_ROW);
    this.#openLine = false;
  }
}
