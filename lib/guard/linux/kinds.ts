/**
 * The two kinds of guard: a shell, which costs a millisecond, and klatch's own binary, for a terminal and for systems
 * without a shell. What differs is how one is started and in which form it is told things.
 *
 * @module
 */

import { fileIdentity } from "../../process/linux/file_identity.ts";
import { bootTimeMs } from "../../process/linux/libc/boot_time.ts";
import { readProcFile } from "../../process/linux/proc.ts";
import { binaryGuard } from "../binary.ts";
import type { GuardKind } from "../parts.ts";
import { type GuardConfig, lineOf, OWN_GROUP } from "../protocol.ts";
import { NEVER, SHELL_GUARD } from "./shell_script.ts";

/** The name under which a shell that guards is seen. */
export const SHELL_GUARD_NAME = "klatch-guard";

/**
 * A shell as the guard.
 *
 * @param config what it is to do; not for a terminal.
 * @param shell the path of a POSIX shell.
 * @returns `undefined` if there is no /proc/uptime, by which a shell tells the time.
 */
export function shellGuard(config: GuardConfig, shell: string): GuardKind | undefined {
  const uptimeMs = readUptimeMs();
  if (uptimeMs === undefined) return undefined;
  // In some containers /proc/uptime counts from the container's start. What it shows is up to 10 ms old.
  const differenceMs = bootTimeMs() - uptimeMs;
  const offsetMs = differenceMs < 20 ? 0 : differenceMs;
  const ticks = (ms: number) => ms === Infinity ? NEVER : Math.max(0, Math.floor(ms / 10));
  const at = (ms: number) => ticks(ms - offsetMs);
  return {
    name: "shell",
    argv: (pgid) => [
      shell,
      "-c",
      SHELL_GUARD,
      SHELL_GUARD_NAME,
      pgid === undefined ? OWN_GROUP : String(pgid),
      String(config.stopSignal),
      String(ticks(config.killAfterMs ?? Infinity)),
      String(ticks(config.killAfterMyEndMs)),
      `${config.mark.name}=${config.mark.value}`,
      config.fields === undefined ? "" : jsonAfterTime(config.fields),
    ],
    line(message) {
      if (message.kind === "config") return "";
      if (message.kind === "deadline") return `deadline ${at(message.termAtMs)} ${at(message.killAtMs)}\n`;
      if (message.kind === "stopping") return `stopping ${at(message.killAtMs)}\n`;
      return lineOf(message);
    },
    check() {},
  };
}

/** What stands between the time of a warning and its text. */
function jsonAfterTime(fields: Readonly<Record<string, string>>): string {
  const text = JSON.stringify({ event: "warning", ...fields, message: "" });
  return text.slice(1, -2);
}

/**
 * klatch's own binary as the guard.
 *
 * @param self the words that start this program.
 */
export function ownBinaryGuard(self: readonly string[]): GuardKind {
  const isSame = (path: string) => {
    const own = fileIdentity("/proc/self/exe");
    return own === undefined || own === fileIdentity(path);
  };
  return binaryGuard(self, { isSame });
}

/** What /proc/uptime says, in milliseconds. */
function readUptimeMs(): number | undefined {
  const seconds = parseFloat(new TextDecoder().decode(readProcFile("/proc/uptime")));
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}
