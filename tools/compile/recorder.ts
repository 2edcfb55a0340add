/**
 * Runs the program as the compiled binary does, and keeps what V8 has compiled of it by its end.
 *
 * `RECORD_TO` is the file it is kept in, together with what was in that file before; what does not fit is an error.
 * Without it the program just runs.
 *
 * @module
 */
import { load, PACKED } from "./program.ts";

const record = Deno.env.get("RECORD_TO");
Deno.env.delete("RECORD_TO");
const before = record === undefined ? undefined : await Deno.readFile(record).catch(() => undefined);
const program = load(Deno.readTextFileSync(PACKED.script), before);
if (before !== undefined && program.script.cachedDataRejected !== false) {
  throw new Error("V8 does not take what it has kept");
}
if (record !== undefined) {
  const exit = Deno.exit;
  Deno.exit = (status): never => {
    Deno.writeFileSync(record, program.script.createCachedData());
    return exit(status);
  };
}
program.start();
