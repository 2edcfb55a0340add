/**
 * What klatch writes on stderr for people.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../../lib/errors.ts";
import { holder, scene, waiting } from "./scene.ts";

const HELD = "klatch: waiting for ns/x: held by alice for 11 s (reason: release 7)";

describe("text output", () => {
  it("says in one line who holds the lock, for how long and why", () => {
    const { reporter, said } = scene();
    reporter.onEvent(waiting([holder()]));
    assertEquals(said, [`${HELD}\n`]);
  });

  it("writes another line for another holder, and none for another place alone", () => {
    const { reporter, said } = scene();
    reporter.onEvent(waiting([holder()], 3));
    reporter.onEvent(waiting([holder()], 2));
    reporter.onEvent(waiting([], 1));
    assertEquals(said, [`${HELD}, 3rd in line\n`, "klatch: waiting for ns/x: next in line\n"]);
  });

  it("writes another line when the place in line becomes known", () => {
    const { reporter, said } = scene();
    reporter.onEvent(waiting([holder()]));
    reporter.onEvent(waiting([holder()], 3));
    reporter.onEvent(waiting([holder()]));
    reporter.onEvent(waiting([holder()], 2));
    assertEquals(said, [`${HELD}\n`, `${HELD}, 3rd in line\n`]);
  });

  it("numbers the places in line", () => {
    const { reporter, said } = scene();
    for (const place of [1, 2, 3, 4, 11, 12, 13, 21, 102, 111]) {
      reporter.onEvent(waiting([holder({ identity: `holder of ${place}` })], place));
    }
    const places = said.map((line) => /, (\S+) in line\n$/.exec(line)?.[1]);
    assertEquals(places, ["next", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
  });

  it("says nothing after the name if neither holder nor place is known", () => {
    const { reporter, said } = scene();
    reporter.onEvent(waiting([]));
    assertEquals(said, ["klatch: waiting for ns/x\n"]);
  });

  it("leaves out what the record does not say, and a time that lies ahead", () => {
    const { reporter, said } = scene();
    reporter.onEvent(waiting([holder({ since: undefined, reason: undefined })]));
    reporter.onEvent(waiting([holder({ since: "2026-01-02T04:00:00Z", reason: "" })]));
    reporter.onEvent(waiting([holder({ since: "yesterday", reason: "x" })]));
    assertEquals(said, [
      "klatch: waiting for ns/x: held by alice\n",
      "klatch: waiting for ns/x: held by alice\n",
      "klatch: waiting for ns/x: held by alice (reason: x)\n",
    ]);
  });

  it("names three of many holders", () => {
    const { reporter, said } = scene();
    const many = Array.from(
      { length: 100 },
      (_, i) => holder({ identity: `h${i}`, since: undefined, reason: undefined }),
    );
    reporter.onEvent(waiting(many));
    assertEquals(said, ["klatch: waiting for ns/x: held by h0, held by h1, held by h2, and by 97 more\n"]);
  });

  it("says when the lock was acquired, taken over and released", () => {
    const { reporter, said, turn } = scene();
    reporter.onEvent({ kind: "took-over", from: holder() });
    reporter.onEvent({ kind: "acquired", token: "7" });
    turn(2_000);
    reporter.onEvent({ kind: "released", confirmed: true });
    reporter.onEvent({ kind: "released", confirmed: false });
    assertEquals(said, [
      "klatch: took over ns/x from alice (its lease expired)\n",
      "klatch: acquired ns/x (token 7)\n",
      "klatch: released ns/x after 2.0 s\n",
      "klatch: released ns/x after 2.0 s; the API server did not confirm it: a lock that is not released expires\n",
    ]);
  });

  it("writes only what goes wrong if told to be quiet", () => {
    const { reporter, said } = scene({ quiet: true });
    reporter.onEvent(waiting([holder()]));
    reporter.onEvent({ kind: "acquired", token: "7" });
    reporter.onEvent({ kind: "released", confirmed: true });
    assertEquals(said, []);
    reporter.error(new KlatchError("lost", "lost ns/x"));
    assertEquals(said, ["klatch: lost ns/x\n"]);
  });

  for (const verbose of [false, true]) {
    it(`reports requests that are tried again ${verbose ? "each time if told to be verbose" : "once"}`, () => {
      const { reporter, said } = scene({ verbose });
      for (let i = 0; i < 3; i++) {
        reporter.onEvent({ kind: "trouble", error: new KlatchError("unreachable", "no answer") });
      }
      assertEquals(said.length, verbose ? 3 : 1);
    });
  }

  it("is lines that cannot steer a terminal or a runner, whatever a record or a server says", () => {
    const { reporter, said } = scene();
    const hostile = "\x1b]0;x\x07\n::error::y\r##[error]z\u202e\u2028\u200b\x85";
    reporter.onEvent(waiting([holder({ identity: hostile, reason: hostile })]));
    reporter.onEvent({ kind: "took-over", from: holder({ identity: hostile }) });
    reporter.onEvent({ kind: "polling", error: new KlatchError("forbidden", hostile, { hint: hostile }) });
    reporter.warn(hostile);
    reporter.error(new KlatchError("refused", hostile));
    assertEquals(said.length, 5);
    for (const line of said) {
      assert(/^klatch: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+\n$/u.test(line), JSON.stringify(line));
      assert(!line.includes("##["), line);
    }
  });

  it("cuts texts of others", () => {
    const { reporter, said } = scene();
    const long = "x".repeat(100_000);
    reporter.onEvent(waiting([holder({ identity: long, reason: long })]));
    reporter.onEvent({ kind: "took-over", from: holder({ identity: long }) });
    reporter.error(new KlatchError("refused", long));
    assert(said.every((line) => line.length < 1100), said.map((line) => line.length).join());
    assertEquals(/held by x{199}… for 11 s \(reason: x{199}…\)/.test(said[0] ?? ""), true);
  });
});
