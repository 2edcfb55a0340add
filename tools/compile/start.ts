/**
 * Where the compiled binary begins.
 *
 * @module
 */
import { load, PACKED } from "./program.ts";

load(Deno.readTextFileSync(PACKED.script), Deno.readFileSync(PACKED.kept)).start();
