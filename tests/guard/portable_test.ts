/**
 * The guard of the portable process layer, which macOS has, on Linux: a short part of `guard_test.ts`, all of which runs
 * with `KLATCH_PROCESS_LAYER=portable`, less what that layer does not promise.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { leftovers, onServers, QUICK_FLAGS } from "../e2e/place.ts";
import { census, DEAF, guardsOf, pidsIn, send } from "../support/guards.ts";
import { runs, until } from "../support/processes.ts";
import { sandboxOnly } from "../support/servers.ts";

const PORTABLE = { KLATCH_PROCESS_LAYER: "portable" } as const;
/** A hold that is soon over. */
const SOON = ["-k", "0", "--lease-duration", "1s", "--renew-deadline", "800ms", "--retry-period", "200ms"];

onServers("the portable guard", (test) => {
  for (const fault of ["SIGKILL", "SIGSTOP"] as const) {
    test(`ends a command that ignores TERM before another gets in, when klatch gets ${fault}`, async (place) => {
      place.moreEnv = PORTABLE;
      const first = place.spawn([...QUICK_FLAGS, "-i", "first"], ["sh", "-c", DEAF], {
        env: { DIR: place.dir },
      });
      const pids = pidsIn(await first.line("stdout", /all [\d ]+\./));
      assertEquals([pids.length, pids.filter(runs)], [3, pids]);
      const heir = place.spawn(QUICK_FLAGS, census(pids));
      await heir.line("stderr", /waiting/);
      first.signal(fault);
      const { code, stdout } = await heir.finished;
      assertEquals([code, stdout], [0, "left:\n"]);
      send("SIGCONT", first.pid);
      const ended = await first.finished;
      if (fault === "SIGSTOP") assertEquals(ended.code, 123);
      assertStringIncludes(ended.stderr, "the command did not end in time: killed it");
      await until(() => leftovers().length === 0);
    });
  }

  test("knows the command of a klatch that is killed the moment it has started it", async (place) => {
    place.moreEnv = PORTABLE;
    for (let i = 0; i < 3; i++) {
      const { stdout } = await place.run(SOON, [
        "sh",
        "-c",
        `trap '' TERM; kill -9 $PPID; echo "all $$."; ${DEAF}`,
      ], {
        env: { DIR: place.dir },
      });
      assertMatch(stdout, /^all \d+\.\n/);
      await until(() => !pidsIn(stdout).some(runs));
      await until(() => leftovers().length === 0);
    }
  });

  test("that is killed is replaced, and the command goes on", async (place) => {
    place.moreEnv = PORTABLE;
    const running = place.spawn(QUICK_FLAGS, ["sh", "-c", `echo ready; read line; exit 5`], {
      stdin: "open",
    });
    await running.line("stdout", /ready/);
    send("SIGKILL", ...guardsOf(running.pid));
    await running.line("stderr", /starting another/);
    await running.write("go on\n");
    assertEquals((await running.finished).code, 5);
    assertEquals(leftovers(), []);
  });
}, sandboxOnly());
