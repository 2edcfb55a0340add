/**
 * Environment variables that the runtime reads for its own purposes, and klatch's users do not mean for klatch.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** What each would do to klatch. */
const VARIABLES = [
  // Writes the runtime's log to stderr, between the lines of `--output json`.
  "DENO_LOG",
  // Moves the sandbox to another address, and ends klatch if it is none.
  "DENO_SERVE_ADDRESS",
  // Write to stderr.
  "DENO_TOKIO_METRICS",
  "DENO_UNSTABLE_FFI_TRACE_TURBO",
  "DENO_TRACE_PERMISSIONS",
] as const;

/**
 * Makes a binary deaf to {@link VARIABLES}: it looks for names that no variable can have, since they begin with "=".
 * The command still sees the variables.
 *
 * @param file a binary for Linux, which carries no signature.
 */
export async function hideRuntimeVariables(file: string): Promise<void> {
  const bytes = Buffer.from((await Deno.readFile(file)).buffer);
  for (const name of VARIABLES) {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at)) bytes.write("=", at);
  }
  await Deno.writeFile(file, bytes);
}
