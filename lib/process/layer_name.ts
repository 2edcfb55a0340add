/**
 * Which process layer fits this system.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

/** Which implementation of the process layer, and of the guard. */
export type LayerName = "linux" | "portable";

/** Chooses the portable layer on Linux too, where the tests can run it. */
const LAYER_VARIABLE = "KLATCH_PROCESS_LAYER";

/**
 * The layer for this system.
 *
 * @throws KlatchError `config` where klatch does not run at all.
 *
 * @example
 * ```ts
 * import { layerName } from "./layer_name.ts";
 *
 * if (!["linux", "portable"].includes(layerName())) throw new Error();
 * ```
 */
export function layerName(): LayerName {
  if (Deno.build.os === "windows") {
    throw new KlatchError("config", "klatch does not run on Windows", {
      hint: "run it in the Windows Subsystem for Linux",
    });
  }
  return Deno.build.os === "linux" && Deno.env.get(LAYER_VARIABLE) !== "portable" ? "linux" : "portable";
}
