/**
 * The guard: the command ends in time though klatch, the guard, or both are killed, stopped or hang. Each kind of guard
 * and each shell passes the same tests; then come narrow places (a root file system that cannot be written and holds no
 * shell, a user without rights, PID namespaces) and terminals. The compiled binary, on real processes; on the sandbox
 * only, since no server has a part in it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { terminalTree } from "../../lib/process/linux/group.ts";
import { processStat } from "../../lib/process/linux/proc.ts";
import { spawnCommand } from "../../lib/process/linux/spawn.ts";
import { leftovers, type OnPlace, onServers, type Place, QUICK_FLAGS } from "../e2e/place.ts";
import type { RunningKlatch } from "../support/binary.ts";
import { census, DEAF, FOREVER, guardOf, guardsOf, pidsIn, send } from "../support/guards.ts";
import { isPortable, type NotPortable, whySkipped } from "../support/layer.ts";
import { canRun, runs, shellLine, startOnTerminal, until } from "../support/processes.ts";
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

/** A copy of klatch that a test may replace. */
async function copyOf(place: Place): Promise<string> {
  const copy = place.file("klatch");
  await Deno.copyFile(place.binary, copy);
  return copy;
}

/** Puts another program in the place of klatch, which leaves a file if it is started, or nothing. */
async function upgrade(place: Place, copy: string, how: "replaced" | "deleted"): Promise<void> {
  if (how === "deleted") return await Deno.remove(copy);
  const script = `#!/bin/sh\ntouch ${shellLine([place.file("other-version")])}\n`;
  await Deno.writeTextFile(`${copy}.new`, script, { mode: 0o755 });
  await Deno.rename(`${copy}.new`, copy);
}

/** Resolves when the hold has been renewed twice more. */
async function renewedTwice(place: Place): Promise<void> {
  const renewed = () => place.bench.client.get(place.bench.ref);
  for (let times = 0; times < 2; times++) {
    const before = JSON.stringify(await renewed());
    while (JSON.stringify(await renewed()) === before) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The heir has found nobody, and nothing is left of the other klatch. */
async function foundNobody(heir: RunningKlatch, guard: number): Promise<void> {
  const { code, stdout } = await heir.finished;
  assertEquals([code, stdout], [0, "left:\n"]);
  await until(() => !runs(guard));
}

/** Where this machine has another shell besides /bin/sh; undefined if it does not. */
function findShell(name: string): string | undefined {
  const { stdout } = new Deno.Command("sh", { args: ["-c", `command -v ${name}`] }).outputSync();
  return new TextDecoder().decode(stdout).trim() || undefined;
}

/** What the portable layer does not promise. */
const NOT_PORTABLE: NotPortable = {
  "that is killed while klatch is stopped is replaced": "the kernel wakes nobody",
  "and klatch both killed": "the kernel kills nobody",
  "is woken when": "the kernel wakes nobody",
  "is not ended by any signal that the command's group gets": "the guard is not in that group",
  "reaches a command that has left its group": "what has left the group is not found",
  "kills a command at once that was just leaving its group": "what has left the group is not found",
  "is two guards if the kernel refuses the dead man's switch": "there is no such switch",
  "works where nothing can be written and there is no shell": "it needs a shell and ps(1)",
  "works where klatch is a child of PID 1": "a guard that was stopped is not woken",
  "on a terminal and klatch both killed": "the kernel kills nobody",
};

const OWN = "klatch's own binary";

/** Describes the guard that a shell is, or without one klatch's binary. */
function describeGuard(
  title: string,
  shell: (place: Place) => string,
  suite: (test: OnPlace) => void,
): void {
  onServers(`the guard as ${title}`, (test) => {
    suite((name, body, skip) =>
      test(name, (place) => {
        place.moreEnv = { KLATCH_GUARD_SHELL: shell(place) };
        return body(place);
      }, skip ?? whySkipped(name, title === OWN ? NOT_PORTABLE : { "": "its guard is klatch's own binary" }))
    );
  }, sandboxOnly());
}

function everyFault(kind: "shell" | "binary"): (test: OnPlace) => void {
  return (test) => {
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
      assertStringIncludes(stderr, "klatch guard: klatch was killed: stopping the command");
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

    test("writes into a file after what klatch and the command have written, and overwrites nothing", async (place) => {
      const command = `trap 'echo after >&2; exit 0' TERM; echo before >&2; echo ready; ${FOREVER}`;
      const line = `exec "$@" 2>${shellLine([place.file("log")])}`;
      const running = place.shell(line, [], ["sh", "-c", command]);
      await running.line("stdout", /ready/);
      running.signal("SIGKILL");
      await running.finished;
      await until(() => leftovers().length === 0);
      const lines = (await Deno.readTextFile(place.file("log"))).trim().split("\n");
      assertMatch(lines[0] ?? "", /^klatch: acquired /);
      assertEquals(lines.slice(1).filter((each) => each !== "Terminated").sort(), [
        "after",
        "before",
        "klatch guard: klatch was killed: stopping the command",
      ]);
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
      send("SIGCONT", first.pid);
      const { code, stderr } = await first.finished;
      assertEquals(code, 123);
      if (kind === "binary") {
        assertStringIncludes(stderr, "klatch guard: klatch did not renew in time: stopping the command");
      }
      assertMatch(stderr, /^klatch: .*(lost|did not renew)/m);
      assertEquals(leftovers(), []);
    });

    test("asks with --signal first, at the renew deadline", async (place) => {
      const polite = `trap 'echo told; exit 0' USR2; trap '' TERM; echo ready; ${FOREVER}`;
      const running = place.spawn([...QUICK_FLAGS, "-s", "USR2"], ["sh", "-c", polite]);
      await running.line("stdout", /ready/);
      running.signal("SIGSTOP");
      await running.line("stdout", /told/);
      send("SIGCONT", running.pid);
      assertEquals((await running.finished).code, 123);
    });

    test("leaves a command alone whose klatch stood still for less than that", async (place) => {
      const running = place.spawn([], ["sh", "-c", "echo ready; read line; exit 5"], { stdin: "open" });
      await running.line("stdout", /ready/);
      running.signal("SIGSTOP");
      await until(() => processStat(running.pid)?.state === "T");
      send("SIGCONT", running.pid);
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
      send("SIGCONT", running.pid);
      const { code, stderr } = await running.finished;
      assertEquals(code, 123);
      assertMatch(stderr, /^klatch: .*(lost|did not renew)/m);
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
        const killer = `trap '' TERM; kill -9 $PPID; ${DEAF}`;
        const { stdout } = await place.run(soon, ["sh", "-c", killer], { env: { DIR: place.dir } });
        // A process that was killed may still be ending.
        await until(() => !pidsIn(stdout).some((pid) => pid !== 0 && runs(pid)));
        await until(() => leftovers().length === 0);
      }
    });

    test("does so though it was stopped when the hold was acquired: no command starts before it listens", async (place) => {
      const holder = await place.holder();
      const killer = `trap '' TERM; kill -9 $PPID; echo "all $$."; ${FOREVER}`;
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
      send("SIGCONT", first.pid);
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
        const script =
          `trap '' USR2; trap 'echo told' TERM; sh -c 'trap "" TERM; echo child $$.; ${FOREVER}' &
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
            if (how === "stop") send("SIGCONT", running.pid);
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
      const running = place.spawn(["-k", "100ms", "-q"], [place.binary, ...inner], {
        env: { DIR: place.dir },
      });
      const pids = pidsIn(await running.line("stdout", /all [\d ]+\./));
      running.signal("SIGKILL");
      await until(() => !pids.some(runs));
      await until(() => leftovers().length === 0);
    });

    for (const how of ["replaced", "deleted"] as const) {
      test(`leaves a command alone whose klatch's binary is ${how}`, async (place) => {
        const copy = await copyOf(place);
        const running = place.spawn(QUICK_FLAGS, ["sh", "-c", "echo ready; read line; exit 5"], {
          binary: copy,
          stdin: "open",
        });
        await running.line("stdout", /ready/);
        const guard = await guardOf(running.pid);
        await upgrade(place, copy, how);
        await renewedTwice(place);
        assertEquals(await guardOf(running.pid), guard);
        await running.write("go on\n");
        const { code, stderr } = await running.finished;
        assertEquals([code, leftovers(), place.has("other-version")], [5, [], false]);
        assertNotMatch(stderr, /guard/);
      });

      test(`that is killed when klatch's binary is ${how}: no other version is started`, async (place) => {
        const copy = await copyOf(place);
        const command = `trap 'echo told; exit 0' TERM; echo ready; ${FOREVER}`;
        const running = place.spawn(QUICK_FLAGS, ["sh", "-c", command], { binary: copy });
        await running.line("stdout", /ready/);
        const guard = await guardOf(running.pid);
        await upgrade(place, copy, how);
        send("SIGKILL", guard);
        if (kind === "shell") {
          const next = await guardOf(running.pid, [guard]);
          await renewedTwice(place);
          running.signal("SIGKILL");
          await until(() => !runs(next));
        }
        const { code, stdout, stderr } = await running.finished;
        assertEquals([code, stdout], [kind === "shell" ? 137 : 125, "ready\ntold\n"]);
        assertEquals(place.has("other-version"), false);
        if (kind === "binary") {
          assertMatch(
            stderr,
            /^klatch: the guard cannot be started: \S+ was replaced or removed while klatch ran/m,
          );
          assertEquals(stderr.match(/was replaced or removed/g)?.length, 1);
          assertEquals(await place.holders(), []);
        }
      });
    }

    test("is not started while klatch waits and its binary is deleted: klatch runs nothing, with 125", async (place) => {
      const copy = await copyOf(place);
      const holder = await place.holder();
      const waiter = place.spawn([], ["sh", "-c", "echo ran"], { binary: copy });
      await waiter.line("stderr", /waiting/);
      const guard = await guardOf(waiter.pid);
      await Deno.remove(copy);
      send("SIGKILL", guard);
      await waiter.line("stderr", /has ended before its time/);
      await holder.closeStdin();
      const { code, stdout, stderr } = await waiter.finished;
      if (kind === "shell") assertEquals([code, stdout], [0, "ran\n"]);
      else {
        assertEquals([code, stdout], [125, ""]);
        assertMatch(stderr, /^klatch: the guard cannot be started: .*--no-guard/m);
      }
      await holder.finished;
      assertEquals(await place.holders(), []);
    });

    test("stops the command of a klatch that hangs: that is stopped again whenever it is woken", async (place) => {
      const { first, guard, heir } = await deafAndHeir(place);
      const stopper = new Deno.Command("sh", {
        args: ["-c", `while kill -STOP ${first.pid}; do :; done 2>/dev/null`],
      }).spawn();
      try {
        await foundNobody(heir, guard);
      } finally {
        send("SIGKILL", stopper.pid);
        await stopper.status;
      }
      send("SIGCONT", first.pid);
      const { code, stderr } = await first.finished;
      // Where whatever stops it was late itself, klatch has come to stop the command.
      assert(code === 123 || (code === 137 && kind === "shell"), `${code}`);
      if (code === 137) {
        assertStringIncludes(stderr, "klatch guard: klatch did not renew in time: stopping the command");
      }
      assertEquals(leftovers(), []);
    });

    test("stops a command that has closed its descriptors", async (place) => {
      const closes = `exec 0<&- 1>&- 2>&- 3>&- 4>&- 5>&-; trap '' TERM; ${FOREVER}`;
      for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
        const line = `sh -c ${shellLine([closes])} & echo "all $!."; exec sh -c ${shellLine([closes])}`;
        const running = place.spawn(["-k", "200ms", ...QUICK_FLAGS], ["sh", "-c", line]);
        const [pid] = pidsIn(await running.line("stdout", /all \d+\./));
        running.signal(signal);
        await until(() => !runs(pid!));
        send("SIGCONT", running.pid);
        assertEquals((await running.finished).code, signal === "SIGKILL" ? 137 : 123);
        await until(() => leftovers().length === 0);
      }
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
  };
}

describeGuard("a shell", () => "/bin/sh", everyFault("shell"));
describeGuard(OWN, () => "", everyFault("binary"));

for (const name of ["dash", "bash", "busybox"]) {
  const path = findShell(name);
  // It has passed already.
  if (path !== undefined && Deno.realPathSync(path) === Deno.realPathSync("/bin/sh")) continue;
  describeGuard(name, (place) => {
    // Only called by this name does busybox behave as a shell.
    const link = place.file("sh");
    Deno.symlinkSync(path ?? "", link);
    return link;
  }, (test) => {
    everyFault("shell")((title, body, skip) =>
      test(title, body, path === undefined ? `needs ${name}` : skip)
    );
  });
}

const REFUSE = new URL("../support/without_pipe_signals.ts", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;
const noMounts = isRoot && canRun("unshare", "--mount", "true") && canRun("chroot", "--version") &&
    canRun("ldd", "--version")
  ? undefined
  : "needs root, unshare(1), chroot(1) and ldd(1)";
const noUser = isRoot && canRun("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true")
  ? undefined
  : "needs root and setpriv(1)";
const noPids = canRun("unshare", "--pid", "--fork", "--mount-proc", "true")
  ? undefined
  : "needs PID namespaces";
const noTerminal = canRun("script", "--version") ? undefined : "needs script(1)";

/** Makes a folder that holds programs, the libraries that they need, and a kubeconfig. */
async function makeRoot(place: Place, programs: Readonly<Record<string, string>>): Promise<string> {
  const root = place.file("root");
  await Deno.mkdir(`${root}/proc`, { recursive: true });
  for (const [name, from] of Object.entries(programs)) {
    await Deno.copyFile(from, `${root}/${name}`);
    const { stdout } = await new Deno.Command("ldd", { args: [from] }).output();
    for (const [, library] of new TextDecoder().decode(stdout).matchAll(/(\/\S+) \(0x/g)) {
      await Deno.mkdir(`${root}${library!.slice(0, library!.lastIndexOf("/"))}`, { recursive: true });
      await Deno.copyFile(library!, `${root}${library}`);
    }
  }
  await Deno.copyFile(place.server.kubeconfigFile, `${root}/config`);
  return root;
}

/** The processes with a name of which one is an ancestor. */
function childrenOf(pid: number, name: string): number[] {
  return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((each) => {
    if (!(each > 0) || !runs(each) || processStat(each)?.ppid !== pid) return false;
    return Deno.readTextFileSync(`/proc/${each}/comm`).trim() === name;
  });
}

onServers("the guard in narrow places", (plain) => {
  const test: OnPlace = (name, body, skip) => plain(name, body, skip ?? whySkipped(name, NOT_PORTABLE));

  test(
    "is two guards if the kernel refuses the dead man's switch",
    async (place) => {
      const words = place.words(["-k", "200ms"], ["sh", "-c", DEAF]);
      for (const victims of [[0], [1], [0, 1]]) {
        const running = place.klatch(["run", "-A", "--no-check", REFUSE, place.binary, ...words], {
          binary: Deno.execPath(),
          env: { DIR: place.dir },
        });
        const pids = pidsIn(await running.line("stdout", /all [\d ]+\./));
        const guards = guardsOf(running.pid);
        assertEquals(guards.length, 2);
        if (victims.length === 2) {
          // One at a time is replaced.
          send("SIGKILL", guards[0]!);
          await until(() => guardsOf(running.pid).some((pid) => !guards.includes(pid)));
          assertEquals(guardsOf(running.pid).length, 2);
          running.signal("SIGTERM");
        } else send("SIGKILL", guards[victims[0]!]!, running.pid);
        await until(() => !pids.some(runs));
        await running.finished;
        await until(() => leftovers().length === 0);
        await Deno.remove(place.file("deaf"));
      }
    },
    canRun(Deno.execPath(), "run", "-A", "--no-check", REFUSE, "true") ? undefined : "needs seccomp filters",
  );

  test("works where nothing can be written and there is no shell", async (place) => {
    const sleep = new TextDecoder().decode(
      (await new Deno.Command("which", { args: ["sleep"] }).output()).stdout,
    );
    const root = await makeRoot(place, { klatch: place.binary, sleep: sleep.trim() });
    const inside = `mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; mount -t proc proc "$0/proc"
      ! test -w "$0/sleep" && exec chroot "$0" /klatch "$@"`;
    const words = place.words(["--kubeconfig", "/config", "-k", "100ms"], ["/sleep", "600"]);
    const running = place.klatch(["--mount", "sh", "-c", inside, root, ...words], { binary: "unshare" });
    await running.line("stderr", /acquired/);
    await until(() => childrenOf(running.pid, "sleep").length === 1);
    const [command] = childrenOf(running.pid, "sleep");
    const guard = await guardOf(running.pid);
    running.signal("SIGKILL");
    await until(() => !runs(command!) && !runs(guard));
    assertStringIncludes((await running.finished).stderr, "klatch guard: klatch was killed");
  }, noMounts);

  test("works for a user without rights", async (place) => {
    const config = place.file("config");
    await Deno.copyFile(place.server.kubeconfigFile, config);
    await Deno.chmod(place.dir, 0o755);
    await Deno.chmod(config, 0o644);
    const binary = place.file("klatch");
    await Deno.copyFile(place.binary, binary);
    await Deno.chmod(binary, 0o755);
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups", binary];
    const flags = ["--kubeconfig", config, ...QUICK_FLAGS];
    const deaf = `trap '' TERM; (echo "all $$ $(sh -c 'echo $PPID')."; ${FOREVER}); ${FOREVER}`;
    // With the portable layer the kernel kills nobody.
    for (const both of isPortable ? [false] : [false, true]) {
      const running = place.klatch([...user, ...place.words(flags, ["sh", "-c", deaf])], {
        binary: "setpriv",
      });
      const line = await running.line("stdout", /all \d+ \d+\./);
      const pids = /all (\d+) (\d+)\./.exec(line)!.slice(1).map(Number);
      assertEquals(pids.filter(runs), pids);
      const guard = await guardOf(running.pid);
      send("SIGKILL", running.pid, ...(both ? [guard] : []));
      const heir = await place.run(QUICK_FLAGS, census(pids));
      assertEquals(heir.stdout, "left:\n");
    }
  }, noUser);

  test("works where klatch is PID 1", async (place) => {
    const namespace = ["--pid", "--fork", "--mount-proc", place.binary];
    const normal = await place.klatch([...namespace, ...place.words([], ["sh", "-c", "exit 7"])], {
      binary: "unshare",
    }).finished;
    assertEquals(normal.code, 7);
    const running = place.klatch(
      [
        ...namespace,
        ...place.words(QUICK_FLAGS, ["sh", "-c", `trap 'echo told; exit 0' TERM; echo ready; ${FOREVER}`]),
      ],
      { binary: "unshare" },
    );
    await running.line("stdout", /ready/);
    const [klatch] = childrenOf(running.pid, "klatch");
    assertEquals(guardsOf(klatch!).length, 1);
    send("SIGSTOP", klatch!);
    await running.line("stdout", /told/);
    send("SIGCONT", klatch!);
    assertEquals((await running.finished).code, 123);
  }, noPids);

  test("works where klatch is a child of PID 1, in its session, that reaps nothing", async (place) => {
    const deaf = `trap '' TERM; echo ready; ${FOREVER}`;
    for (const stopped of [false, true]) {
      const words = [place.binary, ...place.words(QUICK_FLAGS, ["sh", "-c", deaf])];
      const init = `${shellLine(words)} & read line; exit 0`;
      const running = place.klatch(["--pid", "--fork", "--mount-proc", "sh", "-c", init], {
        binary: "unshare",
        stdin: "open",
      });
      await running.line("stdout", /ready/);
      const [one] = childrenOf(running.pid, "sh");
      const [klatch] = childrenOf(one!, "klatch");
      const guard = await guardOf(klatch!);
      const [command] = childrenOf(klatch!, "sh");
      if (stopped) send("SIGSTOP", guard);
      send("SIGKILL", klatch!);
      await until(() => !runs(command!) && !runs(guard));
      assertEquals(runs(one!), true);
      await running.closeStdin();
      await running.finished;
      await until(() => leftovers().length === 0);
    }
  }, noPids);

  test(
    "on a terminal finds the command of a klatch that is killed, the moment that it has started it or later",
    async (place) => {
      const deaf = `trap '' TERM; echo child $$.; ${FOREVER}`;
      for (const kill of ["kill -9 $PPID;", ""]) {
        const script = `trap '' TERM; ${kill} sh -c ${
          shellLine([deaf])
        } & echo "parent $$ klatch $PPID."; ${FOREVER}`;
        const words = [place.binary, ...place.words(["-q", ...QUICK_FLAGS], ["sh", "-c", script])];
        const line = `${
          shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
        }; sleep 600`;
        await using terminal = startOnTerminal(line);
        const pids = (await terminal.seen(/(?:.|\s)*parent (\d+) klatch \d+\./)).map(Number);
        pids.push(Number((await terminal.seen(/child (\d+)\./))[0]));
        if (kill === "") {
          const [klatch] = (await terminal.seen(/klatch (\d+)\./)).map(Number);
          assertEquals(pids.map((pid) => processStat(pid)?.pgid), [
            processStat(klatch!)?.pgid,
            processStat(klatch!)?.pgid,
          ]);
          send("SIGKILL", klatch!);
        }
        const heir = await place.run(QUICK_FLAGS, census(pids));
        assertEquals([heir.code, heir.stdout], [0, "left:\n"]);
      }
    },
    noTerminal,
  );

  test("on a terminal acts when klatch is stopped, and not on Ctrl-C", async (place) => {
    const script = `trap 'echo int.' INT; trap 'echo told.; exit 0' TERM; echo "klatch $PPID."; ${FOREVER}`;
    const words = [place.binary, ...place.words(["-q", ...QUICK_FLAGS], ["sh", "-c", script])];
    // The shell between stays, since script(1) stops itself when its child is stopped, and survives Ctrl-C.
    const line = `trap : INT; ${
      shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
    }; exit $?`;
    await using terminal = startOnTerminal(line);
    const [klatch] = (await terminal.seen(/klatch (\d+)\./)).map(Number);
    const guard = await guardOf(klatch!);
    await terminal.type("\x03");
    await terminal.seen(/(int)\./);
    assertEquals(await guardOf(klatch!), guard);
    send("SIGSTOP", klatch!);
    await terminal.seen(/(told)\./);
    send("SIGCONT", klatch!);
    assertEquals((await terminal.end()).code, 123);
  }, noTerminal);

  test("on a terminal and klatch both killed: the kernel kills the command itself", async (place) => {
    const script = `trap '' TERM; echo "pids $$ $PPID."; ${FOREVER}`;
    const words = [place.binary, ...place.words(["-q"], ["sh", "-c", script])];
    const line = `exec ${
      shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
    }; sleep 600`;
    await using terminal = startOnTerminal(line);
    const [command, klatch] = (await terminal.seen(/pids (\d+) (\d+)\./)).map(Number);
    send("SIGKILL", await guardOf(klatch!), klatch!);
    await until(() => !runs(command!));
  }, noTerminal);
}, sandboxOnly());

describe("a number that means another process by now", () => {
  it("gets no signal", async () => {
    const other = spawnCommand({ argv: ["sleep", "600"], group: "own" });
    const stale = terminalTree({ pid: other.pid, startTime: other.startTime - 1 });
    assertEquals(stale.alive(), []);
    stale.signal(9);
    const known = terminalTree(other);
    assertEquals([known.alive(), runs(other.pid)], [[other.pid], true]);
    known.signal(15);
    assertEquals(await other.exit, { signal: 15 });
  });
});
