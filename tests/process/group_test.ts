/**
 * The process group of a command: whose it is, who belongs to it, and when it is gone. On real processes.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { processGroup } from "../../lib/process/linux/group.ts";
import { kill } from "../../lib/process/linux/libc/signals.ts";
import { processesOf, processStat } from "../../lib/process/linux/proc.ts";
import type { SpawnedCommand } from "../../lib/process/layer.ts";
import type { CommandGuard } from "../../lib/process/run.ts";
import { spawnCommand } from "../../lib/process/linux/spawn.ts";
import { attributes } from "../../lib/process/linux/spawn_attributes.ts";
import { withStrays } from "../../lib/process/linux/strays.ts";
import { type NotPortable, portableIt } from "../support/layer.ts";
import { canRun, probeWords, run, Running, runs, until } from "../support/processes.ts";

/** What the portable layer does not promise. */
const NOT_PORTABLE: NotPortable = {
  "of a guard": "a command joins no group",
  "reaps as PID 1": "orphans are reaped by the system's own PID 1",
};

describe("the process group", () => {
  it("is the command's own, in klatch's session", async () => {
    const command = spawnCommand({ argv: ["sleep", "600"], group: "own" });
    const stat = processStat(command.pid);
    assertEquals([stat?.pgid, stat?.session], [command.pid, processStat("self")?.session]);
    assertEquals([command.pgid, command.startTime], [command.pid, stat?.startTime]);
    processGroup(command.pgid).signal(9);
    assertEquals(await command.exit, { signal: 9 });
  });

  it("can be one that exists already: the guard's, who is not part of the command", async () => {
    const guard = spawnCommand({
      argv: ["sh", "-c", "trap '' TERM; while :; do sleep 600; done"],
      group: "own",
    });
    try {
      const inside = `read -r _ _ _ _ pgid _ < /proc/self/stat; test "$pgid" = ${guard.pgid} && exit 3`;
      // The guard of this test has a child, as one that sleeps at first has.
      await until(() => processesOf("getpgid", guard.pgid).length === 2);
      assertEquals(processGroup(guard.pgid).alive().length, 2);
      const command = spawnCommand({ argv: ["sleep", "600"], group: { join: guard.pgid } });
      assertEquals(processGroup(guard.pgid, () => [guard.pid]).alive(), [command.pid]);
      kill(command.pid, 9);
      await command.exit;
      assertEquals(processGroup(guard.pgid, () => [guard.pid]).alive(), []);
      assertEquals(
        (await spawnCommand({ argv: ["sh", "-c", inside], group: { join: guard.pgid } }).exit).code,
        3,
      );
    } finally {
      processGroup(guard.pgid).signal(9);
      await guard.exit;
    }
  });

  it("is killed one by one before the group is, since a guard's own end leaves nobody to see who has left", async () => {
    const commands = [spawnCommand({ argv: ["sleep", "600"], group: "own" })];
    const [{ pgid }] = commands as [SpawnedCommand];
    commands.push(spawnCommand({ argv: ["sleep", "600"], group: { join: pgid } }));
    const leftMeanwhile = { signal() {}, alive: () => [] };
    withStrays(leftMeanwhile, { by: "getpgid", id: pgid }, undefined, undefined).signal(9);
    assertEquals(await Promise.all(commands.map(({ exit }) => exit)), [{ signal: 9 }, { signal: 9 }]);
  });

  portableIt("of a guard is not waited for when the command has ended", NOT_PORTABLE, async () => {
    const guard = spawnCommand({ argv: ["sleep", "600"], group: "own" });
    const said: string[] = [];
    const asGuard: CommandGuard = {
      pgid: guard.pgid,
      guards: () => [guard.pid],
      start: (spawn) => spawn({ handed: [] }),
      killing: () => {},
    };
    assertEquals(await run(["sh", "-c", "exit 3"], { guard: asGuard, said }), { status: 3 });
    assertEquals([said, runs(guard.pid)], [[], true]);
    processGroup(guard.pgid).signal(9);
    await guard.exit;
  });

  it("that does not exist cannot be joined", async () => {
    const command = spawnCommand({ argv: ["true"], group: "own" });
    await command.exit;
    const error = assertThrows(
      () => spawnCommand({ argv: ["true"], group: { join: command.pgid } }),
      KlatchError,
    );
    assertEquals(error.code, "internal");
    assertStringIncludes(error.line, String(command.pgid));
  });

  it("has no members when all that is left of it is a zombie", async () => {
    // exec keeps the child, and a shell that became `sleep` never waits for it.
    const script = "(exec sleep 600) & exec sleep 600";
    const parent = spawnCommand({ argv: ["sh", "-c", script], group: "own" });
    await until(() => processesOf("getpgid", parent.pgid).length === 2);
    const child = processesOf("getpgid", parent.pgid).find(({ pid }) => pid !== parent.pid)!;
    Deno.kill(child.pid, "SIGKILL");
    await until(() => processStat(child.pid)?.state === "Z");
    assertEquals(processGroup(parent.pgid).alive(), [parent.pid]);
    assertEquals(processGroup(parent.pgid, () => [parent.pid]).alive(), []);
    processGroup(parent.pgid).signal(9);
    await parent.exit;
  });

  it("is described to the C library as the C library itself would", () => {
    const libc = Deno.dlopen("libc.so.6", {
      posix_spawnattr_getflags: { parameters: ["buffer", "buffer"], result: "i32" },
      posix_spawnattr_getpgroup: { parameters: ["buffer", "buffer"], result: "i32" },
      posix_spawnattr_getsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
      posix_spawnattr_getsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
    });
    const bytes = attributes({ join: 4711 });
    const read = (get: keyof typeof libc.symbols, length: number) => {
      const answer = new Uint8Array(new ArrayBuffer(length));
      assertEquals(libc.symbols[get](bytes, answer), 0);
      return answer;
    };
    const setGroupDefaultsAndMask = 0x02 | 0x04 | 0x08;
    assertEquals([...read("posix_spawnattr_getflags", 2)], [setGroupDefaultsAndMask, 0]);
    assertEquals(new DataView(read("posix_spawnattr_getpgroup", 4).buffer).getInt32(0, true), 4711);
    assertEquals(read("posix_spawnattr_getsigmask", 128), new Uint8Array(128));
    const defaults = read("posix_spawnattr_getsigdefault", 128);
    assertEquals([defaults[1], defaults[8], defaults[127]], [0xff, 0, 0]);
    libc.close();
  });

  it("has its orphaned zombies reaped where they are left to klatch", async () => {
    const PR_SET_CHILD_SUBREAPER = 36;
    const libc = Deno.dlopen("libc.so.6", {
      prctl: { parameters: ["i32", "usize"], result: "i32" },
    });
    assertEquals(libc.symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n), 0);
    const command = spawnCommand({ argv: ["sh", "-c", "sleep 600 & exit 0"], group: "own" });
    await command.exit;
    const group = processGroup(command.pgid);
    const [orphan] = group.alive();
    assertEquals(processStat(orphan!)?.ppid, Deno.pid);
    group.signal(9);
    await until(() => processStat(orphan!)?.state === "Z");
    assertEquals([group.alive(), processStat(orphan!)], [[], undefined]);
    libc.symbols.prctl(PR_SET_CHILD_SUBREAPER, 0n);
    libc.close();
  });

  /** Runs something as PID 1. */
  const inside = ["unshare", "--pid", "--fork", "--mount-proc"] as const;
  const noNamespaces = canRun(...inside, "setsid", "true") ? undefined : "needs PID namespaces and setsid";

  it("leaves orphans to klatch when it is PID 1, whose zombies keep nothing waiting", {
    skip: noNamespaces !== undefined,
  }, async () => {
    // The command ends first; what it leaves ends soon and becomes a zombie of klatch.
    const script = `echo "$PPID"; (sleep 0.1; exec sleep 0.1) & exit 3`;
    await using probe = new Running([...inside, ...probeWords({ patience: 100 }, ["sh", "-c", script])]);
    assertEquals(await probe.end(), { code: 3, out: "1\n", err: "" });
  });

  portableIt("reaps as PID 1 every orphan, also one that has left the group", NOT_PORTABLE, async () => {
    // The orphans leave by setsid, end at once, and are zombies until somebody reaps them.
    const script = `for i in 1 2 3; do (setsid sh -c : &); done
      zombies() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c '^[0-9]* (.*) Z 1 '; }
      until [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 20 ] && [ "$(zombies)" = 0 ]; do sleep 0.05; done; echo none`;
    await using probe = new Running([...inside, ...probeWords({}, ["sh", "-c", script])]);
    assertEquals(await probe.end(), { code: 0, out: "none\n", err: "" });
  }, noNamespaces);
});
