/**
 * What a guard decides, in virtual time, what klatch and its guard say to each other, and guards that do not come up to
 * what they are started for.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type GuardMessage, LineBuffer, lineOf, parseGuardMessage } from "../../lib/guard/protocol.ts";
import { GuardPolicy } from "../../lib/guard/policy.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { exitStatus, KlatchError } from "../../lib/errors.ts";
import { close, makePipe, readSome } from "../../lib/process/linux/descriptors.ts";
import { guardParts } from "../../lib/guard/linux/parts.ts";
import { Supervisor } from "../../lib/guard/supervisor.ts";
import { bootTimeMs } from "../../lib/process/linux/libc/boot_time.ts";
import { processStat } from "../../lib/process/linux/proc.ts";
import { exitOf, spawnCommand, startProcess } from "../../lib/process/linux/spawn.ts";
import { klatchBinary, runKlatch } from "../support/binary.ts";
import { runs, until } from "../support/processes.ts";

/** What happens to a guard, by the time in milliseconds. */
interface Story {
  readonly told?: Readonly<Record<number, GuardMessage>>;
  /** When klatch is gone. */
  readonly orphanedAt?: number;
  /** When the command is gone; Infinity: it does not end by itself. */
  readonly endsAt?: number;
  /** When the command is there. */
  readonly startsAt?: number;
  readonly killAfterMs?: number;
  readonly aloneMs?: number;
  /** The guard stands still until then after this moment. */
  readonly frozen?: { readonly from: number; readonly until: number };
}

const deadline = (termAtMs: number, killAtMs: number): GuardMessage => ({
  kind: "deadline",
  termAtMs,
  killAtMs,
});

/** Lets a guard live for 30 s, looks only when it wants to look or is told something, and lists what it does when. */
function live(story: Story): string[] {
  const policy = new GuardPolicy(story.killAfterMs, story.aloneMs);
  const done: string[] = [];
  let nextMs = 0, killed = false, missed: GuardMessage[] = [];
  for (let now = 0; now <= 30_000; now++) {
    const told = story.told?.[now];
    if (told !== undefined) missed.push(told);
    if (story.frozen && now >= story.frozen.from && now < story.frozen.until) continue;
    for (const each of missed) policy.hear(each);
    const orphaned = now >= (story.orphanedAt ?? Infinity);
    if (orphaned) policy.orphan(now);
    if (missed.length === 0 && !(orphaned && now === story.orphanedAt) && now < nextMs) continue;
    missed = [];
    const there = !killed && now >= (story.startsAt ?? 0) && now < (story.endsAt ?? Infinity);
    for (const action of policy.look(now, () => there)) {
      if (typeof action === "string") done.push(`${now} ${action}`);
      if (action === "kill") killed = true;
      if (action === "end") return done;
    }
    nextMs = policy.nextLookMs(now);
  }
  return done;
}

describe("the guard's policy", () => {
  it("does nothing as long as klatch renews", () => {
    const told = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [i * 2000, deadline(i * 2000 + 10_000, i * 2000 + 13_500)]),
    );
    assertEquals(live({ told }), []);
  });

  it("asks at the first deadline, with a courtesy to klatch, and kills at the second", () => {
    assertEquals(live({ told: { 0: deadline(10_000, 13_500) } }), [
      "10100 tell-klatch",
      "10100 ask",
      "13500 tell-klatch",
      "13500 kill",
    ]);
  });

  it("leaves at least three quarters of the time for the command's end", () => {
    assertEquals(live({ told: { 0: deadline(800, 900) } }).slice(0, 2), ["825 tell-klatch", "825 ask"]);
    assertEquals(live({ told: { 0: deadline(900, 900) } }).at(-1), "900 kill");
  });

  it("kills sooner with --kill-after, and never later", () => {
    assertEquals(live({ told: { 0: deadline(10_000, 13_500) }, killAfterMs: 1000 }).at(-1), "11100 kill");
    assertEquals(live({ told: { 0: deadline(10_000, 13_500) }, killAfterMs: 9000 }).at(-1), "13500 kill");
  });

  it("goes by what it was told last, however late it looks", () => {
    const told = { 0: deadline(1000, 1500), 900: deadline(5000, 7000) };
    assertEquals(live({ told, frozen: { from: 500, until: 4000 } })[0], "5100 tell-klatch");
  });

  it("does not take news for good that come after it has asked", () => {
    const told = { 0: deadline(1000, 1500), 1200: deadline(10_000, 13_500) };
    assertEquals(live({ told }).at(-1), "1500 kill");
  });

  it("asks at once when klatch is gone, and kills five seconds later", () => {
    assertEquals(live({ told: { 0: deadline(10_000, 13_500) }, orphanedAt: 2000 }).slice(0, 2), [
      "2000 ask",
      "7000 tell-klatch",
    ]);
    assertEquals(live({ orphanedAt: 2000 })[0], "2000 ask");
  });

  it("or at the deadline, if that is sooner", () => {
    const actions = live({ told: { 0: deadline(10_000, 13_500) }, orphanedAt: 9000 });
    assertEquals([actions[0], actions.find((each) => each.endsWith("kill"))], ["9000 ask", "13500 kill"]);
  });

  it("or after what --kill-after says, which may be nothing", () => {
    assertEquals(live({ orphanedAt: 2000, aloneMs: 500 }).find((each) => each.endsWith("kill")), "2500 kill");
    assertEquals(live({ orphanedAt: 2000, aloneMs: 0 })[1], "2000 kill");
  });

  it("ends when klatch is gone and nothing is left, but not before what was just being started could appear", () => {
    assertEquals(live({ orphanedAt: 2000, endsAt: 3000 }), ["2000 ask", "3000 end"]);
    assertEquals(live({ orphanedAt: 2000, endsAt: 0 }), ["2300 end"]);
    assertEquals(live({ orphanedAt: 2000, startsAt: 2120, endsAt: 2400 }), ["2150 ask", "2400 end"]);
  });

  it("asks only once, though klatch dies after it has asked", () => {
    const actions = live({ told: { 0: deadline(1000, 4000) }, orphanedAt: 2000 });
    assertEquals(actions.filter((each) => each.endsWith("ask")), ["1100 ask"]);
  });

  it("leaves asking to a klatch that says that it does so, and only kills", () => {
    const told = { 0: deadline(10_000, 13_500), 10_001: { kind: "stopping", killAtMs: 12_000 } } as const;
    assertEquals(live({ told }), ["12000 tell-klatch", "12000 kill"]);
  });

  it("asks itself when that klatch dies, since nobody knows how far it came", () => {
    const told = { 0: deadline(10_000, 13_500), 10_001: { kind: "stopping", killAtMs: 13_500 } } as const;
    assertEquals(live({ told, orphanedAt: 10_002 })[0], "10002 ask");
  });

  it("never kills later because of what klatch says while it stops", () => {
    const told = { 0: deadline(1000, 1500), 1001: { kind: "stopping", killAtMs: 9000 } } as const;
    assertEquals(live({ told }).at(-1), "1500 kill");
  });

  it("kills at once if it was asleep at the deadline", () => {
    const frozen = { from: 5000, until: 20_000 };
    assertEquals(live({ told: { 0: deadline(10_000, 13_500) }, frozen }), [
      "20000 tell-klatch",
      "20000 kill",
    ]);
  });

  it("goes on killing what still appears", () => {
    const policy = new GuardPolicy();
    policy.hear(deadline(1000, 1500));
    assertEquals(policy.look(1500, () => true).at(-1), "kill");
    assertEquals(policy.look(policy.nextLookMs(1500), () => true).at(-1), "kill");
    assertEquals(policy.look(policy.nextLookMs(1550), () => false), []);
  });

  it("does not ask to be looked at while there is nothing to wait for", () => {
    const policy = new GuardPolicy();
    assertEquals(policy.nextLookMs(0), Infinity);
    policy.hear(deadline(1000, 1500));
    assertEquals([policy.nextLookMs(0), policy.askAtMs, policy.killAtMs], [1100, 1100, 1500]);
  });
});

describe("what klatch and its guard say", () => {
  it("is read as it was written", () => {
    const all: GuardMessage[] = [
      deadline(123456.789, 123457.5),
      { kind: "stopping", killAtMs: 0.25 },
      { kind: "command", pid: 42, startTime: 4711 },
    ];
    assertEquals(all.map((told) => parseGuardMessage(lineOf(told).trimEnd())), all);
  });

  it("is nothing where it makes no sense", () => {
    for (const line of ["", "deadline", "deadline 1", "deadline x y", "stopping", "command 1", "other 1 2"]) {
      assertEquals(parseGuardMessage(line), undefined, line);
    }
  });

  it("is put together from pieces", () => {
    const lines = new LineBuffer();
    assertEquals(["dead", "line 1 2\nsto", "pping 3\n\n", ""].map((piece) => lines.take(piece)), [
      [],
      ["deadline 1 2"],
      ["stopping 3", ""],
      [],
    ]);
  });
});

const real = systemClock(bootTimeMs);
/** A clock on which what takes long is over soon. */
const hasty: Clock = { ...real, sleep: (ms, signal) => real.sleep(ms / 100, signal) };

function guarded(self: readonly string[], clock: Clock = real) {
  const said: string[] = [];
  const guard = new Supervisor({
    parts: guardParts,
    self,
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

describe("klatch's own timers", () => {
  /** Runs a program that sets them, in a process of its own. */
  async function ending(body: string): Promise<Deno.CommandStatus> {
    const lib = new URL("../../lib/", import.meta.url).href;
    const program = `
      import { Watchdog } from "${lib}guard/linux/watchdog.ts";
      import { bootTimeMs } from "${lib}process/linux/libc/boot_time.ts";
      const watchdog = new Watchdog(), now = bootTimeMs();
      if (!watchdog.works) Deno.exit(9);
      ${body}`;
    return await new Deno.Command(Deno.execPath(), { args: ["eval", "--quiet", program] }).spawn().status;
  }

  it("kill a klatch that hangs, halfway from the TERM deadline to the KILL deadline", async () => {
    const { signal } = await ending(
      `watchdog.set({ termAtMs: now + 20, killAtMs: now + 60 }, now); for (;;);`,
    );
    assertEquals(signal, "SIGKILL");
  });

  it("wake a klatch that was stopped, at the TERM deadline", async () => {
    const { code } = await ending(`watchdog.set({ termAtMs: now + 50, killAtMs: now + 1e6 }, now);
      Deno.kill(Deno.pid, "SIGSTOP");
      Deno.exit(bootTimeMs() - now >= 50 ? 0 : 1);`);
    assertEquals(code, 0);
  });

  it("do nothing as long as klatch renews, and once it stops the command itself", async () => {
    const { code } = await ending(`watchdog.set({ termAtMs: now + 10, killAtMs: now + 1e3 }, now);
      watchdog.set({ termAtMs: now + 500, killAtMs: now + 600 }, now);
      watchdog.clear();
      while (bootTimeMs() - now < 800);
      Deno.exit(0);`);
    assertEquals(code, 0);
  });
});

/** A program that starts a guard and a command, both of which list their descriptors. */
function script(list: string): string {
  const lib = new URL("../../lib/", import.meta.url).href;
  return `
    import { systemClock } from "${lib}clock.ts";
    import { guardParts } from "${lib}guard/linux/parts.ts";
    import { Supervisor } from "${lib}guard/supervisor.ts";
    import { loadProcessLayer } from "${lib}process/load.ts";
    import { spawnCommand } from "${lib}process/linux/spawn.ts";
    const list = ["sh", "-c", ${JSON.stringify(`${list}; echo >&2`)}];
    await spawnCommand({ argv: list, group: "own" }).exit;
    await loadProcessLayer();
    const guard = new Supervisor({
      parts: guardParts,
      self: ["sh", "-c", ${JSON.stringify(`${list}; echo >&2; echo armed; exec sleep 600`)}],
      mark: { name: "KLATCH_RUN", value: "x" }, stopSignal: 15,
      clock: systemClock(), say: () => {},
    });
    guard.deadline({ termAtMs: Infinity, killAtMs: Infinity });
    await guard.armed();
    await guard.start(({ handed }) => spawnCommand({ argv: list, group: { join: guard.pgid }, handed })).exit;
    await guard.end();
    Deno.exit(0);
  `;
}
