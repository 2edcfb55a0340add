/**
 * The flags for the keeper that holds a lock across steps.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { OnLost } from "../../keeper/protocol.ts";
import { readDuration } from "../duration.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** As long as a job of GitHub Actions may take. */
const DEFAULT_MAX_HOLD_MS = 6 * 60 * 60 * 1000;

/** The flags. */
export const keeperFlags: readonly Flag[] = [
  {
    name: "follow",
    value: "PID",
    help: "release when this process ends (default: the CI job's worker, else the calling shell)",
  },
  { name: "max-hold", value: "DUR", help: "maximum time to hold the lock (default 6h)" },
  {
    name: "on-lost",
    value: "WHAT",
    help:
      "report: check and release say it; kill: the followed job's step processes are ended as well (default report)",
  },
];

/** What the flags say. */
export interface KeeperOptions {
  readonly follow: number | undefined;
  readonly maxHoldMs: number;
  readonly onLost: OnLost;
}

/** Reads the flags. Throws KlatchError `usage`. */
export function readKeeper(values: FlagValues): KeeperOptions {
  const maxHoldMs = readDuration(values, "max-hold") ?? DEFAULT_MAX_HOLD_MS;
  if (maxHoldMs <= 0) {
    throw new KlatchError("usage", "--max-hold is 0", { hint: "give a time above 0, for example 2h" });
  }
  return { follow: readPid(values.text("follow")), maxHoldMs, onLost: readOnLost(values.text("on-lost")) };
}

function readPid(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new KlatchError("usage", `--follow "${text}" is not a process id`, {
    hint: "give a whole number from 1 up",
  });
}

function readOnLost(text = "report"): OnLost {
  if (text === "report" || text === "kill") return text;
  throw new KlatchError("usage", `--on-lost "${text}" is unknown`, { hint: "choose report or kill" });
}
