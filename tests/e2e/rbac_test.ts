/**
 * `klatch rbac`: the rights that it prints are enough on a real API server, and none of them can be spared.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { parseAllDocuments, stringify } from "yaml";
import { strategies } from "../../lib/strategies/catalog.ts";
import { endKlatchProcesses, runKlatch, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { poll } from "../support/waiting.ts";
import { noBinary } from "./place.ts";

const skip = noBinary || (controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl");

interface Rule {
  readonly verbs: readonly string[];
}

describe("the rights that klatch rbac prints", { skip }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("rbac");
  });
  after(async () => {
    endKlatchProcesses();
    await plane.stop();
  });

  /** The environment of a service account that has the printed rights, less one verb if that is named. */
  async function accountFor(name: string, strategy: string, without?: string) {
    const account = `account-${crypto.randomUUID().slice(0, 8)}`;
    await plane.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace } });
    const words = ["rbac", name, "-n", namespace, "--strategy", strategy, "--service-account", account];
    const { code, stdout, stderr } = await runKlatch(words);
    assertEquals(code, 0, stderr);
    assertEquals(stderr.includes("reading all of the Secret"), strategy === "ticket", stderr);
    const [role, binding] = parseAllDocuments(stdout).map((document) => document.toJS());
    const rules = role.rules.map((rule: Rule) => ({
      ...rule,
      // Where patches are granted, a short run by one needs neither a read nor an update.
      verbs: rule.verbs.filter((verb) => verb !== without && !(verb === "patch" && without !== undefined)),
    })).filter(({ verbs }: Rule) => verbs.length > 0);
    const unique = { ...role.metadata, name: account };
    await plane.apply(stringify({ ...role, metadata: unique, rules }));
    await plane.apply(
      stringify({ ...binding, metadata: unique, roleRef: { ...binding.roleRef, name: account } }),
    );
    const kubeconfig = await plane.tokenKubeconfig(namespace, account);
    // A binding is in force a little later than it is written.
    const granted = ["get", "update"].find((verb) => verb !== without) ?? "";
    const { plural } = strategies.find((each) => each.name === strategy)?.resource ?? { plural: "" };
    const asked = [
      "--kubeconfig",
      kubeconfig,
      "auth",
      "can-i",
      granted,
      `${plural}/${name}`,
      "-n",
      namespace,
    ];
    await poll(async () => (await plane.kubectl(asked)).stdout.trim() === "yes", {
      limitMs: 60_000,
      everyMs: 100,
      failure: () => `${account} may not ${granted} ${plural}/${name}`,
    });
    return { KUBECONFIG: kubeconfig };
  }

  for (const { name: strategy, resource } of strategies) {
    const words = (name: string) => ["run", name, "-n", namespace, "--strategy", strategy];

    it(`are enough to hold, to wait and to release by ${strategy}`, async () => {
      const name = `enough-${strategy}`;
      const env = await accountFor(name, strategy);
      const first = spawnKlatch([...words(name), "--", "cat"], { env, stdin: "open" });
      await first.line("stderr", /acquired/);
      const second = spawnKlatch([...words(name), "--", "echo", "second"], { env });
      await second.line("stderr", /waiting/);
      await first.closeStdin();
      const { code, stdout, stderr } = await second.finished;
      assertEquals([code, stdout], [0, "second\n"], stderr);
      assert(!stderr.includes("polls"), stderr);
      assertEquals((await first.finished).code, 0);
    });

    it(`cannot spare a verb by ${strategy}`, async () => {
      for (const verb of ["get", "create", "update"]) {
        const name = `less-${strategy}-${verb}`;
        // What exists and is free needs an update; what does not exist needs to be created.
        if (verb === "update") {
          await runKlatch([...words(name), "--", "true"], { env: { KUBECONFIG: plane.admin } });
        }
        const env = await accountFor(name, strategy, verb);
        const { code, stderr } = await runKlatch([...words(name), "--", "true"], { env });
        assertEquals(code, 125, stderr);
        assertStringIncludes(stderr, `cannot ${verb} ${resource.plural} "${name}"`);
      }
      const name = `less-${strategy}-watch`;
      const env = await accountFor(name, strategy, "watch");
      const admin = { KUBECONFIG: plane.admin };
      const holder = spawnKlatch([...words(name), "--", "cat"], { env: admin, stdin: "open" });
      await holder.line("stderr", /acquired/);
      const waiter = spawnKlatch([...words(name), "--", "true"], { env });
      assertMatch(await waiter.line("stderr", /polls/), /cannot watch/);
      await holder.closeStdin();
      assertEquals((await waiter.finished).code, 0);
    });
  }
});
