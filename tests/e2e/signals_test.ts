/**
 * Signals to the compiled klatch while its command runs, and the end of all that the command started.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { canRun, shellLine, startOnTerminal } from "../support/processes.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { isAlive } from "../support/watched_process.ts";
import { canWitness, Witness } from "../support/witness.ts";
import { leftovers, onServers } from "./place.ts";

/** A shell that waits in small steps, so that its trap is run soon. */
const FOREVER = "while :; do sleep 0.01; done";

const noWitness = canWitness() ? undefined : "needs flock(1) and a date(1) with nanoseconds";

onServers("signals", (test) => {
  for (const signal of ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"] as const) {
    test(`passes ${signal} on to the command and its children`, async (place) => {
      const child = `trap "echo child; exit 0" ${signal}; echo ready; ${FOREVER}`;
      const parent = `trap "echo parent" ${signal}; sh -c '${child}'; exit 5`;
      const running = place.spawn([], ["sh", "-c", parent]);
      await running.line("stdout", /ready/);
      running.signal(`SIG${signal}`);
      const { code, stdout } = await running.finished;
      assertEquals([code, stdout], [5, "ready\nchild\nparent\n"]);
      assertEquals(await place.holders(), []);
    });
  }

  test("ends with 128+n when the signal that was passed on ended the command", async (place) => {
    const running = place.spawn([], ["sh", "-c", `echo ready; ${FOREVER}`]);
    await running.line("stdout", /ready/);
    running.signal("SIGINT");
    const { code, signal } = await running.finished;
    assertEquals([code, signal], [130, null]);
    assertEquals(await place.holders(), []);
  });

  test("holds the lock until a command that takes its time to stop has ended", async (place) => {
    const slow = `trap "echo stopping; read line; exit 4" TERM; echo ready; ${FOREVER}`;
    const running = place.spawn(["-i", "alice"], ["sh", "-c", slow], { stdin: "open" });
    await running.line("stdout", /ready/);
    running.signal("SIGTERM");
    await running.line("stdout", /stopping/);
    assertEquals(await place.holders(), ["alice"]);
    await running.write("go on\n");
    assertEquals((await running.finished).code, 4);
    assertEquals(await place.holders(), []);
  });

  test("kills a command that ignores TERM after --kill-after", async (place) => {
    const deaf = `trap "" TERM; sleep 600 & echo ready; ${FOREVER}`;
    const running = place.spawn(["-k", "300ms"], ["sh", "-c", deaf]);
    await running.line("stdout", /ready/);
    running.signal("SIGTERM");
    const { code, stderr } = await running.finished;
    assertEquals(code, 137);
    assertStringIncludes(stderr, "sending KILL");
    assertEquals(leftovers(), []);
    assertEquals(await place.holders(), []);
  });

  test("leaves nothing of a command that leaves children which ignore TERM", async (place) => {
    const nest = `trap "" TERM; for i in 1 2 3; do sh -c "sleep 600 & sleep 600" & done; echo left; exit 3`;
    const { code, stderr } = await place.run(["-k", "300ms"], ["sh", "-c", nest]);
    assertEquals(code, 3);
    assertMatch(stderr, /klatch: the command has ended but left .* running: sending TERM/);
    assertEquals(leftovers(), []);
    assertEquals(await place.holders(), []);
  });

  test("sends --signal to what the command has left", async (place) => {
    const child = `trap "echo told; exit 0" USR1; echo ready >&3; ${FOREVER}`;
    await new Deno.Command("mkfifo", { args: [place.file("up")] }).output();
    const nest = `sh -c '${child}' 3>'${place.file("up")}' & read line <'${place.file("up")}'; exit 3`;
    const { code, stdout } = await place.run(["-s", "USR1"], ["sh", "-c", nest]);
    assertEquals([code, stdout], [3, "told\n"]);
    assertEquals(leftovers(), []);
  });

  test("keeps a signal that comes before the command is there", async (place) => {
    const holder = await place.holder();
    const running = place.spawn([], ["sh", "-c", `echo ran; ${FOREVER}`]);
    await running.line("stderr", /waiting/);
    await holder.closeStdin();
    // It comes while klatch waits, acquires, starts the command, or runs it: whatever it is, klatch must end of it.
    running.signal("SIGTERM");
    assertEquals((await running.finished).code, 143);
    await holder.finished;
    assertEquals(leftovers(), []);
    assertEquals(await place.holders(), []);
  });

  test(
    "sends --signal when renewing has failed for the renew deadline, and KILL before another gets in",
    async (place) => {
      const proxy = await TcpProxy.start(place.server.url);
      const witness = await Witness.create();
      try {
        const kubeconfig = await proxy.kubeconfig(place.server.kubeconfigFile, place.file("config"));
        const deaf = `trap "" TERM; trap "echo told" USR1; echo ready; ${FOREVER}`;
        const durations = ["--lease-duration", "5s", "--renew-deadline", "2s", "--retry-period", "500ms"];
        const flags = ["--kubeconfig", kubeconfig, "-i", "alice", "-s", "USR1", ...durations];
        const running = place.spawn(flags, witness.command("first", ["sh", "-c", deaf]));
        await running.line("stdout", /ready/);
        // It watches all the while, so it takes over as soon as anybody may.
        const heir = place.spawn(durations, witness.command("heir"));
        await heir.line("stderr", /waiting/);
        proxy.set("stall");
        await running.line("stdout", /told/);
        const { code, stderr } = await running.finished;
        assertEquals(code, 123);
        assertMatch(stderr, /klatch: lost .*not renewed for/);
        assertEquals((await heir.finished).code, 0);
        assertEquals((await witness.visits()).map((visit) => visit.id), ["first", "heir"]);
        await witness.assertNeverMoreThan(1);
      } finally {
        await proxy.close();
        await witness.remove();
      }
    },
    noWitness,
  );

  test("on a terminal, Ctrl-C reaches the command once", async (place) => {
    const count = `n=0; trap 'n=$((n+1)); echo int $n.' INT; trap 'exit 7' USR1; echo ready $$.; ${FOREVER}`;
    const words = [place.binary, ...place.words(["-q"], ["sh", "-c", count])];
    const config = `KUBECONFIG=${place.server.kubeconfigFile}`;
    await using terminal = startOnTerminal(`exec ${shellLine(["env", config, ...words])}`);
    const [pid] = await terminal.seen(/ready (\d+)\./);
    for (const times of [1, 2]) {
      await terminal.type("\x03");
      await terminal.seen(new RegExp(`(int ${times})\\.`));
    }
    Deno.kill(Number(pid), "SIGUSR1");
    const { code, out } = await terminal.end();
    assertEquals(code, 7);
    assertEquals(out.match(/int \d/g), ["int 1", "int 2"]);
    assertEquals(isAlive(Number(pid)), false);
    assertEquals(await place.holders(), []);
  }, canRun("script", "--version") ? undefined : "needs script(1)");
});
