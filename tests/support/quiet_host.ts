/**
 * The program's surroundings for a test of what it says before it touches anything.
 *
 * @module
 */
import type { World } from "../../lib/cli/host.ts";
import { systemClock } from "../../lib/clock.ts";

/** A world that remembers what was said, and has nothing else but what a test gives it. */
export function quietWorld(given: Partial<World> = {}) {
  const said: string[] = [];
  const printed: string[] = [];
  const world: World = {
    clock: systemClock(),
    env: () => undefined,
    say: (text) => void said.push(text),
    print: (text) => void printed.push(text),
    errIsTerminal: false,
    calledAs: "klatch",
    hostname: () => "host",
    self: [],
    nonce: () => "0123456789abcdef",
    makeScratch: () => Promise.reject(new Error("nothing may be written")),
    ...given,
  };
  return { world, said, printed };
}
