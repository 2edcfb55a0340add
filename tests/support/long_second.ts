/**
 * A second that lasts for as long as a test needs it: a guard that sleeps at first does so until the test has seen what
 * it came for, on a slow machine too.
 *
 * @module
 */

import { shellLine } from "./processes.ts";

/** A folder for the front of PATH, whose `sleep 1` ends when it is told to; every other sleep is what it was. */
export class LongSecond {
  readonly #folder: string;
  /** What to add to the environment of what starts the guard. */
  readonly env: Readonly<{ PATH: string }>;

  /** @param folder an empty folder of its own. */
  constructor(folder: string) {
    this.#folder = folder;
    const path = Deno.env.get("PATH") ?? "/usr/bin:/bin";
    this.env = { PATH: `${folder}:${path}` };
    const lines = [
      "#!/bin/sh",
      `PATH=${shellLine([path])}`,
      `[ "$*" = 1 ] || exec sleep "$@"`,
      `until [ -e ${shellLine([`${folder}/over`])} ]; do sleep 0.02; done`,
    ];
    Deno.writeTextFileSync(`${folder}/sleep`, lines.join("\n") + "\n", { mode: 0o755 });
  }

  /** Whether a command line is that of such a sleep. */
  isIn(commandLine: string | undefined): boolean {
    return commandLine?.includes(`${this.#folder}/sleep 1`) ?? false;
  }

  /** Lets the second end, and each one after it. */
  over(): void {
    Deno.writeTextFileSync(`${this.#folder}/over`, "");
  }
}
