/**
 * The portable process layer, which macOS has, on Linux: what it is made of, and a part of the tests of the process layer
 * and of the guard once more. All of them run with `KLATCH_PROCESS_LAYER=portable`; see docs/macos.md.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { SuspensionClock } from "../../lib/process/portable/clock.ts";
import { findExecutable } from "../../lib/process/portable/executable.ts";
import { highestSignal, signalNumbers } from "../../lib/process/signal_numbers.ts";
import { probeWords, Running, shellLine } from "../support/processes.ts";

const PORTABLE = { KLATCH_PROCESS_LAYER: "portable" } as const;
const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs this Deno to its end, and returns what it writes. */
async function deno(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env,
  })
    .output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out ?? "", err: err ?? "" };
}

/** What `deno info --json` says, as far as it matters. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly specifier: string; readonly isDynamic?: boolean }[];
  }[];
}

describe("the portable process layer", () => {
  it("is loaded without any module of Linux's: what is outside of it imports that only when it is chosen", async () => {
    const graph: Graph = JSON.parse((await deno(["info", "--json", "main.ts"])).out);
    const isLinux = (specifier: string) => specifier.includes("/linux/");
    const importers = graph.modules.filter(({ specifier }) => !isLinux(specifier)).flatMap((module) => {
      const those = module.dependencies?.filter(({ specifier }) => isLinux(specifier)) ?? [];
      return those.map(({ isDynamic }) => [module.specifier.replace(/^.*\/(?=main|lib)/, ""), isDynamic]);
    });
    assertEquals(importers.toSorted(), [
      ["lib/guard/parts.ts", true],
      ["lib/process/load.ts", true],
      ["main.ts", true],
    ]);
  });

  it("runs a command under a lock with neither FFI nor /proc, which the runtime allows nobody without all rights", async () => {
    const rights = ["read", "write", "env", "run", "sys", "net"].map((right) => `--allow-${right}`);
    const main = ["run", "--quiet", "--no-prompt", ...rights, "main.ts"];
    const inner = shellLine([Deno.execPath(), ...main, "run", "x", "--", "sh", "-c", "echo ran; exit 7"]);
    const { code, out, err } = await deno([...main, "sandbox", "--", "sh", "-c", inner], PORTABLE);
    assertEquals([code, out], [7, "ran\n"], err);
    assertStringIncludes(err, "released default/x");
    const linux = await deno([...main, "sandbox", "--", "true"]);
    assert(linux.code !== 0 && linux.err.includes("C library"), linux.err);
  });

  it("has its command ignore what klatch was started to ignore", async () => {
    const list = 'for s in HUP INT QUIT TERM USR1; do trap "echo caught $s" $s; kill -s $s $$; done';
    const words = shellLine(probeWords({}, ["sh", "-c", list]));
    await using probe = new Running(["sh", "-c", `trap '' QUIT HUP; exec ${words}`], PORTABLE);
    assertEquals(await probe.end(), { code: 0, out: "caught INT\ncaught TERM\ncaught USR1\n", err: "" });
  });
});

describe("on Windows", () => {
  it("klatch says in one line that it does not run there, and what to do", async () => {
    const main = new URL("main.ts", `file://${ROOT}`).href;
    const program = `Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "windows" } });
      const { start } = await import(${JSON.stringify(main)});
      await start();`;
    const { code, out, err } = await deno(["eval", "--quiet", program]);
    assertEquals([code, out], [125, ""]);
    assertMatch(err, /^klatch: klatch does not run on Windows; run it in the Windows Subsystem for Linux\n$/);
  });
});

describe("the portable clock", () => {
  /** A clock over times that a test sets. */
  function fake() {
    const time = { monotonicMs: 500, uptimeMs: 1_000_700 };
    const clock = new SuspensionClock(5_000, {
      monotonicMs: () => time.monotonicMs,
      uptimeS: () => Math.floor(time.uptimeMs / 1000),
    });
    /** Lets both go on, looking every so often. */
    function pass(ms: number, stepMs: number): number {
      for (let passed = 0; passed < ms; passed += stepMs) {
        time.monotonicMs += stepMs;
        time.uptimeMs += stepMs;
        clock.now();
      }
      return clock.now();
    }
    return { time, clock, pass };
  }

  it("counts as much as has passed, however often it is looked at", () => {
    const { clock, pass } = fake();
    assertEquals(clock.now(), 5_000);
    assertEquals(pass(10_000, 7), 5_000 + 7 * Math.ceil(10_000 / 7));
    assertEquals(fake().pass(60_000, 10_000), 65_000);
  });

  it("counts a suspension, but for less than a second of it", () => {
    const { time, pass } = fake();
    const before = pass(5_000, 50);
    time.uptimeMs += 60_000;
    const after = pass(1_000, 50);
    const counted = after - before - 1_000;
    assert(counted <= 60_000 && counted > 59_000, `${counted}`);
  });

  it("misses nothing but the granularity of its looks once a second has passed", () => {
    const { time, pass } = fake();
    const before = pass(5_000, 10);
    time.uptimeMs += 3_456;
    const counted = pass(2_000, 10) - before - 2_000;
    assert(counted <= 3_456 && counted >= 3_456 - 20, `${counted}`);
  });

  it("never goes back", () => {
    const { time, clock, pass } = fake();
    let last = clock.now();
    for (let i = 0; i < 1_000; i++) {
      if (i % 100 === 99) time.uptimeMs += 777 * (i % 7);
      const now = pass(33, 11);
      assert(now >= last, `${i}`);
      last = now;
    }
  });
});

describe("signals", () => {
  it("have other numbers on macOS", () => {
    const { KILL, TERM, USR1, USR2, CHLD, CONT, STOP, TSTP } = signalNumbers("darwin");
    assertEquals([KILL, TERM, STOP, TSTP, CONT, CHLD, USR1, USR2], [9, 15, 17, 18, 19, 20, 30, 31]);
    assertEquals(Object.values(signalNumbers("darwin")), Array.from({ length: 31 }, (_, i) => i + 1));
    assertEquals(Object.values(signalNumbers("linux")), Array.from({ length: 31 }, (_, i) => i + 1));
    assertEquals([highestSignal("darwin"), highestSignal("linux")], [31, 64]);
  });
});

describe("the search for a command", () => {
  it("tells what is not there from what cannot be executed", () => {
    const codes = ["no-such-command-anywhere", "./no/such", "", "/", "/dev/null"].map((name) =>
      assertThrows(() => findExecutable(name), KlatchError).code
    );
    assertEquals(codes, ["not-found", "not-found", "not-found", "not-executable", "not-executable"]);
    assertEquals(findExecutable("/bin/sh"), "/bin/sh");
  });
});

describe("with the portable process layer", () => {
  for (
    const [file, titles] of [
      ["tests/process/run_test.ts", "/./"],
      ["tests/process/end_test.ts", "/^a signal/"],
      ["tests/process/terminal_test.ts", "/./"],
    ] as const
  ) {
    it(`${file} holds`, () => holds(file, titles));
  }
});

/** Runs a test file with the portable layer. */
async function holds(file: string, titles: string): Promise<void> {
  const flags = ["--quiet", "--allow-all", "--no-check"];
  const { code, out, err } = await deno(["test", ...flags, `--filter=${titles}`, file], PORTABLE);
  assertEquals(code, 0, out + err);
  assert(/[1-9]\d* passed/.test(out), out);
}
