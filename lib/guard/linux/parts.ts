/**
 * What guards are made of on Linux: a shell or klatch's own binary, in the command's process group, and the kernel's
 * timers and signals from pipes behind them.
 *
 * @module
 */

import type { SupervisorOptions } from "../options.ts";
import type { Backstop, GuardKind, GuardParts } from "../parts.ts";
import type { GuardConfig } from "../protocol.ts";
import { PipedGuard } from "./handle.ts";
import { ownBinaryGuard, shellGuard } from "./kinds.ts";
import { DeadMansSwitch } from "./switch.ts";
import { Watchdog } from "./watchdog.ts";

/** Makes the parts for one run. */
export function guardParts({ self, shell }: SupervisorOptions, config: GuardConfig): GuardParts {
  const dead = new DeadMansSwitch();
  const watchdog = new Watchdog();
  const binary = ownBinaryGuard(self);
  // On a terminal the command's processes have to be searched for, and without the kernel's signals from pipes and
  // timers a shell would not be woken in time.
  const isShellGood = !config.terminal && watchdog.works && dead.works;
  const cheap = shell !== undefined && isShellGood ? shellGuard(config, shell) : undefined;
  return {
    kinds: cheap === undefined ? [binary] : [cheap, binary],
    // If the kernel does not kill the command when klatch and its guard are killed at once, another guard has to.
    wanted: dead.works ? 1 : 2,
    sharesGroup: true,
    backstop: backstop(dead, watchdog),
    startGuard: (kind: GuardKind, pgid, events) => new PipedGuard(kind, pgid, dead, events),
  };
}

function backstop(dead: DeadMansSwitch, watchdog: Watchdog): Backstop {
  return {
    aim: (receiver) => void dead.aim(receiver),
    handOver: (start) => dead.handOver(start),
    set: (deadlines, nowMs) => watchdog.set(deadlines, nowMs),
    clear: () => watchdog.clear(),
    disarm: () => dead.disarm(),
  };
}
