/**
 * What the command line means, without touching anything.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatDuration, parseDuration } from "../../lib/cli/duration.ts";
import { parseLabels } from "../../lib/kube/names.ts";
import { COMMANDS } from "../../lib/cli/help.ts";
import { main } from "../../lib/cli/mod.ts";
import { Reporter } from "../../lib/cli/reporter.ts";
import { RUN_FLAGS, runOptions } from "../../lib/cli/run_flags.ts";
import { systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import { quietWorld } from "../support/quiet_host.ts";

/** The options of `klatch run`, which must not have asked for help. */
function options(args: string, env: Record<string, string> = {}) {
  const got = runOptions(args.split(" "), (name) => env[name]);
  assert(got !== undefined);
  return got;
}

/** The line of the usage error that these arguments make. */
function refusal(args: readonly string[], env: Record<string, string> = {}): string {
  const error = assertThrows(() => runOptions(args, (name) => env[name]), KlatchError);
  assertEquals(error.code, "usage");
  assert(!error.line.includes("\n"), error.line);
  return error.line;
}

describe("a duration", () => {
  it("is written as Go writes it, or in bare seconds", () => {
    const written = { "90s": 90_000, "1h30m": 5_400_000, "500ms": 500, "15": 15_000, "1.5s": 1500, "0": 0 };
    for (const [text, ms] of Object.entries(written)) assertEquals(parseDuration(text, "--wait"), ms, text);
  });

  it("is refused when it is something else", () => {
    for (const text of ["", "-1s", "-5", "soon", "5 s", "1d", "s", "1e9", "0x10", "99999999999999999h"]) {
      assertThrows(() => parseDuration(text, "--wait"), KlatchError, "--wait");
    }
  });

  it("is shown in the units that fit", () => {
    const shown = {
      "0.3s": 300,
      "59.9s": 59_949,
      "1m": 59_990,
      "1m30s": 90_000,
      "2h": 7_200_000,
      "1h5m": 3_900_000,
    };
    for (const [text, ms] of Object.entries(shown)) assertEquals(formatDuration(ms), text);
  });
});

describe("klatch run's arguments", () => {
  it("take the name and the command as they are", () => {
    const got = runOptions(["007", "--", "echo", "", "a b", "--wait", "$X"], () => undefined);
    assertEquals(got?.name, "007");
    assertEquals(got?.command, ["echo", "", "a b", "--wait", "$X"]);
  });

  it("take flags before and after the name, long and short, with = and without", () => {
    const got = options("-w 5s x --kill-after=1s -E9 -i me -- true");
    const status = got.statusOf(new KlatchError("timeout", "too late"));
    assertEquals([got.waitMs, got.killAfterMs, status, got.identity], [5000, 1000, 9, "me"]);
  });

  it("take letters in one word, and a value right behind its letter", () => {
    const got = options("x -qvw5 -n=team -k1h30m -- true");
    assertEquals([got.log.quiet, got.log.verbose, got.waitMs, got.killAfterMs], [
      true,
      true,
      5000,
      5_400_000,
    ]);
    assertEquals(got.namespace, "team");
  });

  it("take the last of several, and an empty value for one", () => {
    const got = runOptions(
      ["x", "--reason", "a", "--reason", "", "--quiet", "--quiet=0", "--", "true"],
      () => "",
    );
    assertEquals([got?.reason, got?.log.quiet], ["", false]);
  });

  it("have the defaults of client-go", () => {
    assertEquals(options("x -- true").timing, {
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
  });

  it("come from the environment too, and flags win", () => {
    const env = { KLATCH_WAIT: "1s", KLATCH_REASON: "nightly", KLATCH_CLEANUP: "true", KLATCH_QUIET: "0" };
    const got = options("x --wait 2s -- true", env);
    assertEquals([got.waitMs, got.reason, got.cleanup, got.log.quiet], [2000, "nightly", true, false]);
    assertEquals(options("x --cleanup=false -- true", env).cleanup, false);
  });

  it("keep numbers that look like numbers as text", () => {
    const got = options("010 --reason 1e3 --identity 0x10 -- true");
    assertEquals([got.name, got.reason, got.identity], ["010", "1e3", "0x10"]);
  });

  it("choose the strategy, or several in the order in which they are acquired", () => {
    const named = (args: string) => options(args).strategies.map((strategy) => strategy.name);
    assertEquals(named("x -- true"), ["lease"]);
    assertEquals(named("x --strategy endpoints -- true"), ["endpoints"]);
    assertEquals(named("x --strategy endpoints,lease -- true"), ["endpoints", "lease"]);
  });

  it("have strategyOptions for the strategies that know of them", () => {
    assertEquals(options("x -- true").strategyOptions, {});
    assertEquals(options("x --strategy ticket --ticket 57.2 --strict -- true").strategyOptions, {
      ticket: { number: 57, attempt: 2 },
      strict: true,
    });
    assertEquals(options("x --object lock-of-x -- true").object, "lock-of-x");
  });

  it("have slots and modes for a semaphore", () => {
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

  it("take a run's attempt from GitHub where the ticket names none", () => {
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
    ["two names", ["x", "y", "--", "true"], '"y" is one word too many'],
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
    ["a format that does not exist", ["x", "-o", "xml", "--", "true"], "text or json"],
    ["a label without a value", ["x", "--labels", "team", "--", "true"], '"team" is not a label'],
    ["an empty identity", ["x", "--identity=", "--", "true"], "--identity is empty"],
  ];
  for (const [what, args, says] of mistakes) {
    it(`are refused with ${what}`, () => assertStringIncludes(refusal(args), says));
  }

  it("are refused with an environment variable that makes no sense", () => {
    assertStringIncludes(refusal(["x", "--", "true"], { KLATCH_CLEANUP: "maybe" }), "KLATCH_CLEANUP");
  });
});

describe("labels", () => {
  it("are read by Kubernetes' rules", () => {
    assertEquals(parseLabels("a=1,example.com/b=,c=x.y_z"), { a: "1", "example.com/b": "", c: "x.y_z" });
    for (
      const text of ["=1", "a=-", "a b=1", "/a=1", `${"k".repeat(64)}=1`, `a=${"v".repeat(64)}`, "A.B/c=1"]
    ) {
      assertThrows(() => parseLabels(text), KlatchError, "is not a label");
    }
  });
});

describe("the program", () => {
  it("says in one line what was wrong, with status 125", async () => {
    for (const args of [[], ["rum"], ["run"], ["run", "x", "--wiat"], ["help", "rum"], ["sandbox", "x"]]) {
      const { host, said, printed } = quietWorld();
      assertEquals(await main(args, host), 125);
      assertEquals(said.join("").split("\n").length, 2, said.join(""));
      assertEquals(printed, []);
    }
  });

  it("suggests the command that was meant, and none where nothing is near", async () => {
    const { host, said } = quietWorld();
    await main(["rum"], host);
    await main(["status"], host);
    assertStringIncludes(said[0] ?? "", "did you mean klatch run?");
    assertEquals(said[1], 'klatch: there is no command "status"; klatch help lists them all\n');
  });

  it("says what was wrong as JSON where the command line asks for that before --", async () => {
    const ways: readonly (readonly [boolean, readonly string[], Record<string, string>?])[] = [
      [true, ["run", "x", "--output", "json", "--wiat"]],
      [true, ["run", "x", "--wiat", "--output=json", "--", "true"]],
      [true, ["run", "-o", "json"]],
      [true, ["run", "-qo=json"]],
      [true, ["rum", "-o", "json"]],
      [true, ["run"], { KLATCH_OUTPUT: "json" }],
      [false, ["run", "-o", "text"], { KLATCH_OUTPUT: "json" }],
      [false, ["run", "-o", "json", "-o", "text"]],
      [false, ["run", "-o", "yaml", "x", "--", "true"]],
      [false, ["run", "--", "true", "-o", "json"]],
      [false, ["run", "x", "-o"]],
    ];
    for (const [isJson, args, env] of ways) {
      const { host, said } = quietWorld({
        env: (name) => env?.[name],
        clock: { ...systemClock(), wall: () => 0 },
      });
      assertEquals(await main(args, host), 125);
      assertEquals(said.length, 1);
      const [line = ""] = said;
      if (!isJson) {
        assertStringIncludes(line, "klatch: ");
        continue;
      }
      const { message, ...rest } = JSON.parse(line);
      const nowhere = { lock: "", namespace: "", strategy: "" };
      assertEquals(rest, { time: "1970-01-01T00:00:00.000Z", event: "error", ...nowhere, code: "usage" });
      assert(message.length > 10, line);
    }
  });

  it("prints help on stdout, with every flag", async () => {
    for (const args of [["help", "run"], ["run", "--help"], ["run", "-h"]]) {
      const { host, printed } = quietWorld();
      assertEquals(await main(args, host), 0);
      for (const flag of RUN_FLAGS) assertStringIncludes(printed.join(""), `--${flag.name}`);
    }
  });

  it("prints a page of help for each command, in lines that fit, with the flags that it has", async () => {
    for (const command of COMMANDS) {
      const { host, printed, said } = quietWorld();
      assertEquals(await main(["help", command], host), 0, said.join(""));
      const page = printed.join("");
      assertStringIncludes(page, `klatch ${command}`);
      assertEquals(page.includes("Durations"), command === "run");
    }
    const { host, printed } = quietWorld();
    await main(["help"], host);
    assertEquals(COMMANDS.filter((command) => !printed.join("").includes(`klatch ${command}`)), []);
    for (const line of printed.join("").split("\n")) assert(line.length <= 100, line);
  });

  it("prints the help of as, and of a tool that it stands in for", async () => {
    for (
      const [args, says] of [[["as", "--help"], "klatch as "], [
        ["help", "kubelock"],
        "kubelock [flags]",
      ]] as const
    ) {
      const { host, printed } = quietWorld();
      assertEquals(await main(args, host), 0);
      assertStringIncludes(printed.join(""), says);
    }
  });
});

describe("what klatch says", () => {
  const lock = { namespace: "ns", name: "x" };
  const holder = {
    identity: "alice",
    nonce: undefined,
    leaseDurationMs: 1000,
    since: "2026-01-02T03:04:05.678901Z",
    renewed: undefined,
    reason: "release 7",
    fingerprint: "",
  };
  const view = { holders: [holder], waiters: [], slots: 1 };
  const waiting = { kind: "waiting", view, place: undefined } as const;
  const held = "klatch: waiting for ns/x: held by alice since 2026-01-02T03:04:05Z (release 7)";

  it("is one line for people", () => {
    const { host, said } = quietWorld();
    new Reporter(host, { format: "text", quiet: false, verbose: false }, lock, "lease").onEvent(waiting);
    assertEquals(said, [`${held}\n`]);
  });

  it("tells the place in the queue, in a line of its own only with another holder", () => {
    const { host, said } = quietWorld();
    const reporter = new Reporter(host, { format: "text", quiet: false, verbose: false }, lock, "ticket");
    reporter.onEvent({ ...waiting, place: 3 });
    reporter.onEvent({ ...waiting, place: 2 });
    reporter.onEvent({ kind: "waiting", view: { ...view, holders: [] }, place: 1 });
    assertEquals(said, [`${held}; number 3 in line\n`, "klatch: waiting for ns/x: next in line\n"]);
  });

  it("is one object a line for programs", () => {
    const { host, said } = quietWorld({ clock: { ...systemClock(), wall: () => 0 } });
    new Reporter(host, { format: "json", quiet: false, verbose: false }, lock, "lease").onEvent(waiting);
    const { holders, message, ...rest } = JSON.parse(said.join(""));
    assertEquals(rest, {
      time: "1970-01-01T00:00:00.000Z",
      event: "waiting",
      lock: "x",
      namespace: "ns",
      strategy: "lease",
    });
    assertEquals(holders[0].identity, "alice");
    assertStringIncludes(message, "alice");
  });

  it("is nothing when it is told to be quiet, but for what goes wrong", () => {
    const { host, said } = quietWorld();
    const reporter = new Reporter(host, { format: "text", quiet: true, verbose: false }, lock, "lease");
    reporter.onEvent(waiting);
    reporter.onEvent({ kind: "acquired", token: "7" });
    reporter.onEvent({ kind: "released", confirmed: true });
    assertEquals(said, []);
    reporter.error(new KlatchError("lost", "lost ns/x"));
    assertEquals(said, ["klatch: lost ns/x\n"]);
  });

  it("tells of trouble once, or each time when it is told to be verbose", () => {
    for (const verbose of [false, true]) {
      const { host, said } = quietWorld();
      const reporter = new Reporter(host, { format: "text", quiet: false, verbose }, lock, "lease");
      for (let i = 0; i < 3; i++) {
        reporter.onEvent({ kind: "trouble", error: new KlatchError("unreachable", "no answer") });
      }
      assertEquals(said.length, verbose ? 3 : 1);
    }
  });
});
