/**
 * Guards that do not come up to what they are started for, and the one that nobody has started.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { exitStatus, KlatchError } from "../../lib/errors.ts";
import { close, makePipe, readSome } from "../../lib/process/descriptors.ts";
import { Supervisor } from "../../lib/guard/supervisor.ts";
import { bootTimeMs } from "../../lib/process/libc/boot_time.ts";
import { GuardHandle } from "../../lib/guard/handle.ts";
import { DeadMansSwitch } from "../../lib/guard/switch.ts";
import { processesOf, processStat } from "../../lib/process/proc.ts";
import { exitOf, spawnCommand, startProcess } from "../../lib/process/spawn.ts";
import { klatchBinary, runKlatch } from "../support/binary.ts";
import { LongSecond } from "../support/long_second.ts";
import { commandLine } from "../support/marked_processes.ts";
import { runs, until } from "../support/processes.ts";

const real = systemClock(bootTimeMs);
/** A clock on which what takes long is over soon. */
const hasty: Clock = { ...real, sleep: (ms, signal) => real.sleep(ms / 100, signal) };

function guarded(self: readonly string[], clock: Clock = real) {
  const said: string[] = [];
  const guard = new Supervisor({
    self,
    renewDeadlineMs: 1_000,
    mark: { name: "KLATCH_RUN", value: crypto.randomUUID() },
    stopSignal: 15,
    clock,
    say: (line) => said.push(line),
  });
  // Here it is no real guard, and would not end by itself when a test fails.
  return { guard, said, [Symbol.asyncDispose]: () => guard.end() };
}

/** The error with which a guard is said not to come. */
async function refusal(guard: Supervisor): Promise<string> {
  const error = await assertRejects(() => guard.armed(), KlatchError);
  assertEquals([error.code, exitStatus(error)], ["guard", 125]);
  assertEquals([guard.broken.aborted, guard.broken.reason], [true, error]);
  await guard.end();
  assertEquals(guard.guards().filter(runs), []);
  return error.line;
}

describe("a guard that cannot be had", () => {
  it("because there is no such program", async () => {
    assertStringIncludes(await refusal(guarded(["/no/such/klatch"]).guard), "cannot be started: ");
  });

  it("because it ends at once, each time", async () => {
    const { guard, said } = guarded(["false"]);
    assertStringIncludes(await refusal(guard), "it ended at once");
    assertEquals([said, guard.guards().length], [[], 3]);
  });

  it("because it never says that it is ready", async () => {
    assertStringIncludes(
      await refusal(guarded(["sh", "-c", "exec sleep 600"], hasty).guard),
      "not ready within 10 s",
    );
  });

  it("because it listens to no deadline", async () => {
    const { guard } = guarded(["sh", "-c", "echo ready; exec sleep 600"], hasty);
    guard.deadline({ termAtMs: Infinity, killAtMs: Infinity });
    assertStringIncludes(await refusal(guard), "not ready within 10 s");
  });

  it("because it ends again and again", async () => {
    const { guard, said } = guarded(["sh", "-c", "echo ready"]);
    assertStringIncludes(await refusal(guard), "10 guards have ended before their time");
    assertEquals(said.length, 9);
  });
});

describe("a guard's start", () => {
  it("is waited for until it has heard the deadline, and not in vain", async () => {
    await using made = guarded(["sh", "-c", "echo ready; read line; echo armed; exec sleep 600"]);
    const { guard } = made;
    let armed = false;
    guard.armed().then(() => armed = true);
    await until(() => processStat(guard.pgid ?? 0) !== undefined);
    assertEquals(armed, false);
    guard.deadline({ termAtMs: Infinity, killAtMs: Infinity });
    await guard.armed();
  });

  it("does not wait for the end of its sleep when it is woken up", async () => {
    const folder = await Deno.makeTempDir({ prefix: "klatch-second-" });
    const second = new LongSecond(folder);
    const dead = new DeadMansSwitch();
    const path = Deno.env.get("PATH") ?? "";
    Deno.env.set("PATH", second.env.PATH);
    const guard = new GuardHandle(["sh", "-c", "echo ready; exec sleep 600"], undefined, dead, "asleep");
    Deno.env.set("PATH", path);
    const order = { terminal: false, mark: { name: "X", value: "x" }, stopSignal: 15, killAfterMyEndMs: 0 };
    let ready = false;
    guard.begin(order, { ready: () => ready = true, armed() {}, acting() {}, gone() {} });
    // A shell that is not yet there would be ended by that; and a sleep that is not yet there would not.
    await until(() => processesOf("getpgid", guard.pgid).some(({ pid }) => second.isIn(commandLine(pid))));
    assertEquals([ready, guard.asleep], [false, true]);
    guard.wake();
    await until(() => ready);
    await guard.end();
    dead.disarm();
    await Deno.remove(folder, { recursive: true });
  });

  it("leaves nothing open in it but its pipes, and nothing of it in the command", async () => {
    const list = "ls /proc/self/fd | sort -n | tr '\\n' ' ' >&2";
    const outer = new Deno.Command("sh", {
      args: ["-c", `exec "$@" 8</dev/null`, "sh", Deno.execPath(), "eval", "--quiet", script(list)],
      stdin: "null",
    });
    const { stderr, stdout, success } = await outer.output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(success, true, text);
    const [before = [], guard = [], command = []] = text.trim().split("\n")
      .map((line) => line.trim().split(" ").map(Number));
    assertEquals(before.includes(8), true);
    // One more is the folder that ls reads.
    assertEquals(guard, [0, 1, 2, 3, 4, 5, 6]);
    // What it would have without a guard, and the switch.
    assertEquals(command, [...before, 700]);
    assertEquals(new TextDecoder().decode(stdout), "");
  });

  it("does not begin a command when the time is up", async () => {
    await using made = guarded(["sh", "-c", "echo ready; read line; echo armed; exec sleep 600"]);
    const { guard } = made;
    const now = bootTimeMs();
    guard.deadline({ termAtMs: now, killAtMs: now + 1e9 });
    const never = () => guard.start(() => spawnCommand({ argv: ["true"], group: "own" }));
    assertEquals(assertThrows(never, KlatchError).code, "lost");
  });

  it(
    "by somebody who tries the hidden word does no harm",
    { skip: klatchBinary() === undefined },
    async () => {
      const line =
        `"$0" guard; "$0" guard '{"stopSignal":15,"killAfterMyEndMs":0}' < /dev/null; echo "lives $?"`;
      const { stdout, stderr } = await runKlatch(["-c", line, klatchBinary()!], { binary: "/bin/sh" });
      assertEquals(stdout, "lives 125\n");
      assertStringIncludes(stderr, "it is klatch that starts this");
    },
  );

  it("is with every signal blocked that can be, but CONT and CHLD", async () => {
    const input = makePipe(), output = makePipe();
    const { pid } = startProcess({
      argv: ["cat", "/proc/self/status"],
      group: "own",
      descriptors: [input.read, output.write, 2],
    });
    close(output.write);
    let status = "";
    for (let piece; (piece = await readSome(output.read)) !== undefined;) status += piece;
    await exitOf(pid);
    [input.read, input.write, output.read].forEach(close);
    const KILL_CHLD_CONT_STOP = 0b111_0000_0001_0000_0000;
    const blocked = BigInt(`0x${/^SigBlk:\s*([0-9a-f]+)$/m.exec(status)?.[1]}`);
    // 32 and 33 belong to the C library.
    assertEquals(blocked | (0b11n << 31n), 0xffff_ffff_ffff_ffffn ^ BigInt(KILL_CHLD_CONT_STOP));
  });
});

/** A program that starts a guard and a command, both of which list their descriptors. */
function script(list: string): string {
  const lib = new URL("../../lib", import.meta.url).href;
  return `
    import { systemClock } from "${lib}clock.ts";
    import { Supervisor } from "${lib}process/guard/guarded.ts";
    import { spawnCommand } from "${lib}process/spawn.ts";
    const list = ["sh", "-c", ${JSON.stringify(`${list}; echo >&2`)}];
    await spawnCommand({ argv: list, group: "own" }).exit;
    const guard = new Supervisor({
      self: ["sh", "-c", ${JSON.stringify(`${list}; echo >&2; echo armed; exec sleep 600`)}],
      mark: { name: "KLATCH_RUN", value: "x" }, stopSignal: 15, renewDeadlineMs: 1_000,
      clock: systemClock(), say: () => {},
    });
    guard.deadline({ termAtMs: Infinity, killAtMs: Infinity });
    await guard.armed();
    await guard.start((handed) => spawnCommand({ argv: list, group: { join: guard.pgid }, handed })).exit;
    await guard.end();
    Deno.exit(0);
  `;
}
