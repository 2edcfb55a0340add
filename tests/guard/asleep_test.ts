/**
 * A guard that sleeps at first: whatever happens to it and to klatch meanwhile, the command ends in time. The compiled
 * binary with its default timing, on the sandbox.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { leftovers, onServers, type Place } from "../e2e/place.ts";
import { FOREVER, guardOf, guardsOf, send } from "../support/guards.ts";
import { LongSecond } from "../support/long_second.ts";
import { commandLine } from "../support/marked_processes.ts";
import { runs, until } from "../support/processes.ts";
import { sandboxOnly } from "../support/servers.ts";

/** A command that has just begun and runs until it is told to end, and its guard, which sleeps until it is over. */
async function begun(place: Place) {
  const second = new LongSecond(place.dir);
  const running = place.spawn([], ["sh", "-c", `echo "pid $$"; ${FOREVER}`], { env: second.env });
  const command = Number((await running.line("stdout", /pid \d+/)).slice(4));
  const [guard = 0] = guardsOf(running.pid);
  assertMatch(commandLine(guard) ?? "", /^\/bin\/sh -c trap .*; \{ sleep 1 /);
  return { running, command, guard, over: () => second.over() };
}

onServers("a guard that sleeps at first", (test) => {
  test("becomes one, and is the same process", async (place) => {
    const { running, guard, over } = await begun(place);
    over();
    assertEquals(await guardOf(running.pid), guard);
    running.signal("SIGTERM");
    await running.finished;
    assertEquals(leftovers(), []);
  });

  test("ends with a command that is over before", async (place) => {
    const short = await place.run([], ["true"]);
    assertEquals([short.code, leftovers()], [0, []]);
  });

  test("asks the command to end when klatch was killed meanwhile, and says so", async (place) => {
    const { running, command, guard, over } = await begun(place);
    running.signal("SIGKILL");
    over();
    const { stderr } = await running.finished;
    assertStringIncludes(stderr, "klatch guard: klatch was killed: the command is asked to end");
    assertEquals(runs(command), false);
    await until(() => !runs(guard));
  });

  test("does so though it was stopped: the kernel wakes it at klatch's end", async (place) => {
    const { running, command, guard, over } = await begun(place);
    send("SIGSTOP", guard);
    running.signal("SIGKILL");
    over();
    await until(() => !runs(command) && !runs(guard));
  });

  test("leaves nothing running when both are killed", async (place) => {
    const { running, command, guard, over } = await begun(place);
    send("SIGKILL", guard, running.pid);
    await until(() => !runs(command));
    over();
    await until(() => leftovers().length === 0);
  });

  test("is replaced when it is killed, and the command goes on", async (place) => {
    const { running, command, guard, over } = await begun(place);
    send("SIGKILL", guard);
    over();
    const next = await guardOf(running.pid, [guard]);
    assertEquals(runs(command), true);
    running.signal("SIGKILL");
    await until(() => !runs(command) && !runs(next));
  });

  test("acts at the deadline when klatch is stopped before it has woken up", async (place) => {
    const { running, command, over } = await begun(place);
    running.signal("SIGSTOP");
    over();
    await until(() => !runs(command));
    running.signal("SIGCONT");
    assertEquals((await running.finished).code, 123);
  });

  test("is not needed at the deadline when both are stopped: the kernel wakes klatch", async (place) => {
    const { running, command, guard, over } = await begun(place);
    send("SIGSTOP", guard, running.pid);
    over();
    await until(() => !runs(command));
    assertEquals((await running.finished).code, 123);
    await until(() => !runs(guard));
  });
}, sandboxOnly());
