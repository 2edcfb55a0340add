/**
 * The flags of `klatch sandbox`.
 *
 * @module
 */
import type { Flag } from "./flags.ts";

/** The flags of `klatch sandbox`. */
export const SANDBOX_FLAGS: readonly Flag[] = [
  { name: "port", value: "N", help: "listen on this port of 127.0.0.1 (default: a free one)" },
  { name: "help", short: "h", help: "show this help" },
];
