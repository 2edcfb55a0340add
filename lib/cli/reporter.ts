/**
 * What klatch says on stderr while it works, as text for people or as one JSON object a line.
 *
 * @module
 */
import type { KlatchError } from "../errors.ts";
import type { Holder, LockName } from "../lock.ts";
import { describeHolder, type SessionEvent } from "../session/mod.ts";
import { formatDuration } from "./duration.ts";
import { lineOf } from "./hints.ts";
import type { Host } from "./host.ts";

/**
 * A line that is longer than the terminal is wide is cut off instead of wrapped (DECAWM), since only the row that the
 * cursor stands in can be written over.
 *
 * @see {@link https://invisible-island.net/xterm/ctlseqs/ctlseqs.html}
 */
const ONE_ROW = "\x1b[?7l", MANY_ROWS = "\x1b[?7h";

/** How much to say, and how. */
export interface LogOptions {
  readonly format: "text" | "json";
  /** Says nothing but warnings and errors. */
  readonly quiet: boolean;
  /** Says every request that is tried again as well. */
  readonly verbose: boolean;
  /** What klatch is called at the beginning of a line, where it stands in for another tool. */
  readonly program?: string;
}

/** Tells people what happens to one lock. */
export class Reporter {
  readonly #host: Host;
  readonly #log: LogOptions;
  readonly #lock: LockName;
  readonly #strategy: string;
  readonly #program: string;
  #heldSinceMs = 0;
  #waitingSinceMs: number | undefined;
  /** Whether the cursor stands behind a line that the next one is to be written over. */
  #openLine = false;
  #ticking: AbortController | undefined;
  #warnedTrouble = false;
  /** Whom the last line about waiting names. */
  #waitsFor: string | undefined;

  constructor(host: Host, log: LogOptions, lock: LockName, strategy: string) {
    this.#host = host;
    this.#log = log;
    this.#program = log.program ?? "klatch";
    this.#lock = lock;
    this.#strategy = strategy;
  }

  /** Tells a session's event. */
  readonly onEvent = (event: SessionEvent): void => {
    if (event.kind !== "trouble") this.#ticking?.abort();
    const name = `${this.#lock.namespace}/${this.#lock.name}`;
    switch (event.kind) {
      case "waiting":
        return this.#waiting(name, event.view.holders, event.place);
      case "acquired":
        this.#heldSinceMs = this.#host.clock.monotonic();
        return this.#news("acquired", `holding ${name} (token ${event.token})`, { token: event.token });
      case "took-over":
        return this.#news("took-over", `took ${name} over from ${event.from.identity}, whose time was up`, {
          from: event.from.identity,
        });
      case "released": {
        const heldMs = Math.round(this.#host.clock.monotonic() - this.#heldSinceMs);
        const doubt = event.confirmed
          ? ""
          : "; the API server did not confirm it: if it is not given back, it expires";
        const text = `gave ${name} back after ${formatDuration(heldMs)}${doubt}`;
        return this.#news("released", text, { heldMs, confirmed: event.confirmed });
      }
      case "polling":
        return this.warn(`${lineOf(event.error)}; meanwhile klatch polls`, "polling");
      case "not-removed":
        return this.warn(lineOf(event.error));
      case "trouble":
        return this.#trouble(event.error);
      case "renewed":
        // All is as it should be.
        return;
      case "lost":
        // The error itself is what ends the program, and is shown then.
        return;
    }
  };

  /** Warns of something that is no failure. */
  warn(text: string, event = "warning"): void {
    this.#line(event, text, {});
  }

  /** Shows what ended the program. */
  error(error: KlatchError): void {
    this.#ticking?.abort();
    this.#line("error", lineOf(error), { code: error.code });
  }

  #news(event: string, text: string, fields: Record<string, unknown>): void {
    if (!this.#log.quiet) this.#line(event, text, fields);
    this.#closeLine();
  }

  #trouble(error: KlatchError): void {
    if (this.#log.verbose || !this.#warnedTrouble) {
      this.#line("trouble", `${lineOf(error)}; klatch tries again`, {});
    }
    this.#warnedTrouble = true;
  }

  #waiting(name: string, holders: readonly Holder[], place: number | undefined): void {
    if (this.#log.quiet) return;
    const whom = holders.map(describeHolder).join(", ");
    const inLine = place === undefined ? "" : `${place === 1 ? "next" : `number ${place}`} in line`;
    const text = `for ${name}: ${[whom, inLine].filter((part) => part !== "").join("; ")}`;
    if (!this.#host.errIsTerminal || this.#log.format === "json") {
      // Where each line stays, another holder is worth one, and another place is not.
      if (whom === this.#waitsFor) return;
      this.#waitsFor = whom;
      const fields = {
        holders: holders.map(({ identity, since, reason }) => ({ identity, since, reason })),
        ...(place !== undefined && { place }),
      };
      return this.#line("waiting", `waiting ${text}`, fields);
    }
    const startedMs = this.#waitingSinceMs ??= this.#host.clock.monotonic();
    const ticking = this.#ticking = new AbortController();
    const tick = async () => {
      while (!ticking.signal.aborted) {
        const waited = Math.floor((this.#host.clock.monotonic() - startedMs) / 1000);
        this.#host.say(
          `\r\x1b[K${ONE_ROW}${this.#program}: waiting ${waited}s ${printable(text)}${MANY_ROWS}`,
        );
        this.#openLine = true;
        await this.#host.clock.sleep(1000, ticking.signal);
      }
    };
    tick();
  }

  #line(event: string, text: string, fields: Record<string, unknown>): void {
    this.#closeLine();
    if (this.#log.format === "text") return this.#host.say(`${this.#program}: ${printable(text)}\n`);
    const { namespace, name } = this.#lock;
    const time = new Date(this.#host.clock.wall()).toISOString();
    const line = { time, event, lock: name, namespace, strategy: this.#strategy, ...fields, message: text };
    this.#host.say(`${JSON.stringify(line)}\n`);
  }

  #closeLine(): void {
    if (this.#openLine) this.#host.say("\r\x1b[K");
    this.#openLine = false;
  }
}

/** One line that cannot steer a terminal, whatever others have written into the record. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what it is about
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}
