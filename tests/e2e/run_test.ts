/**
 * `klatch run` that gets the lock: what it says, and the status it ends with.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { leftovers, linesOf, onServers, type Place, QUICK_FLAGS } from "./place.ts";

onServers("run", (test) => {
  test("leaves stdout to the command and speaks on stderr", async (place) => {
    const { code, stdout, stderr } = await place.run([], ["echo", "hello"]);
    assertEquals([code, stdout], [0, "hello\n"]);
    const [acquired = "", released = "", ...more] = linesOf(stderr);
    assertMatch(acquired, new RegExp(`^klatch: acquired ${place.namespace}/${place.name} \\(token \\d+\\)$`));
    assertMatch(released, new RegExp(`^klatch: released ${place.namespace}/${place.name} after [\\d.]+ s$`));
    assertEquals(more, []);
  });

  test("says nothing under -q", async (place) => {
    const { code, stdout, stderr } = await place.run(["-q"], ["echo", "hello"]);
    assertEquals([code, stdout, stderr], [0, "hello\n", ""]);
  });

  test("writes JSON under -o json, one object a line, with the same fields in each", async (place) => {
    const holder = await place.holder(["-i", "alice", "--reason", "release 7"]);
    const running = place.spawn(["-o", "json", "-i", "bob"], ["echo", "hello"]);
    await running.line("stderr", /waiting/);
    await holder.closeStdin();
    const { code, stdout, stderr } = await running.finished;
    assertEquals([code, stdout], [0, "hello\n"]);
    const lines = linesOf(stderr).map((line) => JSON.parse(line));
    assertEquals(lines.map((line) => line.event), ["waiting", "acquired", "released"]);
    for (const line of lines) assertHead(line, place);
    const [waiting, acquired, released] = lines;
    assertEquals([waiting.holders[0].identity, waiting.holders[0].reason], ["alice", "release 7"]);
    assert(!Number.isNaN(Date.parse(waiting.holders[0].since)), stderr);
    assertMatch(acquired.token, /^[1-9]\d*$/);
    assert(released.confirmed === true && released.heldMs >= 0, stderr);
  });

  test("writes its failure as JSON too", async (place) => {
    await place.holder(["-i", "alice"]);
    const { code, stderr } = await place.run(["-o", "json", "-w", "0"], ["true"]);
    assertEquals(code, 124);
    const error = JSON.parse(linesOf(stderr).at(-1) ?? "");
    assertHead(error, place);
    assertEquals([error.event, error.code], ["error", "timeout"]);
    assertStringIncludes(error.message, "alice");
  });

  for (const status of [0, 1, 7, 255]) {
    test(`ends with the command's own status ${status}`, async (place) => {
      const { code } = await place.run([], ["sh", "-c", `exit ${status}`]);
      assertEquals(code, status);
      assertEquals(await place.holders(), []);
    });
  }

  for (const [signal, status] of [["TERM", 143], ["KILL", 137], ["SEGV", 139], ["PIPE", 141]] as const) {
    test(`ends with ${status} when ${signal} ended the command`, async (place) => {
      const { code, signal: own } = await place.run([], ["sh", "-c", `kill -${signal} $$`]);
      assertEquals([code, own], [status, null]);
      assertEquals(await place.holders(), []);
    });
  }

  test("ends with 127 where there is no such command, and gives the lock back at once", async (place) => {
    for (const command of ["no-such-command-here", "/no/such/command"]) {
      const { code, stderr } = await place.run([], [command]);
      assertEquals(code, 127);
      assertMatch(linesOf(stderr).at(-1) ?? "", new RegExp(`^klatch: cannot run "${command}": \\S.*`));
      assertEquals(await place.holders(), []);
    }
  });

  test("ends with 126 where the command cannot be executed, and gives the lock back at once", async (place) => {
    await Deno.writeTextFile(place.file("data"), "no program\n", { mode: 0o644 });
    for (const command of [place.file("data"), "/"]) {
      const { code, stderr } = await place.run([], [command]);
      assertEquals(code, 126);
      assertStringIncludes(linesOf(stderr).at(-1) ?? "", `cannot run "${command}"`);
      assertEquals(await place.holders(), []);
    }
  });

  test("ends with 123 and stops the command when another takes the lock by force", async (place) => {
    const running = await place.holder([...QUICK_FLAGS]);
    await place.seize("thief");
    const { code, stderr } = await running.finished;
    assertEquals(code, 123);
    assertEquals(leftovers(), []);
    assertMatch(linesOf(stderr).at(-1) ?? "", /^klatch: lost .*thief/);
    assertEquals(await place.holders(), ["thief"]);
  });

  test("ends with 123 and stops the command when the object is deleted", async (place) => {
    const running = await place.holder([...QUICK_FLAGS]);
    await place.bench.remove();
    const { code, stderr } = await running.finished;
    assertEquals(code, 123);
    assertEquals(leftovers(), []);
    assertMatch(linesOf(stderr).at(-1) ?? "", /^klatch: lost .*deleted/);
    assertEquals(await place.bench.client.get(place.bench.ref), undefined);
  });

  test("ends with 123 when the loss comes out only after the command's end", async (place) => {
    const running = await place.holder();
    await place.seize("thief");
    await running.closeStdin();
    const { code, stderr } = await running.finished;
    assertEquals(code, 123);
    assertMatch(linesOf(stderr).at(-1) ?? "", /^klatch: lost /);
    assertEquals(await place.holders(), ["thief"]);
  });
});

/** What every line of `-o json` has. */
function assertHead(line: Record<string, unknown>, place: Place): void {
  const { time, event, lock, namespace, strategy, message } = line;
  assert(!Number.isNaN(Date.parse(String(time))), String(time));
  assertEquals([lock, namespace, strategy], [place.name, place.namespace, "lease"]);
  assertMatch(String(event), /^[a-z-]+$/);
  assert(typeof message === "string" && message !== "" && !message.includes("\n"), String(message));
}
