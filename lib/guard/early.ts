/**
 * A guard that is started before it is known what for, since it takes longer than anything else to be ready.
 *
 * @module
 */

import { GuardHandle } from "./handle.ts";
import { DeadMansSwitch } from "./switch.ts";

/** It can be given to one run, which ends it. */
export class EarlyGuard {
  readonly dead = new DeadMansSwitch();
  readonly guard: GuardHandle;

  /**
   * @param self the words that start this program once more.
   * @throws KlatchError when it cannot be started.
   */
  constructor(self: readonly string[]) {
    this.guard = new GuardHandle(self, undefined, this.dead);
  }

  /** Ends it. May be called twice. */
  async end(): Promise<void> {
    await this.guard.end();
  }
}
