/**
 * The directory for containers in a restricted container: not root, no capability, no new privileges, a default seccomp
 * profile, a read-only root without /tmp, 128 MiB, klatch as the first process.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses } from "../support/binary.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { Container, noContainers } from "./container.ts";
import { noFolder, sharedFolder } from "./shared_folder.ts";

const skip = noFolder || noContainers || undefined;
/** Says what the kernel says of it, and lives until its standard input ends. */
const SHOW = "grep -E '^(PPid|Uid|CapEff|NoNewPrivs|Seccomp):' /proc/self/status; " +
  "touch /here 2>&1; touch /tmp/here 2>&1; echo started; exec cat";
const COMMAND = ["--", "/bin/busybox", "sh", "-c", SHOW];

onEachServer("a restricted container", "container", (ground) => {
  let folder: string;
  const containers: Container[] = [];
  before(async () => void (folder = await sharedFolder()));
  after(async () => {
    for (const each of containers) await each.remove();
    endKlatchProcesses();
  });

  async function container(): Promise<Container> {
    const kubeconfig = `${await Deno.makeTempDir()}/kubeconfig`;
    await Deno.copyFile(ground.server.kubeconfigFile, kubeconfig);
    // The container's user is not the file's owner.
    await Deno.chmod(kubeconfig, 0o644);
    const made = await Container.prepare({
      command: [
        "/klatch/klatch",
        "run",
        `lock-${crypto.randomUUID().slice(0, 8)}`,
        "-n",
        ground.namespace,
        ...COMMAND,
      ],
      env: { KUBECONFIG: "/etc/kubeconfig" },
      mounts: { "/klatch": folder, "/etc/kubeconfig": kubeconfig },
    });
    containers.push(made);
    return made;
  }

  describe("with klatch as its first process", () => {
    it("runs the command under a lock, with a guard", async () => {
      const running = (await container()).run();
      await running.line("stdout", /started/);
      await running.closeStdin();
      const { code, stdout, stderr } = await running.finished;
      assertEquals(code, 0, stderr);
      // It is restricted as it should be.
      for (const line of [/^Uid:\s+65532/m, /^CapEff:\s+0+$/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m]) {
        assertMatch(stdout, line);
      }
      assertMatch(stdout, /here: Read-only file system/);
      assertMatch(stdout, /here: No such file or directory/);
      assertMatch(stdout, /^PPid:\s+\d+$/m);
      assertNotMatch(stderr, /guard|error|warning/i);
    });

    it("ends the command and releases when the container is stopped", async () => {
      const stopped = await container();
      const running = stopped.run();
      await running.line("stdout", /started/);
      await stopped.kill("SIGTERM");
      const { code, stderr } = await running.finished;
      assertEquals(code, 128 + 15, stderr);
      assertNotMatch(stderr, /guard|error|warning/i);
    });
  });
}, { skip });
