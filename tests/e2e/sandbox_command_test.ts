/**
 * `klatch sandbox`, and the commands that need no cluster: help and version.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import config from "../../deno.json" with { type: "json" };
import { endKlatchProcesses, runKlatch, spawnKlatch } from "../support/binary.ts";
import { until } from "../contract/bench.ts";
import { canWitness, Witness } from "../support/witness.ts";
import { leftovers, linesOf, noBinary } from "./place.ts";

describe("klatch sandbox", { skip: noBinary }, () => {
  const dir = Deno.makeTempDirSync({ prefix: "klatch-e2e-" });
  const env = { TMPDIR: dir };
  after(() => {
    endKlatchProcesses();
    Deno.removeSync(dir, { recursive: true });
  });
  /** A test after which no temporary file may be left. */
  const test = (title: string, body: () => Promise<void>, skip: string | false = false) =>
    it(title, { skip }, async () => {
      await body();
      // The runtime's cache of compiled code stays on purpose, one file for all runs.
      const left = Array.from(Deno.readDirSync(dir), (entry) => entry.name);
      assertEquals(left.filter((name) => !/^deno-compile-.*\.cache$/.test(name)), []);
    });

  test("runs a command with a cluster, and with klatch on its PATH", async () => {
    const line = 'echo "$KUBECONFIG"; command -v klatch; klatch run x -q -- echo hi';
    const { code, stdout, stderr } = await runKlatch(["sandbox", "--", "sh", "-c", line], { env });
    assertEquals([code, stderr], [0, ""]);
    const [kubeconfig = "", klatch = "", said] = linesOf(stdout);
    for (const path of [kubeconfig, klatch]) assert(path.startsWith(`${dir}/`), path);
    assertEquals(said, "hi");
  });

  test("runs klatch itself, also where it is not on the PATH", async () => {
    const command = ["sandbox", "--", "klatch", "run", "x", "-q", "--", "echo", "hi"];
    const { code, stdout, stderr } = await runKlatch(command, { env: { ...env, PATH: "/usr/bin:/bin" } });
    assertEquals([code, stdout, stderr], [0, "hi\n", ""]);
  });

  test("keeps what it writes to the user alone", async () => {
    const line = 'stat -c %a "$KUBECONFIG" "${KUBECONFIG%/*}"';
    const { stdout } = await runKlatch(["sandbox", "--", "sh", "-c", line], { env });
    assertEquals(stdout, "600\n700\n");
  });

  for (const [command, status] of [["exit 0", 0], ["exit 7", 7], ["kill -TERM $$", 143]] as const) {
    test(`ends with the command's status ${status}`, async () => {
      assertEquals((await runKlatch(["sandbox", "--", "sh", "-c", command], { env })).code, status);
    });
  }

  test("ends with 127 where there is no such command", async () => {
    const { code, stderr } = await runKlatch(["sandbox", "--", "no-such-command-here"], { env });
    assertEquals([code, linesOf(stderr).length], [127, 1]);
    assertStringIncludes(stderr, "no-such-command-here");
  });

  test("passes stdin and signals to the command", async () => {
    const script = "trap 'echo told; exit 5' TERM; cat; echo ready; while :; do sleep 0.01; done";
    const running = spawnKlatch(["sandbox", "--", "sh", "-c", script], { env, stdin: { text: "hello\n" } });
    await running.line("stdout", /ready/);
    running.signal("SIGTERM");
    const { code, stdout } = await running.finished;
    assertEquals([code, stdout], [5, "hello\nready\ntold\n"]);
    assertEquals(leftovers(), []);
  });

  test("keeps contenders of one command apart", async () => {
    const witness = await Witness.create();
    const contender = `klatch run x -q -- sh '${witness.dir}/witness.sh' '${witness.dir}' $i sleep 0.05`;
    const line = `for i in 1 2 3 4 5; do ${contender} & done; wait`;
    assertEquals((await runKlatch(["sandbox", "--", "sh", "-c", line], { env })).code, 0);
    await witness.assertNeverMoreThan(1);
    assertEquals((await witness.visits()).length, 5);
    await witness.remove();
  }, !canWitness() && "needs flock(1)");

  test("is another one at each start", async () => {
    const inner = 'klatch sandbox -- sh -c "klatch run x -w 0 -q -- echo apart"';
    const line = `klatch run x -q -- ${inner}`;
    const { code, stdout } = await runKlatch(["sandbox", "--", "sh", "-c", line], { env });
    assertEquals([code, stdout], [0, "apart\n"]);
  });

  for (const command of [["--", "sh", "-c", "sleep 1000 & echo up; sleep 1000"], []]) {
    const title = command.length > 0 ? "its command and all that it started, and its folder" : "its folder";
    test(`leaves nothing when it is killed: ${title}`, async () => {
      const running = spawnKlatch(["sandbox", ...command], { env });
      await running.line("stdout", /^up$|export KUBECONFIG=/);
      running.signal("SIGKILL");
      await running.finished;
      const isLeft = () => [...Deno.readDirSync(dir)].some(({ name }) => /^klatch-/.test(name));
      await until(() => leftovers().length === 0 && !isLeft());
    });
  }

  for (const signal of ["INT", "TERM", "HUP"] as const) {
    test(`without a command serves until ${signal}, and tells how to use it`, async () => {
      const running = spawnKlatch(["sandbox"], { env });
      const line = await running.line("stdout", /export KUBECONFIG=/);
      const script = `${line.trim()}; klatch run try -q -- echo hello`;
      const user = await runKlatch(["-c", script], { binary: "/bin/sh" });
      assertEquals([user.code, user.stdout, user.stderr], [0, "hello\n", ""]);
      running.signal("SIGWINCH");
      assertEquals((await runKlatch(["-c", script], { binary: "/bin/sh" })).code, 0);
      running.signal(`SIG${signal}`);
      const { code, signal: own } = await running.finished;
      assertEquals([code, own], [0, null]);
    });
  }

  test("listens on the port asked for, and says so where that is taken", async () => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const refused = await runKlatch(["sandbox", "--port", `${port}`, "--", "true"], { env });
    taken.close();
    assertEquals([refused.code, linesOf(refused.stderr).length], [125, 1], refused.stderr);
    assertStringIncludes(refused.stderr, `${port}`);
    const words = ["sandbox", "--port", `${port}`, "--", "sh", "-c", 'cat "$KUBECONFIG"'];
    assertStringIncludes((await runKlatch(words, { env })).stdout, `http://127.0.0.1:${port}`);
  });
});

describe("help and version", { skip: noBinary }, () => {
  after(endKlatchProcesses);

  for (const words of [["help"], ["--help"], ["-h"]]) {
    it(`${words} names every command, on stdout`, async () => {
      const { code, stdout, stderr } = await runKlatch(words);
      assertEquals([code, stderr], [0, ""]);
      for (const command of ["run", "sandbox", "help", "version"]) {
        assertMatch(stdout, new RegExp(`^ *klatch ${command}\\b`, "m"));
      }
    });
  }

  for (
    const words of [["help", "run"], ["run", "--help"], ["run", "-h"], ["run", "x", "-h", "--", "false"]]
  ) {
    it(`${words.join(" ")} names every flag and every status`, async () => {
      const { code, stdout, stderr } = await runKlatch(words);
      assertEquals([code, stderr], [0, ""]);
      for (const flag of ["namespace", "wait", "conflict-exit-code", "reason", "kill-after", "cleanup"]) {
        assertMatch(stdout, new RegExp(`^ +(-\\w, )?--${flag}\\b`, "m"));
      }
      for (const status of [123, 124, 125, 126, 127]) assertMatch(stdout, new RegExp(`^ +${status} `, "m"));
    });
  }

  it("help sandbox names its flags", async () => {
    const { code, stdout } = await runKlatch(["help", "sandbox"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "--port");
  });

  for (const words of [["version"], ["--version"], ["-V"]]) {
    it(`${words} prints the version of deno.json`, async () => {
      const { code, stdout, stderr } = await runKlatch(words);
      assertEquals([code, stdout, stderr], [0, `klatch ${config.version}\n`, ""]);
    });
  }
});
