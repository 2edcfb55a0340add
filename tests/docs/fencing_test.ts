/**
 * What the fencing token is for, seen on real processes: a whole machine that stands still past its lease, and comes
 * back in the middle of its command. It is the example of docs/safety.md.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { it } from "@std/testing/bdd";
import {
  endKlatchProcesses,
  klatchBinary,
  markedProcesses,
  runKlatch,
  spawnKlatch,
} from "../support/binary.ts";
import { send } from "../support/marked_processes.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { sleep } from "../support/waiting.ts";
import { isAlive } from "../support/watched_process.ts";

const store = new URL("../../docs/examples/fenced-store.sh", import.meta.url).pathname;
const noBinary = klatchBinary() === undefined ? "needs the compiled binary" : undefined;

onEachServer("a machine that stands still past its lease,", "fencing", (ground) => {
  /** Two append a letter each; the first one's machine stands still between its read and its write. */
  async function twoUpdates(env: Record<string, string>): Promise<{ value: string; stderr: string }> {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/value`, "start\n");
    // Stopping processes is the nearest thing to a machine that stands still, and the guard is made to survive
    // it: the kernel wakes it in time. On a machine that stands still it would not, so it is left out.
    const lease = [
      "--lease-duration",
      "3s",
      "--renew-deadline",
      "2s",
      "--retry-period",
      "0.5s",
      "--no-guard",
    ];
    const options = { env: { KUBECONFIG: ground.server.kubeconfigFile, ...env } };
    const append = (letter: string, between: string) =>
      `value=$("${store}" "${folder}" get) && ${between} && "${store}" "${folder}" put "$value ${letter}"`;
    const run = [
      "run",
      `store-${crypto.randomUUID().slice(0, 8)}`,
      "-n",
      ground.namespace,
      ...lease,
      "--",
      "sh",
      "-c",
    ];
    try {
      const first = spawnKlatch([...run, append("a", "echo read && read -r go")], {
        ...options,
        stdin: "open",
      });
      await first.line("stdout", /read/);
      const frozen = markedProcesses();
      for (const pid of frozen) Deno.kill(pid, "SIGSTOP");

      const second = await runKlatch([...run, append("b", "true")], options);
      assertEquals(second.code, 0, second.stderr);

      // The command comes back first, and goes on before klatch can notice how late it is.
      await first.write("go\n");
      const klatch = first.pid;
      for (const pid of frozen.filter((pid) => !isKlatch(pid))) Deno.kill(pid, "SIGCONT");
      await untilEnded(frozen.filter((pid) => !isKlatch(pid)));
      for (const pid of [klatch, ...frozen.filter(isKlatch)]) send(pid, "SIGCONT");
      const { code, stderr } = await first.finished;
      assertEquals(code, 123, stderr);
      return { value: (await Deno.readTextFile(`${folder}/value`)).trim(), stderr };
    } finally {
      endKlatchProcesses();
      await Deno.remove(folder, { recursive: true });
    }
  }

  it("loses an update of a resource that does not check the token", async () => {
    const { value } = await twoUpdates({ UNFENCED: "1" });
    assertEquals(value, "start a", "b was written, and reported as written, and is gone");
  });

  it("loses none of one that does", async () => {
    const { value, stderr } = await twoUpdates({});
    assertEquals(value, "start b", "what was reported as written stands");
    assertStringIncludes(stderr, "refused: token");
  });
}, { skip: noBinary });

/** Whether a process is klatch itself. */
function isKlatch(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("klatch");
  } catch {
    return false;
  }
}

/** Resolves when none of these processes runs any more; zombies do not. */
async function untilEnded(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await sleep(10);
}
