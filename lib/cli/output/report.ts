/**
 * What klatch reports on stderr, before it has a format.
 *
 * @module
 */
import type { LockName } from "../../lock.ts";

/** One report. */
export interface Report {
  /** The name of the event, which is part of the JSON interface. */
  readonly event: string;
  /** The event in words: one line once it is made printable. */
  readonly message: string;
  /** What only this event has; part of the JSON interface. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What all reports of one command have in common. */
export interface Subject {
  /** The lock; its parts are empty as long as they are not known. */
  readonly lock: LockName;
  /** The strategies' names. */
  readonly strategy: string;
}

/** Writes reports in one format. */
export interface Output {
  /** Writes a report. */
  write(report: Report): void;
  /**
   * Writes that klatch waits, as far as that is news in this format.
   *
   * @param report makes the report. It says for how long klatch has waited if it is refreshed in place.
   * @param news what the report is about: another text is another state.
   */
  waiting(report: (refreshed: boolean) => Report, news: WaitingNews): void;
  /** Ends what {@link Output.waiting} began. */
  waited(): void;
}

/** What there is to say about waiting. */
export interface WaitingNews {
  /** Who holds the lock. */
  readonly holders: string;
  /** The place in line, from 1 up, once it is known. */
  readonly place: number | undefined;
}
