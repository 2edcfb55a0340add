/**
 * Whether patches may be sent. They save requests; what they do can be done by reads and updates as well, so a server
 * that takes none, or a Role without the verb, is no failure.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { SessionEvent } from "./types.ts";

/** What is known for one contender on one object. */
export class Patching {
  readonly #onEvent: (event: SessionEvent) => void;
  #isAllowed = true;

  constructor(onEvent: (event: SessionEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Whether a patch is worth trying. */
  get isAllowed(): boolean {
    return this.#isAllowed;
  }

  /** A patch came to nothing, though the object is as it was made for: no further one is sent. */
  stop(): void {
    this.#isAllowed = false;
  }

  /**
   * A patch failed with this error.
   *
   * @returns whether the server refused it, by a Role or because it takes no patches; then no further one is sent.
   */
  isRefused(error: unknown): boolean {
    if (!(error instanceof KlatchError) || (error.code !== "forbidden" && error.code !== "refused")) {
      return false;
    }
    if (this.#isAllowed) this.#onEvent({ kind: "not-patched", error });
    this.stop();
    return true;
  }
}
