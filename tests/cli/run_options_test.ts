/**
 * What the arguments of `klatch run` mean.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseFor } from "../../lib/cli/command.ts";
import { run } from "../../lib/cli/commands/run.ts";
import { parseDuration } from "../../lib/cli/duration.ts";
import { readRunOptions, type RunOptions } from "../../lib/cli/run_options.ts";
import { KlatchError } from "../../lib/errors.ts";
import { parseLabels } from "../../lib/kube/names.ts";

function read(args: readonly string[], env: (name: string) => string | undefined): RunOptions {
  return readRunOptions(run, parseFor(run, args, env), env);
}

/** The options of `klatch run` with arguments in one text or in a list. */
function options(args: string | readonly string[], env: Record<string, string> = {}): RunOptions {
  return read(typeof args === "string" ? args.split(" ") : args, (name) => env[name]);
}

/** The line of the usage error that these arguments cause. */
function refusal(args: readonly string[], env: Record<string, string> = {}): string {
  const error = assertThrows(() => read(args, (name) => env[name]), KlatchError);
  assertEquals(error.code, "usage");
  assert(!error.line.includes("\n"), error.line);
  return error.line;
}

describe("a duration", () => {
  it("is read as Go writes it, or as a plain number of seconds", () => {
    const written = {
      "90s": 90_000,
      "1h30m": 5_400_000,
      "500ms": 500,
      "15": 15_000,
      "1.5s": 1500,
      "0": 0,
      "+.5s": 500,
      "1.m": 60_000,
      "250us": 1,
      "0s": 0,
    };
    for (const [text, ms] of Object.entries(written)) assertEquals(parseDuration(text, "--wait"), ms, text);
  });

  it("is refused if it is written otherwise", () => {
    for (const text of ["", "-1s", "-5", "soon", "5 s", "1d", "s", "1e9", "0x10", "99999999999999999h"]) {
      assertThrows(() => parseDuration(text, "--wait"), KlatchError, "--wait");
    }
  });
});

describe("klatch run's arguments", () => {
  it("take the name and the command unchanged", () => {
    const got = options(["007", "--", "echo", "", "a b", "--wait", "$X"]);
    assertEquals(got.name, "007");
    assertEquals(got.command, ["echo", "", "a b", "--wait", "$X"]);
  });

  it("accept flags before and after the name, long and short, with and without =", () => {
    const got = options("-w 5s x --kill-after=1s -E9 -i me -- true");
    const status = got.statusOf(new KlatchError("timeout", "too late"));
    assertEquals([got.waitMs, got.killAfterMs, status, got.identity], [5000, 1000, 9, "me"]);
  });

  it("accept several letters in one word, and a value joined to its letter", () => {
    const got = options("x -qvw5 -n=team -k1h30m -- true");
    assertEquals([got.log.quiet, got.log.verbose, got.waitMs, got.killAfterMs], [
      true,
      true,
      5000,
      5_400_000,
    ]);
    assertEquals(got.namespace, "team");
  });

  it("use the last value of a repeated flag, and accept an empty one", () => {
    const got = read(
      ["x", "--reason", "a", "--reason", "", "--quiet", "--quiet=0", "--", "true"],
      () => "",
    );
    assertEquals([got.reason, got.log.quiet], ["", false]);
  });

  it("default to client-go's durations", () => {
    assertEquals(options("x -- true").timing, {
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
  });

  it("are read from the environment too, and flags win", () => {
    const env = { KLATCH_WAIT: "1s", KLATCH_REASON: "nightly", KLATCH_CLEANUP: "true", KLATCH_QUIET: "0" };
    const got = options("x --wait 2s -- true", env);
    assertEquals([got.waitMs, got.reason, got.cleanup, got.log.quiet], [2000, "nightly", true, false]);
    assertEquals(options("x --cleanup=false -- true", env).cleanup, false);
  });

  it("keep numbers that look like numbers as text", () => {
    const got = options("010 --reason 1e3 --identity 0x10 -- true");
    assertEquals([got.name, got.reason, got.identity], ["010", "1e3", "0x10"]);
  });

  it("choose one strategy, or several in the order in which they are acquired", () => {
    const named = (args: string) => options(args).strategies.map((strategy) => strategy.name);
    assertEquals(named("x -- true"), ["lease"]);
    assertEquals(named("x --strategy endpoints -- true"), ["endpoints"]);
    assertEquals(named("x --strategy endpoints,lease -- true"), ["endpoints", "lease"]);
  });

  it("accept options that only some strategies accept", () => {
    assertEquals(options("x -- true").strategyOptions, {});
    assertEquals(options("x --strategy ticket --ticket 57.2 --strict -- true").strategyOptions, {
      ticket: { number: 57, attempt: 2 },
      strict: true,
    });
    assertEquals(options("x --object lock-of-x -- true").object, "lock-of-x");
  });

  it("accept --slots, --shared and --exclusive for the semaphore strategy", () => {
    const strategyOptions = (flags: string) =>
      options(`x --strategy semaphore ${flags} -- true`).strategyOptions;
    assertEquals(strategyOptions("--slots 3"), { slots: 3 });
    assertEquals(strategyOptions("--slots 3 --set-slots"), { slots: 3, setSlots: true });
    assertEquals(strategyOptions("--shared"), { mode: "shared" });
    assertEquals(strategyOptions("--exclusive"), { mode: "exclusive" });
  });

  for (const text of ["0", "-1", "1e3", "010", "1.5", "10001", "", "two"]) {
    it(`refuse "${text}" as a number of slots`, () => {
      assertStringIncludes(
        refusal(["x", "--strategy=semaphore", `--slots=${text}`, "--", "true"]),
        "--slots",
      );
    });
  }

  it("take the attempt from GitHub if the ticket names none", () => {
    const ticket = (text: string, env: Record<string, string> = {}) =>
      options(`x --strategy ticket --ticket ${text} -- true`, env).strategyOptions.ticket;
    assertEquals(ticket("57"), { number: 57, attempt: 1 });
    assertEquals(ticket("57", { GITHUB_RUN_ATTEMPT: "3" }), { number: 57, attempt: 3 });
    assertEquals(ticket("57.2", { GITHUB_RUN_ATTEMPT: "3" }), { number: 57, attempt: 2 });
    assertStringIncludes(
      refusal(["x", "--strategy", "ticket", "--ticket", "57", "--", "true"], { GITHUB_RUN_ATTEMPT: "x" }),
      "GITHUB_RUN_ATTEMPT",
    );
  });

  for (const text of ["-1", "1e3", "0x10", "010", "1.0", "1.2.3", "1.", ".1", "", " 1", "999999999999999"]) {
    it(`refuse "${text}" as a ticket`, () => {
      assertStringIncludes(refusal(["x", "--strategy=ticket", `--ticket=${text}`, "--", "true"]), "--ticket");
    });
  }

  const mistakes: readonly (readonly [string, readonly string[], string])[] = [
    ["an unknown flag", ["x", "--wiat", "5s", "--", "true"], "did you mean --wait?"],
    ["an unknown letter", ["x", "-Z", "--", "true"], "unknown flag -Z"],
    ["one dash too few", ["x", "-wait", "5s", "--", "true"], "unknown flag -wait; did you mean --wait?"],
    ["a switch that is neither on nor off", ["x", "--quiet=maybe", "--", "true"], '--quiet is "maybe"'],
    ["a flag for a flag's value", ["x", "--reason", "--quiet", "--", "true"], "--reason needs a value"],
    ["a flag without its value", ["x", "--wait", "--", "true"], "--wait needs a value"],
    ["no name", ["--", "true"], "name is missing"],
    ["no command", ["x"], "command is missing"],
    ["an empty command", ["x", "--", ""], "command is empty"],
    ["a command without --", ["x", "true"], "put -- before the command"],
    ["two names", ["x", "y", "--", "true"], 'unexpected word "y"'],
    ["a name in capitals", ["Deploy", "--", "true"], '"Deploy"'],
    ["a name with a slash", ["a/b", "--", "true"], '"a/b"'],
    ["an endless name", ["a".repeat(254), "--", "true"], "at most 253"],
    ["a bad namespace", ["x", "-n", "a.b", "--", "true"], '"a.b" cannot be the name of a namespace'],
    ["a negative duration", ["x", "--wait=-5s", "--", "true"], '--wait "-5s" is negative'],
    ["a negative duration as a word", ["x", "-w", "-5s", "--", "true"], '--wait "-5s" is negative'],
    ["durations out of order", ["x", "--lease-duration", "5s", "--", "true"], "renew deadline 10 s"],
    ["a lease under a second", [
      "x",
      "--lease-duration",
      "0.9",
      "--renew-deadline",
      "0.5",
      "--retry-period",
      "0.1",
      "--",
      "true",
    ], "at least 1 s"],
    ["an exit status over 255", ["x", "-E", "256", "--", "true"], '"256" is not an exit status'],
    ["a signal that does not exist", ["x", "-s", "NOPE", "--", "true"], "NOPE"],
    ["a strategy that does not exist", ["x", "--strategy", "mutex", "--", "true"], "choose one of: lease"],
    ["a strategy without a name", ["x", "--strategy", "endpoints,", "--", "true"], 'no ""'],
    ["a strategy twice", ["x", "--strategy", "lease,lease", "--", "true"], "write lease"],
    [
      "strategies in another order than everybody's",
      ["x", "--strategy", "lease,endpoints", "--", "true"],
      "write endpoints,lease",
    ],
    [
      "a flag that the strategy does not know",
      ["x", "--ticket", "1", "--", "true"],
      "it is for --strategy ticket",
    ],
    [
      "a switch that the strategy does not know",
      ["x", "--strict", "--", "true"],
      "--strict means nothing to the strategy lease",
    ],
    ["--strict without a ticket", ["x", "--strategy", "ticket", "--strict", "--", "true"], "--ticket N"],
    ["--set-slots without slots", ["x", "--strategy", "semaphore", "--set-slots", "--", "true"], "--slots N"],
    [
      "what is shared and exclusive",
      ["x", "--strategy", "semaphore", "--shared", "--exclusive", "--", "true"],
      "exclude each other",
    ],
    ["an object's name that cannot be one", ["x", "--object", "A_B", "--", "true"], '"A_B"'],
    ["a format that does not exist", ["x", "-o", "xml", "--", "true"], "text, json or github"],
    ["a label without a value", ["x", "--labels", "team", "--", "true"], '"team" is not a label'],
    ["an empty identity", ["x", "--identity=", "--", "true"], "--identity is empty"],
  ];
  for (const [what, args, says] of mistakes) {
    it(`are refused with ${what}`, () => assertStringIncludes(refusal(args), says));
  }

  it("are refused with a bad environment variable", () => {
    assertStringIncludes(refusal(["x", "--", "true"], { KLATCH_CLEANUP: "maybe" }), "KLATCH_CLEANUP");
  });
});

describe("labels", () => {
  it("follow the rules of Kubernetes", () => {
    assertEquals(parseLabels("a=1,example.com/b=,c=x.y_z"), { a: "1", "example.com/b": "", c: "x.y_z" });
    for (
      const text of ["=1", "a=-", "a b=1", "/a=1", `${"k".repeat(64)}=1`, `a=${"v".repeat(64)}`, "A.B/c=1"]
    ) {
      assertThrows(() => parseLabels(text), KlatchError, "is not a label");
    }
  });
});
