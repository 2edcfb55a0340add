import { afterEach, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { endKlatchProcesses, markedProcesses, runKlatch, spawnKlatch } from "./binary.ts";

/** A shell stands in for klatch: what is tested here is the runner. */
const sh = { binary: "/bin/sh" };

describe("the runner of the compiled binary", () => {
  afterEach(endKlatchProcesses);

  it("gives status, signal, stdout and stderr", async () => {
    const ended = await runKlatch(["-c", "echo out; echo err >&2; exit 3"], sh);
    const { durationMs, ...rest } = ended;
    assertEquals(rest, { code: 3, signal: null, stdout: "out\n", stderr: "err\n" });
    assertEquals(durationMs > 0, true);
    const killed = await runKlatch(["-c", "kill -KILL $$"], sh);
    assertEquals([killed.code, killed.signal], [137, "SIGKILL"]);
  });

  it("passes nothing of its own environment but PATH, and has klatch write no Events", async () => {
    Deno.env.set("KUBECONFIG", "/etc/hosts");
    try {
      const env = { EXTRA: "1" };
      const { stdout } = await runKlatch(["-c", "env | cut -d= -f1 | sort | tr '\\n' ' '"], { ...sh, env });
      assertEquals(stdout, "EXTRA HOME KLATCH_NO_EVENTS PATH PWD TEST_RUN_MARK TMPDIR ");
    } finally {
      Deno.env.delete("KUBECONFIG");
    }
  });

  it("gives stdin as text, open, or empty", async () => {
    assertEquals((await runKlatch(["-c", "cat"], { ...sh, stdin: { text: "hello" } })).stdout, "hello");
    assertEquals((await runKlatch(["-c", "cat"], sh)).stdout, "");
    const open = spawnKlatch(["-c", "read a; echo got $a; cat"], { ...sh, stdin: "open" });
    await open.write("x\n");
    assertEquals(await open.line("stdout", /^got/), "got x");
    await open.closeStdin();
    assertEquals((await open.finished).code, 0);
  });

  it("waits for a line, and says what there was where none comes", async () => {
    const running = spawnKlatch(["-c", "echo one >&2; sleep 0.05; echo two >&2"], sh);
    assertEquals(await running.line("stderr", /^tw/), "two");
    assertEquals(await running.line("stderr", /one/), "one");
    const error = await assertRejects(() => running.line("stderr", /three/), Error);
    assertStringIncludes(error.message, "stderr: one\ntwo\n");
  });

  it("signals klatch alone", async () => {
    const running = spawnKlatch([
      "-c",
      "trap 'echo term; exit 4' TERM; echo ready; while :; do sleep 0.01; done",
    ], sh);
    await running.line("stdout", /ready/);
    running.signal("SIGTERM");
    const { code, stdout } = await running.finished;
    assertEquals([code, stdout], [4, "ready\nterm\n"]);
  });

  it("finds and ends what a killed klatch leaves, in whatever session", async () => {
    const running = spawnKlatch(["-c", "setsid sh -c 'echo up; sleep 60; true' & wait"], sh);
    await running.line("stdout", /up/);
    running.signal("SIGKILL");
    assertEquals((await running.exited).signal, "SIGKILL");
    assertEquals(markedProcesses().length >= 1, true);
    endKlatchProcesses();
    assertEquals(markedProcesses(), []);
    assertEquals((await running.finished).stdout, "up\n");
  });
});
