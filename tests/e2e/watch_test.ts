/**
 * `klatch watch`: a line for each change, and on a terminal a screen that is refreshed in place and left clean.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../contract/bench.ts";
import { canRun } from "../support/processes.ts";
import { onServers } from "./place.ts";

onServers("watching locks", (test) => {
  test("writes a line for each change where there is no terminal", async (place) => {
    const watching = place.klatch(["watch", place.name, "-n", place.namespace]);
    await watching.line("stdout", /free/);
    const holder = await place.holder(["-i", "ci-7"]);
    await watching.line("stdout", /lease +held +ci-7/);
    await holder.closeStdin();
    await holder.finished;
    await until(() => (watching.stdout.match(/ free /g) ?? []).length === 2);
    watching.signal("SIGINT");
    const { code, stdout } = await watching.finished;
    assertEquals([code, stdout.includes("\x1b")], [0, false]);
  });

  test("writes an object for each change of any lock with -o json", async (place) => {
    const watching = place.klatch(["watch", "-n", place.namespace, "-o", "json"]);
    const holder = await place.holder(["-i", "ci-7"]);
    const line = await watching.line("stdout", new RegExp(`"name":"${place.name}".*ci-7`));
    assertEquals(JSON.parse(line).state, "held");
    watching.signal("SIGTERM");
    assertEquals((await watching.finished).code, 0);
    await holder.closeStdin();
    await holder.finished;
  });

  test("refreshes a terminal in place, fits its size, and leaves it as it was", async (place) => {
    const socket = place.file("tmux");
    const tmux = async (...words: string[]) => {
      const { stdout } = await place.klatch(["-S", socket, ...words], {
        binary: "/usr/bin/tmux",
        env: { TERM: "xterm" },
      })
        .finished;
      return stdout;
    };
    const shown = () => tmux("capture-pane", "-p");
    await place.holder(["-i", "ci-7"]);
    for (const identity of ["w1", "w2", "w3", "w4"]) {
      const waiter = place.spawn(["-i", identity], ["true"]);
      await waiter.line("stderr", /in line/);
    }
    const line =
      `"${place.binary}" watch ${place.name} -n ${place.namespace}; echo "ended with $?"; exec cat`;
    await tmux("new-session", "-d", "-x", "90", "-y", "30", "sh", "-c", `trap : INT; echo before; ${line}`);
    try {
      let text = "";
      await until(async () => /w4/.test(text = await shown()));
      assertMatch(text, /^Holder: +ci-7$/m);
      assertMatch(text, /^ {2}1 +w1 +\d+ s$/m);
      assert(!text.includes("before"));
      await tmux("resize-window", "-x", "90", "-y", "8");
      await until(async () => /… and \d+ more lines/.test(text = await shown()));
      await tmux("send-keys", "C-c");
      await until(async () => /ended with 0/.test(text = await shown()));
      assert(!text.includes("Holder"), text);
    } finally {
      await tmux("kill-server");
    }
  }, canRun("tmux", "-V") ? undefined : "needs tmux");
});
