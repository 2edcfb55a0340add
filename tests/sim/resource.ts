/**
 * What the commands work on: a resource that accepts no fencing token lower than the highest it has seen.
 *
 * @module
 */
import { isLater } from "../../lib/kube/api.ts";
import type { Fact, Run } from "./facts.ts";

/** The resource. */
export class Resource {
  readonly #onEvent: (fact: Fact) => void;
  #highest: string | undefined;

  constructor(onEvent: (fact: Fact) => void) {
    this.#onEvent = onEvent;
  }

  /** A command's write reaches the resource. */
  write(run: Run, token: string): void {
    const accepted = this.#highest === undefined || !isLater(this.#highest, token);
    if (accepted) this.#highest = token;
    this.#onEvent({ kind: "fenced write", run, token, accepted });
  }
}
