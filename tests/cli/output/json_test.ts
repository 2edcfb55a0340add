/**
 * What klatch writes on stderr for programs.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../../lib/errors.ts";
import { holder, NOW, scene, waiting } from "./scene.ts";

const COMMON = { time: new Date(NOW).toISOString(), lock: "x", namespace: "ns", strategy: "lease" };

describe("JSON output", () => {
  it("is one object a line", () => {
    const { reporter, said } = scene({ format: "json" });
    reporter.onEvent(waiting([holder()]));
    const { holders, message, ...rest } = JSON.parse(said.join(""));
    assertEquals(rest, { ...COMMON, event: "waiting" });
    assertEquals(holders, [{ identity: "alice", since: "2026-01-02T03:04:05.678901Z", reason: "release 7" }]);
    assertStringIncludes(message, "alice");
  });

  it("reports each place in line, and nothing twice", () => {
    const { reporter, said } = scene({ format: "json" });
    for (const place of [undefined, 3, 3, 2]) reporter.onEvent(waiting([holder()], place));
    assertEquals(said.map((line) => JSON.parse(line).place), [undefined, 3, 2]);
  });

  it("has the fields of each event", () => {
    const { reporter, said, turn } = scene({ format: "json" });
    reporter.onEvent(waiting([holder()]));
    turn(1_500);
    reporter.onEvent({ kind: "took-over", from: holder() });
    reporter.onEvent({ kind: "acquired", token: "7" });
    turn(2_000);
    reporter.onEvent({ kind: "released", confirmed: true });
    reporter.error(new KlatchError("lost", "lost ns/x"));
    const own = said.slice(1).map((line) => {
      const { message: _, ...rest } = JSON.parse(line);
      return rest;
    });
    assertEquals(own, [
      { ...COMMON, event: "took-over", from: "alice" },
      { ...COMMON, event: "acquired", token: "7", waitedMs: 1500 },
      { ...COMMON, event: "released", heldMs: 2000, confirmed: true },
      { ...COMMON, event: "error", code: "lost" },
    ]);
  });

  it("is printable ASCII or letters, whatever a record or a server says, and reads as what was there", () => {
    const { reporter, said } = scene({ format: "json" });
    const hostile = "\x1b]0;x\x07\n::error::y\r##[error]z\u202e\u2028\u200b\x85\x7f";
    reporter.onEvent(waiting([holder({ identity: hostile, reason: hostile })]));
    reporter.error(new KlatchError("refused", hostile));
    assertEquals(said.length, 2);
    for (const line of said) {
      assert(/^\{[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+\}\n$/u.test(line), JSON.stringify(line));
      assert(!line.includes("##["), line);
    }
    assertEquals(JSON.parse(said[0] ?? "").holders[0].identity, hostile);
  });

  it("cuts texts of others", () => {
    const { reporter, said } = scene({ format: "json" });
    const long = "x".repeat(100_000);
    reporter.onEvent(waiting([holder({ identity: long, reason: long })]));
    reporter.onEvent({ kind: "took-over", from: holder({ identity: long }) });
    for (const line of said) assert(line.length < 2_000, `${line.length}`);
    assertEquals(JSON.parse(said[1] ?? "").from, `${"x".repeat(199)}…`);
  });
});
