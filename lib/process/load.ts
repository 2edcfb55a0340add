/**
 * Loads the process layer for this system, and no other.
 *
 * @module
 */

import { type ProcessLayer, useProcessLayer } from "./layer.ts";
import { layerName } from "./layer_name.ts";

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
