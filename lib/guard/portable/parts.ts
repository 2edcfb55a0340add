/**
 * What guards are made of where only the runtime's own functions are used: klatch's own binary, in a session of its own.
 * Nothing stands behind it.
 *
 * @module
 */

import { aheadOfCalendarMs } from "../../process/portable/clock.ts";
import { binaryGuard } from "../binary.ts";
import type { SupervisorOptions } from "../options.ts";
import type { Backstop, GuardParts } from "../parts.ts";
import { ChildGuard } from "./handle.ts";

/** Makes the parts for one run. */
export function guardParts({ self }: SupervisorOptions): GuardParts {
  const [path = ""] = self;
  const own = identityOf(path);
  const kind = binaryGuard(self, {
    isSame: (path) => identityOf(path) === own,
    more: () => [String(aheadOfCalendarMs())],
  });
  return {
    kinds: [kind],
    wanted: 1,
    sharesGroup: false,
    backstop: NONE,
    startGuard: (kind, _pgid, events) => new ChildGuard(kind, events),
  };
}

const NONE: Backstop = {
  aim() {},
  handOver: (start) => start([]),
  set() {},
  clear() {},
  disarm() {},
};

/** What tells a file from every other that exists at the same time. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
