/**
 * A distance between programs and the API server, made by distance.c: a network namespace for the programs, and a relay
 * that carries their packets. Where it cannot be made (not root, no TUN device, no C compiler), it says why.
 *
 * @module
 */

import { canRun } from "../tests/support/processes.ts";
import type { Context } from "./context.ts";

/** Where programs are so far from the API server. Disposing of it ends the relay, and every connection through it. */
export interface Distance extends AsyncDisposable {
  /** The time to the API server and back, in milliseconds. */
  readonly roundTripMs: number;
  /**
   * Words that run a program there.
   *
   * @param words program and arguments.
   * @param stamp the file, and the name in it, under which the time of its start is noted, as stamp.c notes others.
   */
  launch(words: readonly string[], stamp?: { readonly log: string; readonly id: string }): string[];
}

/**
 * Makes the distances that are to be measured, one after the other; each ends when the next one is asked for.
 *
 * @param context which ones.
 * @param notes gets a sentence for each that cannot be made.
 */
export async function* distances(context: Context, notes: string[]): AsyncGenerator<Distance> {
  for (const roundTripMs of context.roundTripsMs) {
    const made = await makeDistance(context, roundTripMs);
    if (typeof made === "string") {
      notes.push(`Round trips of ${roundTripMs} ms are left out: ${made}`);
      continue;
    }
    await using far = made;
    yield far;
  }
}

/**
 * Makes a distance.
 *
 * @param roundTripMs from 0; at 0 nothing is made, and programs run where the benchmark does.
 * @returns the distance, or a sentence that says why there can be none.
 */
export async function makeDistance(context: Context, roundTripMs: number): Promise<Distance | string> {
  const binary = `${context.dir}/distance`;
  const source = new URL("distance.c", import.meta.url).pathname;
  if (Deno.build.os !== "linux") return "there are network namespaces on Linux only.";
  if (!exists(binary) && !canRun("cc", "-O2", "-o", binary, source)) return "there is no C compiler.";
  const launched = (space: string): Distance["launch"] => (words, stamp) => {
    return [binary, "start", space, stamp?.log ?? "-", stamp?.id ?? "-", ...words];
  };
  if (roundTripMs === 0) {
    return { roundTripMs, launch: launched("-"), [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const relay = new Deno.Command(binary, {
    args: ["relay", String(Math.round(roundTripMs * 500))],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(relay.stderr).text();
  const reader = relay.stdout.getReader();
  const { done } = await reader.read();
  if (done) {
    await Promise.all([relay.stdin.close(), relay.status]);
    return `no namespace can be made: ${(await stderr).trim()}.`;
  }
  return {
    roundTripMs,
    launch: launched(String(relay.pid)),
    // The end of its input ends it, also if this process is killed.
    [Symbol.asyncDispose]: async () => {
      await relay.stdin.close();
      await Promise.all([reader.cancel(), relay.status, stderr]);
    },
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
