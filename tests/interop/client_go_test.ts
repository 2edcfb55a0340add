/**
 * The compiled klatch and programs that use client-go's leader election, on one Lease on a real API server: they
 * exclude each other, nobody is left out, and each takes over from the other's dead.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, klatchBinary, type RunningKlatch, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { goContender } from "../support/go_contender.ts";
import { canWitness, Witness } from "../support/witness.ts";

const LEASE_MS = 3_000;
const CONTENDERS_EACH = 5;
/** Many times what anything here takes. */
const PATIENCE_MS = 120_000;

const contender = await found();

/** The contender's path, or why these tests are skipped. Go is only asked for where all else is there. */
async function found(): Promise<{ path: string } | { missing: string }> {
  if (klatchBinary() === undefined) return { missing: "needs dist/klatch: run the task compile" };
  if (controlPlaneAssets() === undefined) return { missing: "needs KUBEBUILDER_ASSETS and openssl" };
  if (!canWitness()) return { missing: "needs flock(1) and a date(1) with nanoseconds" };
  const built = await goContender();
  return "missing" in built ? { missing: `needs the contender of bench/client_go: ${built.missing}` } : built;
}

describe(
  "klatch and client-go on one Lease",
  { skip: "missing" in contender ? contender.missing : false },
  () => {
    let plane: ControlPlane;
    let namespace: string;
    let name: string;

    before(async () => {
      plane = await sharedControlPlane();
      namespace = await plane.freshNamespace("client-go");
    });
    after(() => plane.stop());
    afterEach(() => endKlatchProcesses());

    function klatch(id: string, command: readonly string[], stdin?: "open"): RunningKlatch {
      const timing = [
        "--lease-duration",
        `${LEASE_MS}ms`,
        "--renew-deadline",
        "2s",
        "--retry-period",
        "500ms",
      ];
      return spawnKlatch(["run", name, "-n", namespace, "-i", id, ...timing, "--", ...command], {
        env: { KUBECONFIG: plane.admin },
        ...(stdin !== undefined && { stdin }),
      });
    }

    function clientGo(id: string, command: readonly string[], stdin?: "open"): RunningKlatch {
      const timing = [`-lease-duration=${LEASE_MS}ms`, "-renew-deadline=2s", "-retry-period=500ms"];
      const where = ["-kubeconfig", plane.admin, "-namespace", namespace, "-name", name];
      return spawnKlatch([...where, "-id", id, ...timing, "--", ...command], {
        binary: "path" in contender ? contender.path : "",
        ...(stdin !== undefined && { stdin }),
      });
    }

    /** The Lease's spec. */
    async function spec() {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
      return (await plane.request("GET", path)).body.spec;
    }

    it("exclude each other, and all are served", async () => {
      name = "mixed";
      const witness = await Witness.create();
      try {
        const first = clientGo("first", witness.command("first", ["cat"]), "open");
        await witness.entered("first");
        const running = Array.from({ length: CONTENDERS_EACH }, (_, i) => [
          klatch(`klatch-${i}`, witness.command(`klatch-${i}`)),
          clientGo(`go-${i}`, witness.command(`go-${i}`)),
        ]).flat();
        await first.closeStdin();
        const ended = await inTime("all end", Promise.all([first, ...running].map((each) => each.finished)));
        assertEquals(
          ended.map(({ code }) => code),
          Array(2 * CONTENDERS_EACH + 1).fill(0),
          ended.map(({ stderr }) => stderr).join(""),
        );
        await witness.assertNeverMoreThan(1);
        const ids = (await witness.visits()).map((visit) => visit.id);
        assertEquals([ids.length, new Set(ids).size], [ended.length, ended.length], ids.join());
        assertEquals((await spec()).holderIdentity ?? "", "");
      } finally {
        endKlatchProcesses();
        await witness.remove();
      }
    });

    const kinds = { klatch, "client-go": clientGo };
    for (const [dead, heir] of [["client-go", "klatch"], ["klatch", "client-go"]] as const) {
      it(`${heir} takes over from a killed ${dead} when the lease has passed, and not before`, async () => {
        name = `heir-${heir}`;
        const holder = kinds[dead]("dead", ["sh", "-c", "echo in; cat"], "open");
        await holder.line("stdout", /^in$/);
        holder.signal("SIGKILL");
        await inTime("the killed one is dead", holder.exited);
        const before = await spec();
        assertEquals(before.holderIdentity.startsWith("dead"), true, before.holderIdentity);

        const waiter = kinds[heir]("heir", ["sh", "-c", "echo in; cat"], "open");
        await inTime("the heir is in", waiter.line("stdout", /^in$/));
        const after = await spec();
        assertEquals(after.holderIdentity.startsWith("heir"), true, after.holderIdentity);
        const passedMs = Date.parse(after.acquireTime) - Date.parse(before.renewTime);
        assert(passedMs >= LEASE_MS, `taken over ${passedMs} ms after the last renewal`);
        assertEquals(after.leaseTransitions, before.leaseTransitions + 1);

        await holder.closeStdin();
        await waiter.closeStdin();
        assertEquals((await inTime("the heir ends", waiter.finished)).code, 0);
      });
    }
  },
);

async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain until ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
