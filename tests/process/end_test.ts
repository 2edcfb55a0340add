/**
 * The end of a command: signals that reach it, and that nothing of it is left when klatch says so.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import { bootTimeMs } from "../../lib/process/linux/libc/boot_time.ts";
import { processStat, readProcFile } from "../../lib/process/linux/proc.ts";
import { listenSignals, parseSignal, signalName, SignalQueue } from "../../lib/process/signals.ts";
import { send } from "../support/marked_processes.ts";
import { run, runs, startProbe, until } from "../support/processes.ts";

/** A shell that does not end by itself, nor by its children's. */
const FOREVER = "while :; do sleep 0.02; done";

/** Whether a signal waits for a process to go on. */
function pendingIn(pid: number, signal: number): boolean {
  const status = new TextDecoder().decode(readProcFile(`/proc/${pid}/status`));
  const pending = BigInt(`0x${/^ShdPnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return ((pending >> BigInt(signal - 1)) & 1n) === 1n;
}

/** A clock on which everything lasts a hundred times as long, so that a slow machine is not slow on it. */
function patientClock(): Clock {
  return { ...systemClock(), boottime: () => bootTimeMs() / 100 };
}

describe("a signal", () => {
  const forwarded = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "WINCH"] as const;

  it(`that klatch gets reaches the command: ${forwarded.join(", ")}`, async () => {
    const traps = forwarded.map((name) => `trap 'echo got-${name}' ${name};`).join(" ");
    await using probe = startProbe({}, "sh", "-c", `${traps} trap 'exit 5' PIPE; echo ready $$; ${FOREVER}`);
    const [pid] = await probe.seen(/ready (\d+)/);
    for (const name of forwarded) {
      probe.kill(`SIG${name}`);
      await probe.seen(new RegExp(`got-${name}()`));
    }
    Deno.kill(Number(pid), "SIGPIPE");
    const { code, out } = await probe.end();
    assertEquals([code, out.match(/got-/g)?.length], [5, forwarded.length]);
  });

  it("reaches the children of the command as well", async () => {
    const child = `trap "echo child got it; exit" USR1; echo child; ${FOREVER}`;
    const parent = `trap 'echo parent got it; wait; exit 6' USR1; sh -c '${child}' & ${FOREVER}`;
    await using probe = startProbe({}, "sh", "-c", parent);
    await probe.seen(/child\n()/);
    probe.kill("SIGUSR1");
    const { code, out } = await probe.end();
    assertEquals([code, out.split("\n").sort()], [6, ["", "child", "child got it", "parent got it"]]);
  });

  it("that ends the command gives 128+n", async () => {
    await using probe = startProbe({}, "sh", "-c", "echo ready; exec sleep 600");
    await probe.seen(/ready()/);
    probe.kill("SIGTERM");
    assertEquals((await probe.end()).code, 143);
  });

  it("TERM is followed by KILL to all when the command ignores it and --kill-after is set", async () => {
    const script = `trap '' TERM; sleep 600 & echo $$ $! ready; ${FOREVER}`;
    await using probe = startProbe({ killAfterMs: 50 }, "sh", "-c", script);
    const pids = (await probe.seen(/(\d+) (\d+) ready/)).map(Number);
    probe.kill("SIGTERM");
    const { code, err } = await probe.end();
    assertEquals([code, pids.filter(runs)], [137, []]);
    assertStringIncludes(err, "say: ");
    assertStringIncludes(err, "KILL");
  });

  it("TERM is not followed by anything when --kill-after is not set", async () => {
    const script = `trap 'echo got-TERM' TERM; trap 'exit 8' USR1; echo ready; ${FOREVER}`;
    await using probe = startProbe({}, "sh", "-c", script);
    await probe.seen(/ready()/);
    probe.kill("SIGTERM");
    await probe.seen(/got-TERM()/);
    probe.kill("SIGUSR1");
    const { code, out, err } = await probe.end();
    assertEquals([code, out, err.includes("say:")], [8, "ready\ngot-TERM\n", false]);
  });

  for (const name of ["TERM", "HUP", "INT"] as const) {
    it(`${name} ends a command that was stopped: CONT goes along`, async () => {
      const script = `trap 'echo told; exit 7' ${name}; echo ready $$; kill -STOP $$; ${FOREVER}`;
      await using probe = startProbe({}, "sh", "-c", script);
      const [pid] = await probe.seen(/ready (\d+)/);
      await until(() => processStat(Number(pid))?.state === "T");
      probe.kill(`SIG${name}`);
      const { code, out } = await probe.end();
      assertEquals([code, out.endsWith("told\n")], [7, true]);
    });
  }

  it("USR1 leaves a command stopped that was stopped", async () => {
    const script = `trap 'exit 7' USR1; trap : USR2; echo ready $$; kill -STOP $$; ${FOREVER}`;
    await using probe = startProbe({}, "sh", "-c", script);
    const [pid] = await probe.seen(/ready (\d+)/);
    await until(() => processStat(Number(pid))?.state === "T");
    probe.kill("SIGUSR1");
    // The signals that klatch passes on arrive in order, and this one wakes nobody either.
    probe.kill("SIGUSR2");
    await until(() => pendingIn(Number(pid), 12));
    assertEquals(processStat(Number(pid))?.state, "T");
    send(Number(pid), "SIGCONT");
    assertEquals((await probe.end()).code, 7);
  });

  it("that comes between waiting and the start of the command is not lost", async () => {
    const waiting: number[] = [];
    using signals = listenSignals((signal) => waiting.push(signal));
    Deno.kill(Deno.pid, "SIGUSR1");
    await until(() => waiting.length > 0);
    signals.route(undefined);
    Deno.kill(Deno.pid, "SIGTERM");
    assertEquals(await run(["sleep", "600"], { signals }), { status: 143, signal: 15 });
    assertEquals(waiting, [10]);
  });

  it("that was kept is delivered once, in order", () => {
    const queue = new SignalQueue();
    const got: number[] = [];
    queue.deliver(1);
    queue.deliver(2);
    queue.route((signal) => got.push(signal));
    queue.deliver(3);
    queue.route(undefined);
    queue.deliver(4);
    queue.route((signal) => got.push(-signal));
    assertEquals(got, [1, 2, 3, -4]);
  });

  it("is read by name or number, and anything else is refused with a list", () => {
    for (const text of ["TERM", "SIGTERM", "sigterm", "Term", "15"]) assertEquals(parseSignal(text), 15);
    assertEquals([parseSignal("64"), parseSignal("IOT"), signalName(1)], [64, 6, "HUP"]);
    for (const text of ["", "0", "65", "-9", "9 ", "1.5", "0x9", "SIG", "TREM", "SIGSIGTERM", "toString"]) {
      const error = assertThrows(() => parseSignal(text), KlatchError);
      assertEquals(error.code, "usage");
      assertStringIncludes(error.line, "HUP, INT");
    }
  });
});

describe("when the hold is lost", () => {
  it("the whole group gets TERM", async () => {
    const script = `trap 'echo told; exit 7' TERM; sleep 600 & echo $! ready; ${FOREVER}`;
    await using probe = startProbe({ killAtMs: 600_000 }, "sh", "-c", script);
    const [child] = await probe.seen(/(\d+) ready/);
    probe.kill("SIGALRM");
    const { code, out } = await probe.end();
    assertEquals([code, runs(Number(child))], [7, false]);
    assertStringIncludes(out, "told\n");
  });

  it("the signal can be another one", async () => {
    await using probe = startProbe(
      { stopSignal: 12 },
      "sh",
      "-c",
      `trap 'exit 9' USR2; echo ready; ${FOREVER}`,
    );
    await probe.seen(/ready()/);
    probe.kill("SIGALRM");
    assertEquals((await probe.end()).code, 9);
  });

  it("what ignores TERM gets KILL at the deadline, though --kill-after would be later", async () => {
    const script = `trap '' TERM; sleep 600 & echo $$ $! ready; ${FOREVER}`;
    await using probe = startProbe({ killAtMs: 50, killAfterMs: 600_000 }, "sh", "-c", script);
    const pids = (await probe.seen(/(\d+) (\d+) ready/)).map(Number);
    probe.kill("SIGALRM");
    assertEquals([(await probe.end()).code, pids.filter(runs)], [137, []]);
  });

  it("what ignores TERM gets KILL after --kill-after, though the deadline would be later", async () => {
    const script = `trap '' TERM; echo $$ ready; ${FOREVER}`;
    await using probe = startProbe({ killAtMs: 600_000, killAfterMs: 50 }, "sh", "-c", script);
    const pids = (await probe.seen(/(\d+) ready/)).map(Number);
    probe.kill("SIGALRM");
    assertEquals([(await probe.end()).code, pids.filter(runs)], [137, []]);
  });

  it("a command that stands still is made to go on, so that it can end", async () => {
    const script = `trap 'exit 7' TERM; echo ready; kill -STOP $$; ${FOREVER}`;
    await using probe = startProbe({ killAtMs: 600_000 }, "sh", "-c", script);
    await probe.seen(/ready()/);
    probe.kill("SIGALRM");
    assertEquals((await probe.end()).code, 7);
  });

  it("before the start, the command is not started", async () => {
    const error = await assertRejects(
      () => run(["no-such-command"], { lost: AbortSignal.abort() }),
      KlatchError,
    );
    assertEquals(error.code, "lost");
  });
});

describe("when the command has ended", () => {
  it("what it left running gets TERM, and the user a line; the exit status stays", async () => {
    await using probe = startProbe({}, "sh", "-c", "sleep 600 & echo $! ready; exit 4");
    const [child] = await probe.seen(/(\d+) ready/);
    const { code, err } = await probe.end();
    assertEquals([code, runs(Number(child))], [4, false]);
    assertEquals(err.trim().split("\n").length, 1);
    assertStringIncludes(err, `say: the command has ended but left process ${child} running`);
  });

  it("what it left running gets KILL if it ignores TERM", async () => {
    const script = `(trap '' TERM; echo $(exec sh -c 'echo $PPID') ready; ${FOREVER}) & exit 4`;
    await using probe = startProbe({ killAfterMs: 50 }, "sh", "-c", script);
    const [child] = await probe.seen(/(\d+) ready/);
    const { code } = await probe.end();
    assertEquals([code, runs(Number(child))], [4, false]);
  });

  it("what ends by itself soon after may do so", async () => {
    const said: string[] = [];
    const file = await Deno.makeTempFile();
    const script = `(sleep 0.2; echo late > "$OUT") & exit 4`;
    assertEquals(await run(["sh", "-c", script], { env: { OUT: file }, said, clock: patientClock() }), {
      status: 4,
    });
    assertEquals([said, await Deno.readTextFile(file)], [[], "late\n"]);
    await Deno.remove(file);
  });
});
