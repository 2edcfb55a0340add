/**
 * The entry point of the compiled binary.
 *
 * @module
 */
import { load, PACKED, readIfPresent } from "./program.ts";

load(readIfPresent(new URL(PACKED.codeCache, import.meta.url))).start();
