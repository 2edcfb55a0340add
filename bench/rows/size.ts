/**
 * How large the binary is, and how much of that is klatch.
 *
 * @module
 */

import type { Context, Row } from "../context.ts";
import { atMost, type Section } from "../report.ts";

const LIMIT_MB = 2;

export const size: Row = { name: "size", title: "The binary", run };

async function run({ programs, absent }: Context): Promise<Section> {
  const denort = Deno.env.get("DENORT_BIN");
  const [klatch, empty] = [await bytes(programs.klatch), await bytes(programs.empty)];
  const base = denort ? await bytes(denort) : empty;
  const clientGo = "path" in programs.clientGo ? await bytes(programs.clientGo.path) : undefined;
  return {
    notes: [
      denort
        ? "MB are 10⁶ bytes. denort is the runtime that Deno compiles programs into."
        : "MB are 10⁶ bytes. The empty program stands for the runtime, denort, which is a little smaller.",
      ...absent,
    ],
    head: ["program", "size", "over denort"],
    body: [
      ["klatch", megabytes(klatch), megabytes(klatch - base)],
      ["empty program", megabytes(empty), megabytes(empty - base)],
      ...(clientGo === undefined ? [] : [["client-go contender, stripped", megabytes(clientGo), "–"]]),
    ],
    verdicts: [
      atMost("klatch, over denort", (klatch - base) / 1e6, LIMIT_MB, (value) => `${value.toFixed(2)} MB`),
    ],
  };
}

async function bytes(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

function megabytes(value: number): string {
  return `${(value / 1e6).toFixed(2)} MB`;
}
