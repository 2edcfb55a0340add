/**
 * `klatch run` that has to wait: how long, for whom, and how it leaves.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { canRun, shellLine, startOnTerminal } from "../support/processes.ts";
import { Witness } from "../support/witness.ts";
import { linesOf, onServers, QUICK_FLAGS } from "./place.ts";

onServers("waiting", (test) => {
  for (const wait of ["0", "500ms"]) {
    test(`gives up with 124 after --wait ${wait}, naming the holder, and does not run the command`, async (place) => {
      await place.holder(["-i", "alice", "--reason", "release 7"]);
      const { code, stderr } = await place.run(["-w", wait], ["touch", place.file("ran")]);
      assertEquals(code, 124);
      assertMatch(
        linesOf(stderr).at(-1) ?? "",
        /^klatch: did not acquire .*: held by alice for [\d.a-z ]+ \(reason: release 7\);/,
      );
      assertEquals(place.has("ran"), false);
      assertEquals(await place.holders(), ["alice"]);
    });
  }

  test("waits no less than --wait says", async (place) => {
    await place.holder();
    const { code, durationMs } = await place.run(["-w", "1500ms"], ["true"]);
    assertEquals(code, 124);
    assert(durationMs >= 1500, `${durationMs}`);
  });

  for (const status of [9, 0]) {
    test(`gives up with the status ${status} of -E`, async (place) => {
      await place.holder();
      const { code } = await place.run(["-w", "0", "-E", `${status}`], ["touch", place.file("ran")]);
      assertEquals(code, status);
      assertEquals(place.has("ran"), false);
    });
  }

  test("-E changes no other status", async (place) => {
    assertEquals((await place.run(["-E", "9"], ["sh", "-c", "exit 124"])).code, 124);
    assertEquals((await place.run(["-E", "9"], ["no-such-command-here"])).code, 127);
  });

  test("says for whom it waits, since when and why, and acquires when that one is done", async (place) => {
    const holder = await place.holder(["-i", "alice", "--reason", "release 7"]);
    const running = place.spawn(["-w", "1h"], ["echo", "mine"]);
    const line = await running.line("stderr", /waiting/);
    assertMatch(
      line,
      /^klatch: waiting for \S+: held by alice for \d+ s \(reason: release 7\), next in line$/,
    );
    assertEquals(running.stdout, "");
    await holder.closeStdin();
    const { code, stdout } = await running.finished;
    assertEquals([code, stdout], [0, "mine\n"]);
  });

  test("says it in place on a terminal, in one row however long it is", async (place) => {
    const holder = await place.holder(["-i", "alice", "--reason", "long ".repeat(40)]);
    const words = [
      "env",
      `KUBECONFIG=${place.server.kubeconfigFile}`,
      place.binary,
      ...place.words([], ["true"]),
    ];
    await using terminal = startOnTerminal(`stty cols 60; exec ${shellLine(words)}`);
    await terminal.seen(/waiting 1 s for \S+: held by (alice)/);
    await holder.closeStdin();
    const { code, out } = await terminal.end();
    assertEquals(code, 0);
    const [inPlace = "", after = ""] = out.split("klatch: acquired");
    assertEquals(inPlace.includes("\n"), false, out);
    // Wrapping is off for each of the texts and on again after it; the last one is wiped out.
    // deno-lint-ignore no-control-regex -- escape sequences are what it is about
    const refreshed = /^(\r\x1b\[K\x1b\[\?7lklatch: waiting \d+ s for [^\r\x1b]+\x1b\[\?7h){2,}\r\x1b\[K$/;
    assertMatch(inPlace, refreshed);
    assertMatch(after, /^ .*\r\nklatch: released .*\r\n$/);
  }, canRun("script", "--version") ? undefined : "needs script(1)");

  test("says it in one line that does not steer the terminal, whatever the holder wrote", async (place) => {
    await place.holder(["-i", "al\x1b[2Jice", "--reason", "two\nlines \x1b]0;title\x07"]);
    const { code, stderr } = await place.run(["-w", "300ms"], ["true"]);
    assertEquals(code, 124);
    for (const line of linesOf(stderr)) assertMatch(line, /^klatch: [^\p{Cc}]+$/u);
    assertMatch(stderr, /held by al \[2Jice for \d+ s \(reason: two lines +\]0;title \)/);
  });

  test("escapes what the holder wrote in JSON, and gives it back unchanged", async (place) => {
    const reason = "a\u202eb\u2028c\u200bd\x85e\x7f##[error]f\n::error::g";
    await place.holder(["-i", "alice", "--reason", reason]);
    const { code, stderr } = await place.run(["-o", "json", "-w", "300ms"], ["true"]);
    assertEquals(code, 124);
    for (const line of linesOf(stderr)) assertMatch(line, /^\{[\x20-\x7e]+\}$/);
    assertEquals(stderr.includes("##["), false, stderr);
    assertEquals(JSON.parse(linesOf(stderr)[0] ?? "").holders[0].reason, reason);
  });

  test("folds waiting into a group under -o github, and adds a table to the step's summary", async (place) => {
    const holder = await place.holder(["-i", "alice", "--reason", "x\n::error::y ##[error]z"]);
    const summary = place.file("summary");
    await Deno.writeTextFile(summary, "before\n");
    const env = { GITHUB_STEP_SUMMARY: summary };
    const running = place.spawn(["-o", "github"], ["echo", "mine"], { env });
    await running.line("stderr", /held by alice/);
    await holder.closeStdin();
    const { code, stdout, stderr } = await running.finished;
    assertEquals([code, stdout], [0, "mine\n"]);
    const lines = linesOf(stderr);
    assertMatch(lines[0] ?? "", /^::group::klatch: waiting for /);
    assertEquals(lines.includes("::endgroup::"), true, stderr);
    assertMatch(stderr, /^::notice title=klatch%3A lock acquired::acquired .*\n/m);
    assertEquals(lines.filter((line) => /^::error|##\[/.test(line)), []);
    assertMatch(await Deno.readTextFile(summary), /^before\n[^]*\| lease \| released \| [\d.]+ s \|/);
  });

  test("waits in silence under -q", async (place) => {
    const holder = await place.holder();
    const running = place.spawn(["-q"], ["echo", "mine"]);
    // One that came later and speaks shows that the silent one has had its time to speak.
    await place.spawn([], ["true"]).line("stderr", /waiting/);
    await holder.closeStdin();
    const { code, stdout, stderr } = await running.finished;
    assertEquals([code, stdout, stderr], [0, "mine\n", ""]);
  });

  for (const [signal, status] of [["INT", 130], ["TERM", 143], ["HUP", 129], ["QUIT", 131]] as const) {
    test(`leaves with ${status} when ${signal} comes, and blocks nobody`, async (place) => {
      const holder = await place.holder(["-i", "alice"]);
      const running = place.spawn([], ["touch", place.file("ran")]);
      await running.line("stderr", /waiting/);
      running.signal(`SIG${signal}`);
      // The lock is still held when it leaves, so it did not leave because its turn had come.
      const { code, signal: own, stderr } = await running.finished;
      assertEquals([code, own], [status, null]);
      assertMatch(linesOf(stderr).at(-1) ?? "", new RegExp(`^klatch: stopped waiting .*${signal} came`));
      assertEquals(await place.holders(), ["alice"]);
      await holder.closeStdin();
      await holder.finished;
      assertEquals((await place.run(["-w", "0"], ["true"])).code, 0);
      assertEquals(place.has("ran"), false);
    });
  }

  test("goes on waiting when the terminal's size changes, or a signal comes that it was told to ignore", async (place) => {
    const holder = await place.holder();
    const running = place.shell("trap '' HUP; exec \"$@\"", [], ["echo", "mine"]);
    await running.line("stderr", /waiting/);
    running.signal("SIGWINCH");
    running.signal("SIGHUP");
    await holder.closeStdin();
    const { code, stdout } = await running.finished;
    assertEquals([code, stdout], [0, "mine\n"]);
  });

  test("takes a dead holder's lock over when its lease duration has passed, and not before", async (place) => {
    const witness = await Witness.create();
    const dead = place.spawn([...QUICK_FLAGS, "-i", "alice"], witness.command("dead", ["sleep", "600"]));
    await witness.entered("dead");
    dead.signal("SIGKILL");
    await dead.exited;
    const heir = await place.run([...QUICK_FLAGS], witness.command("heir"));
    assertEquals(heir.code, 0);
    assert(heir.durationMs >= 3_000, `${heir.durationMs}`);
    assertStringIncludes(heir.stderr, "from alice (its lease expired)");
    await witness.assertNeverMoreThan(1);
    await witness.remove();
  });
});
