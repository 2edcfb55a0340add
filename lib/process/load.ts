/**
 * Loads the process layer for this system.
 *
 * @module
 */

import { type ProcessLayer, useProcessLayer } from "./layer.ts";

/**
 * Loads the layer for this system, and makes it the one in use.
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
  const { layer } = await import("./linux/mod.ts");
  useProcessLayer(layer);
  return layer;
}
