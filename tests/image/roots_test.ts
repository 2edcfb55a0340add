/**
 * The directory for containers in images of every kind.
 *
 * @module
 */
import { assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import config from "../../deno.json" with { type: "json" };
import { endKlatchProcesses, markedProcesses, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { until } from "../support/processes.ts";
import { MadeRoot, noRoots, ROOTS } from "./roots.ts";
import { noFolder, sharedFolder } from "./shared_folder.ts";

const VERSION = `klatch ${config.version}\n`;
/** What an image may set, and what must not reach klatch's own libraries. */
const LIBRARIES = "/lib:/lib/x86_64-linux-gnu";
/** A command on this machine that ends when its standard input does. */
const HOLD = ["sh", "-c", "echo started; cat"];
const noPlane = controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl";

describe("the directory for containers", { skip: noFolder || noRoots || noPlane }, () => {
  let folder: string;
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    folder = await sharedFolder();
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("image");
  });
  after(async () => {
    endKlatchProcesses();
    await plane.stop();
  });

  for (const root of ROOTS) {
    describe(`in ${root.name}`, { skip: root.skip }, () => {
      let made: MadeRoot;
      before(async () => {
        made = await MadeRoot.make(root, folder);
        const byAddress = plane.adminKubeconfigText;
        await Deno.writeTextFile(`${made.dir}/etc/by-address`, byAddress);
        const byName = byAddress.replace("//127.0.0.1:", "//kubernetes.default.svc:");
        await Deno.writeTextFile(`${made.dir}/etc/by-name`, byName);
      });
      after(() => made.remove());

      const lock = () => `root-${crypto.randomUUID().slice(0, 8)}`;
      const run = (name: string, command: readonly string[], kubeconfig = "by-address") =>
        made.klatch(["run", name, "-n", namespace, "--", ...command], {
          env: {
            KUBECONFIG: `/etc/${kubeconfig}`,
            LD_LIBRARY_PATH: LIBRARIES,
            PATH: "/usr/sbin:/usr/bin:/bin",
          },
          stdin: "open",
        });

      it("reaches the API server by address and by host name, and runs klatch itself", async () => {
        for (const kubeconfig of ["by-address", "by-name"]) {
          const { code, stdout, stderr } = await run(lock(), ["/klatch/klatch", "version"], kubeconfig)
            .finished;
          assertEquals({ code, stdout }, { code: 0, stdout: VERSION }, stderr);
        }
      });

      const { printEnv, hold } = root;
      it("starts dynamic programs, which inherit nothing of the loader", { skip: !printEnv }, async () => {
        const { code, stdout, stderr } = await run(lock(), printEnv ?? []).finished;
        assertEquals(code, 0, stderr);
        assertStringIncludes(stdout, "\nKLATCH_TOKEN=");
        assertNotMatch(stdout, /[=:]\/klatch\b|LD_PRELOAD/);
        assertStringIncludes(stdout, `LD_LIBRARY_PATH=${LIBRARIES}\n`);
      });

      it("ends the command when klatch is killed", async () => {
        const name = lock();
        // With no program but klatch, the command is a klatch that waits.
        const words = ["run", name, "-n", namespace, "--", ...HOLD];
        const holder = spawnKlatch(words, { env: { KUBECONFIG: plane.admin }, stdin: "open" });
        await holder.line("stdout", /started/);
        const waiter = ["/klatch/klatch", "run", name, "-n", namespace, "--", "true"];
        const running = run(lock(), hold ?? waiter);
        await (hold === undefined ? running.line("stderr", /waiting/) : running.line("stdout", /started/));
        running.signal("SIGKILL");
        await running.exited;
        await holder.closeStdin();
        assertEquals((await holder.exited).code, 0);
        await until(() => markedProcesses().length === 0);
      });
    });
  }
});
