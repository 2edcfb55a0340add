/**
 * The entry point of the recording binary: runs the program as the compiled binary does, and writes down what V8 has
 * compiled of it when it ends.
 *
 * - `RECORD_TO` names the file for that. What the file held before is loaded first, so several runs add up.
 * - `CHECK_CODE_CACHE` names a file to be checked instead: the exit status is 0 if this V8 accepts it, 1 if not.
 *
 * @module
 */
import { load, readIfPresent } from "./program.ts";

const toCheck = Deno.env.get("CHECK_CODE_CACHE");
if (toCheck !== undefined) {
  Deno.exit(load(Deno.readFileSync(toCheck)).script.cachedDataRejected === false ? 0 : 1);
}

const record = Deno.env.get("RECORD_TO");
Deno.env.delete("RECORD_TO");
const before = record === undefined ? undefined : readIfPresent(record);
const program = load(before);
if (before !== undefined && program.script.cachedDataRejected !== false) {
  throw new Error("V8 rejects the code cache that it wrote itself");
}
if (record !== undefined) {
  const exit = Deno.exit;
  Deno.exit = (status): never => {
    Deno.writeFileSync(record, program.script.createCachedData());
    return exit(status);
  };
}
program.start();
