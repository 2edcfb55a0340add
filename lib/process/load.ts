/**
 * Chooses the process layer for this system, and loads it and no other.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { type ProcessLayer, useProcessLayer } from "./layer.ts";

/** Which implementation of the process layer, and of the guard. */
export type LayerName = "linux" | "portable";

/** Chooses the portable layer on Linux too, where the tests can run it. */
const LAYER_VARIABLE = "KLATCH_PROCESS_LAYER";

/**
 * The layer for this system.
 *
 * @throws KlatchError `config` where klatch does not run at all.
 */
export function layerName(): LayerName {
  if (Deno.build.os === "windows") {
    throw new KlatchError("config", "klatch does not run on Windows", {
      hint: "run it in the Windows Subsystem for Linux",
    });
  }
  return Deno.build.os === "linux" && Deno.env.get(LAYER_VARIABLE) !== "portable" ? "linux" : "portable";
}

/**
 * Loads the layer for this system, and makes it the one in use.
 *
 * @throws KlatchError `config` where klatch does not run at all.
 *
 * @example
 * ```ts
 * import { loadProcessLayer } from "./load.ts";
 *
 * const layer = await loadProcessLayer();
 * if (layer.lookUp(Deno.pid)?.pid !== Deno.pid) throw new Error("that is not me");
 * ```
 */
export async function loadProcessLayer(): Promise<ProcessLayer> {
  const { layer } = layerName() === "linux"
    ? await import("./linux/mod.ts")
    : await import("./portable/mod.ts");
  useProcessLayer(layer);
  return layer;
}
