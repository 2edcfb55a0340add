/**
 * In which process group a command is started, and with which signals: what posix_spawn(3) calls its attributes.
 *
 * @module
 */

import { ignoredAtStart } from "./dispositions.ts";
import { fixedBytes } from "./libc/library.ts";
import { DEAF_TO } from "../signals.ts";

/** The process group of a command: a new one, klatch's, or one that exists already in this session. */
export type GroupChoice = "own" | "inherit" | { readonly join: number };

/**
 * A posix_spawnattr_t for the group, with default dispositions and an empty mask. Written by hand because five
 * functions to fill it would take longer to load than all the rest. glibc and musl have had the same fields in the
 * same places ever since: flags, group, two sigset_t of 128 bytes (the public header spawn.h; the tests read this
 * back through the C library).
 */
export function attributes(group: GroupChoice, blocked = false): Uint8Array<ArrayBuffer> {
  const SIZE = 336, SET_GROUP = 0x02, SET_DEFAULTS = 0x04, SET_MASK = 0x08;
  const bytes = fixedBytes(SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, SET_DEFAULTS | SET_MASK | (group === "inherit" ? 0 : SET_GROUP), true);
  view.setInt32(4, typeof group === "string" ? 0 : group.join, true);
  const DEFAULTS = 8, MASK = DEFAULTS + 128;
  for (let signal = 1; signal <= 64; signal++) {
    if (!ignoredAtStart().has(signal)) addSignal(view, DEFAULTS, signal);
    if (blocked && DEAF_TO.includes(signal)) addSignal(view, MASK, signal);
  }
  return bytes;
}

/** Adds a signal to the sigset_t at an offset. */
function addSignal(view: DataView, offset: number, signal: number): void {
  const at = offset + ((signal - 1) >> 3);
  view.setUint8(at, view.getUint8(at) | (1 << ((signal - 1) & 7)));
}
