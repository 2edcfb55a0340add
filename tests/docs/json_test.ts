/**
 * What the page on JSON output says is what klatch writes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Reporter } from "../../lib/cli/output/reporter.ts";
import { systemClock } from "../../lib/clock.ts";
import { fencedBlocks } from "../support/markdown.ts";
import { quietWorld } from "../support/quiet_host.ts";

const page = await Deno.readTextFile(new URL("../../docs/json.md", import.meta.url));
const errors = await Deno.readTextFile(new URL("../../lib/errors.ts", import.meta.url));
const reporter = await Deno.readTextFile(new URL("../../lib/cli/output/reporter.ts", import.meta.url));

/** The words in the first column of the table with this heading. */
function firstColumn(heading: string): string[] {
  const table = page.slice(page.indexOf(`| ${heading} `)).split("\n\n")[0] ?? "";
  return table.split("\n").slice(2).flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "")
  );
}

describe("the page on JSON output", () => {
  it("shows the lines that klatch writes", () => {
    const shown = (fencedBlocks(page, "json")[0] ?? "").trim().split("\n");
    const times = shown.map((line) => Date.parse(JSON.parse(line).time));
    let now = times[0] ?? 0;
    const { host, said } = quietWorld({
      clock: { ...systemClock(), wall: () => now, monotonic: () => now },
    });
    const log = { format: "json", quiet: false, verbose: false } as const;
    const { onEvent } = new Reporter(host, log, { namespace: "default", name: "deploy" }, "lease");
    const holder = {
      identity: "ci-7",
      nonce: undefined,
      leaseDurationMs: 15_000,
      fingerprint: "",
      since: "2026-11-27T12:36:23.000000Z",
      renewed: undefined,
      reason: "release 1.4",
    };
    onEvent({ kind: "waiting", view: { holders: [holder], waiters: [], slots: 1 }, place: 2 });
    now = times[1] ?? 0;
    onEvent({ kind: "acquired", token: "48213" });
    now = times[2] ?? 0;
    onEvent({ kind: "released", confirmed: true });
    assertEquals(said.map((line) => line.trim()), shown);
  });

  it("lists every event", () => {
    const written = [...reporter.matchAll(/(?:event: |#news\(|event = |polls instead`, )"([a-z-]+)"/g)].map((
      match,
    ) => match[1]);
    assertEquals(firstColumn("event").toSorted(), [...new Set(written)].toSorted());
  });

  it("lists every error code", () => {
    const type = /export type ErrorCode =([^;]*);/.exec(errors)?.[1] ?? "";
    const codes = [...type.matchAll(/"([a-z-]+)"/g)].map((match) => match[1] ?? "");
    assertEquals(firstColumn("code").toSorted(), codes.toSorted());
  });
});
