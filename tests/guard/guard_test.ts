/**
 * The guard: the command ends in time though klatch, the guard, or both are killed or stopped. The compiled binary, on
 * real processes; on the sandbox only, since no server has a part in it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { processStat } from "../../lib/process/proc.ts";
import { leftovers, onServers, type Place, QUICK_FLAGS } from "../e2e/place.ts";
import type { RunningKlatch } from "../support/binary.ts";
import { census, DEAF, FOREVER, guardOf, guardsOf, pidsIn, send } from "../support/guards.ts";
import { canRun, runs, until } from "../support/processes.ts";
import { sandboxOnly } from "../support/servers.ts";

/** Starts the deaf command under a klatch that waits for a long hold, and another klatch that waits for its end. */
async function deafAndHeir(place: Place, flags: readonly string[] = QUICK_FLAGS, shell = DEAF) {
  const first = place.spawn([...flags, "-i", "first"], ["sh", "-c", shell], { env: { DIR: place.dir } });
  const pids = pidsIn(await first.line("stdout", /all [\d ]+\./));
  assertEquals([pids.length, pids.filter(runs)], [3, pids]);
  const heir = place.spawn(QUICK_FLAGS, census(pids));
  await heir.line("stderr", /waiting/);
  return { first, guard: await guardOf(first.pid), pids, heir };
}

/** The heir has found nobody, and nothing is left of the other klatch. */
async function foundNobody(heir: RunningKlatch, guard: number): Promise<void> {
  const { code, stdout } = await heir.finished;
  assertEquals([code, stdout], [0, "left:\n"]);
  await until(() => !runs(guard));
}

onServers("the guard", (test) => {
  test("ends with klatch, the moment that klatch has ended", async (place) => {
    for (const command of [["true"], ["sh", "-c", "exit 7"], ["no-such-command"]]) {
      const running = place.spawn([], command);
      await running.exited;
      assertEquals(leftovers(), []);
    }
    const holder = await place.holder();
    assertEquals((await place.run(["-w", "0"], ["true"])).code, 124);
    const waiter = place.spawn([], ["true"]);
    await waiter.line("stderr", /waiting/);
    const guard = await guardOf(waiter.pid);
    waiter.signal("SIGTERM");
    await waiter.exited;
    assertEquals([guardsOf(waiter.pid), runs(guard)], [[], false]);
    await holder.closeStdin();
    await holder.finished;
    assertEquals(leftovers(), []);
  });

  test("ends with a klatch that is killed while it waits", async (place) => {
    const holder = await place.holder();
    const waiter = place.spawn([], ["true"]);
    await waiter.line("stderr", /waiting/);
    const guard = await guardOf(waiter.pid);
    waiter.signal("SIGKILL");
    await until(() => !runs(guard));
    assert(!(await waiter.finished).stderr.includes("guard"), "there was nothing to say");
    await holder.closeStdin();
    await holder.finished;
  });

  test("asks the command to end when klatch is killed, and says so", async (place) => {
    const polite = `trap 'echo told; exit 0' TERM; (trap 'echo child told; exit' TERM; ${FOREVER}) &
      echo ready; ${FOREVER}`;
    const running = place.spawn([], ["sh", "-c", polite]);
    await running.line("stdout", /ready/);
    running.signal("SIGKILL");
    const { stdout, stderr } = await running.finished;
    assertEquals(stdout.split("\n").filter((line) => line !== "").sort(), ["child told", "ready", "told"]);
    assertStringIncludes(stderr, "klatch guard: klatch was killed: the command is asked to end");
    await until(() => leftovers().length === 0);
  });

  test("says it as JSON where klatch would", async (place) => {
    const running = place.spawn(["-o", "json"], ["sh", "-c", `echo ready; ${FOREVER}`]);
    await running.line("stdout", /ready/);
    running.signal("SIGKILL");
    const { stderr } = await running.finished;
    const lines = stderr.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    const { event, lock, namespace, strategy, message } = lines.at(-1);
    assertEquals([event, lock, namespace, strategy], ["warning", place.name, place.namespace, "lease"]);
    assertStringIncludes(message, "klatch was killed");
  });

  test("kills what ignores that, before anybody else gets in", async (place) => {
    const { first, guard, heir } = await deafAndHeir(place);
    first.signal("SIGKILL");
    await foundNobody(heir, guard);
    assertStringIncludes((await first.finished).stderr, "the command did not end in time: killed it");
  });

  test("kills after --kill-after, though the hold would last longer", async (place) => {
    const running = place.spawn(["-k", "100ms", "--lease-duration", "1h"], ["sh", "-c", DEAF], {
      env: { DIR: place.dir },
    });
    const pids = pidsIn(await running.line("stdout", /all [\d ]+\./));
    running.signal("SIGKILL");
    await until(() => !pids.some(runs));
  });

  test("acts at the deadlines when klatch is stopped, and klatch says 123 when it goes on", async (place) => {
    const { first, guard, pids, heir } = await deafAndHeir(place);
    first.signal("SIGSTOP");
    await foundNobody(heir, guard);
    assertEquals(pids.filter(runs), []);
    first.signal("SIGCONT");
    const { code, stderr } = await first.finished;
    assertEquals(code, 123);
    assertStringIncludes(stderr, "klatch guard: klatch has not renewed the hold in time");
    assertMatch(stderr, /^klatch: .*(lost|stopped or too busy)/m);
    assertEquals(leftovers(), []);
  });

  test("asks with --signal first, at the renew deadline", async (place) => {
    const polite = `trap 'echo told; exit 0' USR2; trap '' TERM; echo ready; ${FOREVER}`;
    const running = place.spawn([...QUICK_FLAGS, "-s", "USR2"], ["sh", "-c", polite]);
    await running.line("stdout", /ready/);
    running.signal("SIGSTOP");
    await running.line("stdout", /told/);
    running.signal("SIGCONT");
    assertEquals((await running.finished).code, 123);
  });

  test("leaves a command alone whose klatch stood still for less than that", async (place) => {
    const running = place.spawn([], ["sh", "-c", "echo ready; read line; exit 5"], { stdin: "open" });
    await running.line("stdout", /ready/);
    running.signal("SIGSTOP");
    await until(() => processStat(running.pid)?.state === "T");
    running.signal("SIGCONT");
    await running.write("go on\n");
    assertEquals((await running.finished).code, 5);
  });

  test("makes klatch say 123 when the command has ended well before anybody noticed the loss", async (place) => {
    const command = `echo ready; until test -e "$DIR/end"; do sleep 0.02; done; exit 0`;
    const running = place.spawn(QUICK_FLAGS, ["sh", "-c", command], { env: { DIR: place.dir } });
    await running.line("stdout", /ready/);
    running.signal("SIGSTOP");
    await Deno.writeTextFile(place.file("end"), "");
    assertEquals((await place.run([], ["true"])).code, 0);
    running.signal("SIGCONT");
    const { code, stderr } = await running.finished;
    assertEquals(code, 123);
    assertMatch(stderr, /^klatch: .*(lost|stopped or too busy)/m);
  });

  test("knows the command of a klatch that is killed the moment it has started it", async (place) => {
    const soon = [
      "-k",
      "0",
      "--lease-duration",
      "1s",
      "--renew-deadline",
      "800ms",
      "--retry-period",
      "200ms",
    ];
    for (let i = 0; i < 5; i++) {
      const killer = `kill -9 $PPID; ${DEAF}`;
      const { stdout } = await place.run(soon, ["sh", "-c", killer], { env: { DIR: place.dir } });
      assertEquals(pidsIn(stdout).filter(runs).filter((pid) => pid !== 0), []);
      await until(() => leftovers().length === 0);
    }
  });

  test("does so though it was stopped when the hold was acquired: no command starts before it listens", async (place) => {
    const holder = await place.holder();
    const killer = `kill -9 $PPID; echo "all $$."; trap '' TERM; ${FOREVER}`;
    const running = place.spawn(QUICK_FLAGS, ["sh", "-c", killer]);
    await running.line("stderr", /waiting/);
    const guard = await guardOf(running.pid);
    send("SIGSTOP", guard);
    await until(() => processStat(guard)?.state === "T");
    await holder.closeStdin();
    await holder.finished;
    const [pid] = pidsIn(await running.line("stdout", /all \d+\./));
    const heir = await place.run(QUICK_FLAGS, census([pid!]));
    assertEquals([heir.code, heir.stdout], [0, "left:\n"]);
    await until(() => !runs(guard));
  });

  test("that is killed is replaced, and the command goes on", async (place) => {
    const { first, guard, pids, heir } = await deafAndHeir(place);
    const seen = [guard];
    for (let i = 0; i < 3; i++) {
      send("SIGKILL", seen.at(-1)!);
      seen.push(await guardOf(first.pid, seen));
      await until(() => first.stderr.split("starting another").length === i + 2);
    }
    assertEquals(pids.filter(runs), pids);
    first.signal("SIGKILL");
    await foundNobody(heir, seen.at(-1)!);
  });

  test("that is killed while klatch is stopped is replaced: the kernel wakes klatch", async (place) => {
    const running = place.spawn([], ["sh", "-c", "echo ready; read line; exit 5"], { stdin: "open" });
    await running.line("stdout", /ready/);
    const guard = await guardOf(running.pid);
    running.signal("SIGSTOP");
    send("SIGKILL", guard);
    await guardOf(running.pid, [guard]);
    await running.write("go on\n");
    assertEquals((await running.finished).code, 5);
    assertEquals(leftovers(), []);
  });

  for (const order of ["klatch first", "the guard first"]) {
    test(`and klatch both killed at once, ${order}: the kernel kills the command`, async (place) => {
      const { first, guard, pids, heir } = await deafAndHeir(place, ["--lease-duration", "1h"]);
      const both = order === "klatch first" ? [first.pid, guard] : [guard, first.pid];
      send("SIGKILL", ...both);
      await until(() => !pids.some(runs));
      heir.signal("SIGTERM");
      await heir.finished;
    });
  }

  test("and klatch both killed: so is a command that has closed every descriptor", async (place) => {
    const close = `for fd in /proc/$$/fd/*; do n=\${fd##*/}; test "$n" -gt 2 && eval "exec $n<&-"; done
      ls -l /proc/$$/fd | grep -q 700 || echo "all $$."; trap '' TERM; ${FOREVER}`;
    const running = place.spawn(["--lease-duration", "1h"], ["bash", "-c", close]);
    const [pid] = pidsIn(await running.line("stdout", /all \d+\./));
    send("SIGKILL", await guardOf(running.pid), running.pid);
    await until(() => !runs(pid!));
  }, canRun("bash", "--version") ? undefined : "needs bash");

  test("is woken when it is stopped and klatch killed", async (place) => {
    const { first, guard, heir } = await deafAndHeir(place);
    send("SIGSTOP", guard);
    first.signal("SIGKILL");
    await foundNobody(heir, guard);
  });

  test("is woken when both are stopped, and klatch says 123 when it goes on", async (place) => {
    const { first, guard, heir } = await deafAndHeir(place);
    send("SIGSTOP", guard, first.pid);
    await foundNobody(heir, guard);
    first.signal("SIGCONT");
    assertEquals((await first.finished).code, 123);
    assertEquals(leftovers(), []);
  });

  test("is not ended by any signal that the command's group gets but KILL", async (place) => {
    const running = place.spawn([], [
      "sh",
      "-c",
      `trap 'exit 5' USR1; echo ready; ${FOREVER}`,
    ]);
    await running.line("stdout", /ready/);
    const guard = await guardOf(running.pid);
    // All that end a process or stop it, to the guard itself as the group's signals are.
    const deadly = "1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 20 21 22 24 25 26 27 29 30 31 40";
    for (const signal of deadly.split(" ")) {
      new Deno.Command("kill", { args: [`-${signal}`, String(guard)] }).outputSync();
    }
    // To the whole group, the guard included, as klatch passes signals on.
    running.signal("SIGUSR1");
    const { code, stderr } = await running.finished;
    assertEquals(code, 5);
    assertNotMatch(
      stderr,
      /guard/,
      "a guard that had ended would have been replaced, with a line that says so",
    );
  });

  test(
    "reaches a command that has left its group for a session of its own, and that command's children",
    async (place) => {
      const script = `trap '' USR2; trap 'echo told' TERM; sh -c 'trap "" TERM; echo child $$.; ${FOREVER}' &
      echo "parent $$."; ${FOREVER}`;
      for (const how of ["signal", "stop", "kill"] as const) {
        const running = place.spawn(["-k", "200ms", ...QUICK_FLAGS], ["setsid", "sh", "-c", script]);
        const parent = Number(/\d+/.exec(await running.line("stdout", /parent \d+\./))?.[0]);
        const child = Number(/\d+/.exec(await running.line("stdout", /child \d+\./))?.[0]);
        assertEquals([processStat(parent)?.session, processStat(child)?.pgid], [parent, parent]);
        if (how === "signal") {
          running.signal("SIGTERM");
          await running.line("stdout", /told/);
          assertEquals((await running.finished).code, 137);
          assertEquals(leftovers(), []);
        } else {
          running.signal(how === "stop" ? "SIGSTOP" : "SIGKILL");
          await until(() => !runs(parent) && !runs(child));
          if (how === "stop") running.signal("SIGCONT");
          assertEquals((await running.finished).code, how === "stop" ? 123 : 137);
          assertStringIncludes(running.stdout, "told");
        }
      }
    },
    canRun("setsid", "true") ? undefined : "needs setsid(1)",
  );

  test("kills a command at once that was just leaving its group when klatch was killed", async (place) => {
    const leaves = `kill -9 $PPID; exec setsid sh -c 'trap "" TERM; echo "all $$."; ${FOREVER}'`;
    const running = place.spawn(["-k", "0", ...QUICK_FLAGS], ["sh", "-c", leaves]);
    await running.finished;
    await until(() => leftovers().length === 0);
  }, canRun("setsid", "true") ? undefined : "needs setsid(1)");

  test("of a klatch inside of a klatch's command kills at once when that klatch is killed", async (place) => {
    const inner = ["run", "inner", "-n", place.namespace, "-q", "--", "sh", "-c", DEAF];
    const running = place.spawn(["-k", "100ms", "-q"], [place.binary, ...inner], { env: { DIR: place.dir } });
    const pids = pidsIn(await running.line("stdout", /all [\d ]+\./));
    running.signal("SIGKILL");
    await until(() => !pids.some(runs));
    await until(() => leftovers().length === 0);
  });

  test("that cannot be started keeps klatch from running the command, with 125", async (place) => {
    const copy = place.file("klatch");
    await Deno.copyFile(place.binary, copy);
    const holder = await place.holder();
    const waiter = place.spawn([], ["sh", "-c", "echo ran"], { binary: copy });
    await waiter.line("stderr", /waiting/);
    const guard = await guardOf(waiter.pid);
    await Deno.remove(copy);
    send("SIGKILL", guard);
    await waiter.line("stderr", /has ended before its time/);
    await holder.closeStdin();
    const { code, stdout, stderr } = await waiter.finished;
    assertEquals([code, stdout], [125, ""]);
    assertMatch(stderr, /^klatch: the guard cannot be started: .*--no-guard/m);
    await holder.finished;
    assertEquals(await place.holders(), []);
  });

  test("that cannot be replaced makes klatch stop the command, with 125, and give the lock back", async (place) => {
    const copy = place.file("klatch");
    await Deno.copyFile(place.binary, copy);
    const running = place.spawn([], ["sh", "-c", `trap 'echo told; exit 0' TERM; echo ready; ${FOREVER}`], {
      binary: copy,
    });
    await running.line("stdout", /ready/);
    const guard = await guardOf(running.pid);
    await Deno.remove(copy);
    send("SIGKILL", guard);
    const { code, stdout, stderr } = await running.finished;
    assertEquals([code, stdout], [125, "ready\ntold\n"]);
    assertMatch(stderr, /^klatch: the guard cannot be started/m);
    assertEquals(await place.holders(), []);
  });

  test("is left out with --no-guard, which klatch warns of", async (place) => {
    const running = place.spawn(["--no-guard", "-q"], ["sh", "-c", "echo ready; read line; exit 6"], {
      stdin: "open",
    });
    await running.line("stdout", /ready/);
    assertEquals(guardsOf(running.pid), []);
    await running.write("go on\n");
    const { code, stderr } = await running.finished;
    assertEquals(code, 6);
    assertMatch(stderr, /^klatch: running without a guard: .*\n$/);
    const byVariable = await place.run(["-q"], ["true"], { env: { KLATCH_NO_GUARD: "1" } });
    assertMatch(byVariable.stderr, /^klatch: running without a guard: .*\n$/);
  });
}, sandboxOnly());
