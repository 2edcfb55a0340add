/**
 * The program's surroundings for a test of what it says before it touches anything.
 *
 * @module
 */
import type { Host } from "../../lib/cli/host.ts";
import { systemClock } from "../../lib/clock.ts";

/** A host that remembers what was said, and has nothing else but what a test gives it. */
export function quietWorld(given: Partial<Host> = {}) {
  const said: string[] = [];
  const printed: string[] = [];
  const appended: string[] = [];
  const host: Host = {
    clock: systemClock(),
    env: () => undefined,
    say: (text) => void said.push(text),
    print: (text) => void printed.push(text),
    append: (path, text) => void appended.push(`${path}: ${text}`),
    errIsTerminal: false,
    outIsTerminal: false,
    calledAs: "klatch",
    runtime: { deno: "2.0.0", v8: "13.0" },
    hostname: () => "host",
    self: [],
    nonce: () => "0123456789abcdef",
    makeScratch: () => Promise.reject(new Error("nothing may be written")),
    ...given,
  };
  return { host, said, printed, appended };
}
