/**
 * What klatch says on stderr about one lock: session events in words, in the format that was asked for.
 *
 * @module
 */
import type { KlatchError } from "../../errors.ts";
import type { LockName, LockView } from "../../lock.ts";
import type { OnceSuccess } from "../../once/record.ts";
import { describeWait, type SessionEvent } from "../../session/mod.ts";
import { formatAge, formatDuration, shortened } from "../../text.ts";
import { lineOf } from "../hints.ts";
import type { Host } from "../host.ts";
import { GithubOutput } from "./github.ts";
import { JsonOutput } from "./json.ts";
import type { LogOptions } from "./options.ts";
import type { Output, Report } from "./report.ts";
import { TextOutput } from "./text.ts";

/** Reports what happens to one lock. */
export class Reporter {
  readonly #host: Host;
  readonly #log: LogOptions;
  readonly #name: string;
  readonly #output: Output;
  #heldSinceMs = 0;
  #waitingSinceMs: number | undefined;
  #toldTrouble = false;
  #holder: string | undefined;

  /**
   * @param host the process around klatch.
   * @param log how much to write, and in which format.
   * @param lock the lock; its parts are empty as long as they are not known.
   * @param strategy the strategies' names.
   */
  constructor(host: Host, log: LogOptions, lock: LockName, strategy: string) {
    this.#host = host;
    this.#log = log;
    this.#name = `${lock.namespace}/${lock.name}`;
    this.#output = outputFor(host, log, lock, strategy);
  }

  /** Reports a session's event. */
  readonly onEvent = (event: SessionEvent): void => {
    const name = this.#name;
    switch (event.kind) {
      case "waiting":
        return this.#waiting(event.view, event.place);
      case "acquired": {
        const nowMs = this.#heldSinceMs = this.#host.clock.monotonic();
        const waitedMs = Math.round(nowMs - (this.#waitingSinceMs ?? nowMs));
        const { token } = event;
        this.#waitingSinceMs = undefined;
        return this.#news("acquired", `acquired ${name} (token ${token})`, {
          token,
          waitedMs,
          ...(this.#holder !== undefined && { holder: this.#holder }),
        });
      }
      case "took-over": {
        const from = event.from.identity;
        return this.#news("took-over", `took over ${name} from ${shortened(from)} (its lease expired)`, {
          from,
        });
      }
      case "released": {
        const heldMs = Math.round(this.#host.clock.monotonic() - this.#heldSinceMs);
        const released = `released ${name} after ${formatDuration(heldMs)}`;
        const doubt = "the API server did not confirm it: a lock that is not released expires";
        const { confirmed, cause } = event;
        const message = confirmed
          ? released
          : cause === undefined
          ? `${released}; ${doubt}`
          : `could not release ${name}: ${cause.message}; it stays held until it expires`;
        return this.#news("released", message, { heldMs, confirmed: event.confirmed });
      }
      case "caution":
        return this.warn(event.message);
      case "polling":
        return this.warn(`${lineOf(event.error)}; klatch polls instead`, "polling");
      case "not-patched":
        if (this.#log.verbose) this.warn(`${lineOf(event.error)}; klatch reads and updates instead`);
        return;
      case "not-removed":
        return this.warn(lineOf(event.error));
      case "trouble":
        return this.#trouble(event.error);
      case "renewed":
      case "lost":
        // A renewal is what is expected, and the error of a loss ends the program, which reports it.
        return;
    }
  };

  /** Says by which name the lock is held, for reports of the acquisition. */
  contender(identity: string): void {
    this.#holder = identity;
  }

  /** Reports which attempt begins at what is to succeed once. */
  attempt(attempt: number, most: number | undefined): void {
    const of = most === undefined ? "" : ` of ${most}`;
    this.#news("attempt", `attempt ${attempt}${of} at ${this.#name}`, { attempt });
  }

  /** Reports that a success was recorded, for what is to succeed once. */
  succeeded({ token, ttlSeconds }: OnceSuccess): void {
    const until = ttlSeconds === undefined ? "" : `, which counts for ${formatDuration(ttlSeconds * 1000)}`;
    this.#news("succeeded", `recorded the success of ${this.#name}${until}`, { token });
  }

  /** Reports that there is nothing left to do. */
  alreadySucceeded({ token, at, by }: OnceSuccess): void {
    const ago = formatAge(Math.max(0, this.#host.clock.wall() - Date.parse(at)));
    const message = `${this.#name} has succeeded already: by ${shortened(by)}, ${ago} ago (token ${
      shortened(token)
    })`;
    this.#news("already-succeeded", message, { token, at, by });
  }

  /** Reports where an elector says who leads. */
  listening(url: string): void {
    this.#news("listening", `says who leads ${this.#name} on ${url}`, { url });
  }

  /** Reports that an elector does not lead any more, or could not, and contends again. */
  termEnded(end: { readonly status: number } | { readonly error: KlatchError }, pauseMs: number): void {
    const again = `contends again after up to ${formatDuration(pauseMs)}`;
    if ("status" in end) {
      const { status } = end;
      return this.#news("ended", `the command exited with ${status}; klatch ${again}`, { status });
    }
    this.#output.waited();
    const message = `${lineOf(end.error)}; klatch ${again}`;
    if (end.error.code === "lost") this.#output.write({ event: "lost", message, fields: {} });
    else this.#output.write({ event: "trouble", message, fields: {} });
  }

  /** Reports something that a command has to say. */
  note(event: string, message: string, fields: Report["fields"]): void {
    this.#news(event, message, fields);
  }

  /** Warns of something that is no failure. */
  warn(message: string, event = "warning"): void {
    this.#output.write({ event, message, fields: {} });
  }

  /** Reports what ended the program. */
  error(error: KlatchError): void {
    this.#output.waited();
    this.#output.write({
      event: "error",
      message: this.#worded(error.code, lineOf(error)),
      fields: { code: error.code },
    });
  }

  #news(event: string, message: string, fields: Report["fields"]): void {
    this.#output.waited();
    if (!this.#log.quiet) this.#output.write({ event, message: this.#worded(event, message), fields });
  }

  #worded(key: string, message: string): string {
    const words = this.#log.words?.[key];
    return words === undefined ? message : `${words} ${message}`;
  }

  #trouble(error: KlatchError): void {
    if (this.#log.verbose || !this.#toldTrouble) {
      this.#output.write({ event: "trouble", message: `${lineOf(error)}; klatch tries again`, fields: {} });
    }
    this.#toldTrouble = true;
  }

  #waiting(view: LockView, place: number | undefined): void {
    const startedMs = this.#waitingSinceMs ??= this.#host.clock.monotonic();
    if (this.#log.quiet) return;
    const { holders, note } = view;
    const fields = {
      holders: holders.map(({ identity, since, reason }) => ({ identity, since, reason })),
      ...(place !== undefined && { place }),
    };
    const report = (refreshed: boolean): Report => {
      const { clock } = this.#host;
      const soFar = refreshed ? `${formatAge(clock.monotonic() - startedMs)} ` : "";
      const whom = describeWait(view, clock.wall());
      const parts = [whom, place === undefined ? "" : `${ordinal(place)} in line`].filter((part) =>
        part !== ""
      );
      const why = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
      return { event: "waiting", message: `waiting ${soFar}for ${this.#name}${why}`, fields };
    };
    const who = JSON.stringify([
      note,
      ...holders.map(({ identity, since, reason }) => [identity, since, reason]),
    ]);
    this.#output.waiting(report, { holders: who, place });
  }
}

function outputFor(
  host: Host,
  { format, program = "klatch" }: LogOptions,
  lock: LockName,
  strategy: string,
): Output {
  if (format === "json") return new JsonOutput(host, { lock, strategy });
  if (format === "github") return new GithubOutput(host, { lock, strategy });
  return new TextOutput(host, program);
}

/** `next`, `2nd`, `3rd`, `11th`… */
function ordinal(place: number): string {
  if (place === 1) return "next";
  const suffix = /1\d$/.test(`${place}`) ? undefined : [, "st", "nd", "rd"][place % 10];
  return `${place}${suffix ?? "th"}`;
}
