/**
 * The guard as a program of its own: a small module, where klatch is a large script that needs `node:vm`. A guard that
 * loads only this costs half of the processor time and three quarters of the memory on a runtime that starts quickly
 * (docs/runtime.md has the measurement), and is ready sooner.
 *
 * @module
 */
import { layerName } from "../../lib/process/layer_name.ts";

const { guardProcess } = layerName() === "linux"
  ? await import("../../lib/guard/linux/process.ts")
  : await import("../../lib/guard/portable/process.ts");
Deno.exit(await guardProcess(Deno.args.slice(1)));
