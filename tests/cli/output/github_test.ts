/**
 * What klatch writes on stderr in a step of a GitHub workflow.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../../lib/errors.ts";
import { holder, scene, waiting } from "./scene.ts";

const env = (name: string) => name === "GITHUB_STEP_SUMMARY" ? "/summary" : undefined;

describe("GitHub output", () => {
  it("folds waiting into a group and announces the acquisition", () => {
    const { reporter, said } = scene({ format: "github" });
    reporter.onEvent(waiting([holder()]));
    reporter.onEvent(waiting([holder()], 2));
    reporter.onEvent(waiting([holder()], 2));
    reporter.onEvent({ kind: "acquired", token: "7" });
    assertEquals(said.join("").split("\n"), [
      "::group::klatch: waiting for ns/x",
      "klatch: waiting for ns/x: held by alice for 11 s (reason: release 7)",
      "klatch: waiting for ns/x: held by alice for 11 s (reason: release 7), 2nd in line",
      "::endgroup::",
      "::notice title=klatch%3A lock acquired::acquired ns/x (token 7)",
      "",
    ]);
  });

  it("ends the group when the lock is not acquired", () => {
    const { reporter, said } = scene({ format: "github" });
    reporter.onEvent(waiting([holder()]));
    reporter.error(new KlatchError("timeout", "did not acquire ns/x"));
    assertEquals(said.slice(2), ["::endgroup::\n", "::error title=klatch::did not acquire ns/x\n"]);
  });

  it("annotates the loss of the lock, and warnings", () => {
    const { reporter, said } = scene({ format: "github" });
    reporter.warn("100% odd");
    reporter.error(new KlatchError("lost", "lost ns/x"));
    assertEquals(said, [
      "::warning title=klatch::100%25 odd\n",
      "::error title=klatch%3A lock lost::lost ns/x\n",
    ]);
  });

  it("adds a table to the step's summary", () => {
    const { reporter, appended, turn } = scene({ format: "github" }, { env });
    reporter.onEvent(waiting([holder()]));
    turn(12_000);
    reporter.onEvent({ kind: "acquired", token: "7" });
    turn(90_000);
    reporter.onEvent({ kind: "released", confirmed: true });
    assertEquals(appended, [
      "/summary: \n| lock | strategy | outcome | waited | held | fencing token |\n" +
      "| --- | --- | --- | --- | --- | --- |\n| `ns/x` | lease | released | 12.0 s | 1 min 30 s | 7 |\n",
    ]);
  });

  it("says in the summary what went wrong", () => {
    for (
      const [code, outcome] of [["lost", "lost"], ["timeout", "not acquired in time"], [
        "guard",
        "failed",
      ]] as const
    ) {
      const { reporter, appended } = scene({ format: "github" }, { env });
      reporter.error(new KlatchError(code, "x"));
      assertEquals(appended.length, 1);
      assert(appended[0]?.includes(`| ${outcome} |`), appended[0]);
    }
  });

  it("leaves the summary alone if there is none", () => {
    const { reporter, appended } = scene({ format: "github" });
    reporter.error(new KlatchError("lost", "lost ns/x"));
    assertEquals(appended, []);
  });

  it("lets no text of others begin a command of its own", () => {
    const { reporter, said } = scene({ format: "github" });
    const hostile = "x\n::set-output name=y::z\r\n##[error]w\u2028::stop-commands::t";
    reporter.onEvent(waiting([holder({ identity: hostile, reason: hostile })]));
    reporter.onEvent({ kind: "took-over", from: holder({ identity: hostile }) });
    reporter.warn(hostile);
    reporter.error(new KlatchError("refused", hostile));
    for (const line of said.join("").split(/[\r\n\u2028]/)) {
      assert(/^(klatch: |::(group|endgroup|warning|error)( title=[\w% ]+)?::|$)/.test(line), line);
      assert(!line.includes("##["), line);
    }
  });
});
