/**
 * klatch as the older tools, by their names: scripts of command lines with the status and the words that a caller of
 * the older tool relies on.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type KubeObject, type Lease, type Strategy, viewOf } from "../../lib/lock.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import { type Finished, type RunningKlatch } from "../support/binary.ts";
import { until } from "../contract/bench.ts";
import { leftovers, linesOf, onServers, type Place, QUICK_FLAGS } from "./place.ts";

/** One line of a script, in which `$L` is the lock and `$N` its namespace. */
interface Step {
  readonly line: string;
  readonly status: number;
  /** What stderr says. */
  readonly says?: RegExp;
  readonly out?: string;
}

const KLOCK: readonly Step[] = [
  { line: `klock -l $L -n $N -- sh -c 'echo in; exit 7'`, status: 7, out: "in\n", says: /^$/ },
  { line: `klock -l $L -n $N -- true`, status: 0, says: /^$/ },
  { line: `klock --lease=$L --namespace=$N -- sh -c 'kill -TERM $$'`, status: 255 },
  { line: `klock -l $L -n $N`, status: 1, says: /NoProgram/ },
  { line: `klock -l $L -n $N --`, status: 1, says: /NoProgram/ },
  { line: `klock -l $L -n $N echo`, status: 1, says: /NoProgram/ },
  { line: `klock -l $L -n $N echo -- true`, status: 1, says: /ProgramBeforeDash/ },
  { line: `klock -l $L -n $N --nope -- true`, status: 2, says: /^klock: unknown flag --nope/ },
  { line: `klock -l $L -n $N -w soon -- true`, status: 2, says: /--wait "soon"/ },
  { line: `klock -l Not_A_Name -n $N -- true`, status: 1, says: /Not_A_Name/ },
  { line: `klock -l $L -n no-such-namespace -- true`, status: 1, says: /no-such-namespace/ },
  { line: `klock -l $L -n $N --kubeconfig /nowhere -- true`, status: 1, says: /\/nowhere/ },
  { line: `klock -l $L -n $N -- no-such-command-here`, status: 1, says: /no-such-command-here/ },
  // A run within another one: the second has to wait, whatever it is called.
  {
    line: `klock -l $L -n $N -- klock -l $L -n $N -w 300ms -- true`,
    status: 1,
    says: /ElectTimedOut.*held by klock/,
  },
  {
    line: `klock -l $L -n $N -- env -u KLATCH_RUN klock -l $L -n $N -w 1ms --timeout 300ms -E 8 -- true`,
    status: 8,
    says: /within 0.3 s/,
  },
  { line: `klock -l$L -n$N -sHUP -ime -u=T -- sh -c 'echo $KLATCH_HOLDER'`, status: 0, out: "me\n" },
  {
    line: `klock --logtostderr --vmodule x=1 --stderrthreshold=2 --one_output=false -l $L -n $N -- true`,
    status: 0,
  },
  { line: `klock -l $L -n $N -i me -- klock -l $L -n $N -i me --timeout 300ms -- true`, status: 1 },
  { line: `klock -l $L -n $N -g -- klock -l $L -n $N -g -w 300ms -E 9 -- true`, status: 9 },
  { line: `klock -l $L -n $N -w 0 -E3 -- true`, status: 0 },
  { line: `klock -l $L -n $N -v 1 -- true`, status: 0, says: /^klock: acquired/ },
  { line: `klock -l $L -n $N --debug -- true`, status: 0, says: /^klock: acquired/ },
  { line: `klock -V`, status: 0, says: /^$/ },
  { line: `klock --help`, status: 0, says: /^$/ },
  { line: `klatch as klock -l $L -n $N -s SIGINT -k 1s -u -- sh -c 'exit 5'`, status: 5 },
];

const KUBELOCK: readonly Step[] = [
  { line: `kubelock -name $L -namespace $N sh -c 'echo in; exit 7'`, status: 7, out: "in\n" },
  { line: `kubelock --name=$L --namespace=$N echo -name x --y`, status: 0, out: "-name x --y\n" },
  {
    line: `kubelock -logtostderr -v=2 -vmodule x=1 --stderrthreshold INFO -name $L -namespace $N true`,
    status: 0,
    says: /kubelock: Lock obtained.*\n.*Lock released/,
  },
  {
    line: `HOSTNAME=web-1 kubelock -name $L -namespace $N sh -c 'echo $KLATCH_HOLDER'`,
    status: 0,
    out: "web-1\n",
  },
  {
    line: `kubelock -name $L -namespace $N -- true`,
    status: 0,
    says: /deprecates Endpoints.*endpoints,lease/,
  },
  { line: `kubelock -name $L -namespace $N sh -c 'kill -KILL $$'`, status: 255 },
  { line: `kubelock -name $L -namespace $N`, status: 1, says: /command is missing/ },
  { line: `kubelock -name`, status: 2, says: /-name needs a value/ },
  { line: `kubelock -nope true`, status: 2, says: /unknown flag -nope/ },
  { line: `kubelock -lease-duration 5s true`, status: 2, says: /out of order/ },
  { line: `kubelock -name $L -namespace no-such-namespace true`, status: 1, says: /no-such-namespace/ },
  { line: `kubelock -name $L -namespace $N -kubeconfig /nowhere true`, status: 255, says: /\/nowhere/ },
  { line: `kubelock -name $L -namespace $N no-such-command-here`, status: 1 },
  {
    line: `kubelock -name $L -namespace $N -id me klatch run $L -n $N --strategy endpoints -w 0 -- true`,
    status: 124,
  },
  { line: `klatch as kubelock -help`, status: 0, says: /^$/ },
];

const KUBE_LOCK: readonly Step[] = [
  { line: `kube-lock $N $L --holder-name a`, status: 2, says: new RegExp("there is no ConfigMap") },
  { line: `kube-lock $N $L --holder-name a --unlock`, status: 0, says: /Unlock non needed/ },
  { line: `kube-lock $N $L --holder-name a --unlock --create-configmap`, status: 0 },
  {
    line: `kube-lock $N $L --holder-name a --create-configmap --max-holders 2 --reason 'db restart'`,
    status: 0,
    says: /Successfully locked cm\/\S+ in ns \S+ for holder a\n$/,
  },
  {
    line: `kube-lock $N $L --holder-name a --reason other`,
    status: 0,
    says: /Already locked since \S+Z for reason "db restart"/,
  },
  { line: `kube-lock $N $L --holder-name b`, status: 0 },
  {
    line: `kube-lock $N $L --holder-name c --run-once`,
    status: 3,
    says: /held by a .*\(reason: db restart\), held by b/,
  },
  { line: `kube-lock $N $L --holder-name c --max-holders 3 --run-once`, status: 3 },
  {
    line: `kube-lock $N $L --holder-name c --polling-interval 1s --polling-timeout 300ms`,
    status: 2,
    says: /timeout/,
  },
  { line: `klatch run $L -n $N --strategy semaphore -w 0 -- true`, status: 124 },
  { line: `kube-lock $N $L --holder-name c --unlock`, status: 0 },
  { line: `kube-lock $N $L --holder-name a --unlock`, status: 0, says: /Successfully unlocked/ },
  { line: `kube-lock $N $L --holder-name c --run-once`, status: 0 },
  { line: `kube-lock $N $L --holder-name b --unlock`, status: 0 },
  { line: `kube-lock $N $L --holder-name c --unlock`, status: 0 },
  { line: `klatch run $L -n $N --strategy semaphore -w 0 -- true`, status: 0 },
  // klatch's own hold of the same name is not kube-lock's.
  {
    line: `klatch run $L -n $N --strategy semaphore -i b -- kube-lock $N $L --holder-name b --run-once`,
    status: 3,
  },
  { line: `kube-lock $N`, status: 1, says: /NAMESPACE CONFIGMAP/ },
  { line: `kube-lock $N $L more`, status: 1 },
  { line: `kube-lock $N Not_A_Name`, status: 1 },
  { line: `kube-lock $N $L --max-holders 0`, status: 1 },
  { line: `kube-lock $N $L --max-holders many`, status: 1 },
  { line: `kube-lock $N $L --polling-interval soon`, status: 1 },
  { line: `kube-lock $N $L --polling-interval 0`, status: 1 },
  { line: `kube-lock $N $L --nope`, status: 1 },
  { line: `kube-lock $N $L --kubeconfig-path /nowhere`, status: 1 },
  { line: `kube-lock no-such-namespace $L --create-configmap`, status: 2, says: /no-such-namespace/ },
  { line: `kube-lock $N $L -v 2 --unlock`, status: 0 },
];

/** Starts a shell line in which the tools are links to klatch. */
async function shell(place: Place, line: string): Promise<RunningKlatch> {
  for (const name of ["klatch", "klock", "kubelock", "kube-lock"]) {
    if (!place.has(name)) await Deno.symlink(place.binary, place.file(name));
  }
  const PATH = `${place.dir}:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`;
  const env = { PATH, L: place.name, N: place.namespace };
  return place.klatch(["-c", line], { binary: "/bin/sh", env });
}

async function ran(place: Place, line: string): Promise<Finished> {
  return await (await shell(place, line)).finished;
}

/** The object of a place's lock that a strategy keeps. */
async function object(place: Place, strategy: Strategy): Promise<KubeObject | undefined> {
  return await place.bench.client.get({ resource: strategy.resource, ...place.bench.lock });
}

onServers("a script with", (test) => {
  for (
    const [tool, steps] of Object.entries({ "klock": KLOCK, "kubelock": KUBELOCK, "kube-lock": KUBE_LOCK })
  ) {
    test(`${tool} does what it did`, async (place) => {
      for (const { line, status, says, out } of steps) {
        const { code, stdout, stderr } = await ran(place, line);
        assertEquals(code, status, `${line}: ${stderr}`);
        if (says !== undefined) assertMatch(stderr, says, line);
        if (out !== undefined) assertEquals(stdout, out, line);
      }
      assertEquals(leftovers(), []);
    });
  }
});

onServers("klock", (test) => {
  test("leaves klock's record: its label, those that were asked for, a name that begins with klock", async (place) => {
    const running = await shell(place, `klock -l $L -n $N --labels team=db -- sh -c 'echo in; sleep 60'`);
    await running.line("stdout", /in/);
    const lease = await place.bench.object();
    assertEquals(lease.metadata.labels, {
      "app.kubernetes.io/managed-by": "k8s-lease-klock",
      team: "db",
    });
    const spec = (lease as Lease).spec as Record<string, unknown>;
    assertMatch(String(spec["holderIdentity"]), /^klock_/);
    assertEquals(spec["leaseDurationSeconds"], 15);
  });

  test("writes the name that it is given, and deletes the Lease only when it is told to", async (place) => {
    const show = `klock -l $L -n $N -i me -- sh -c 'echo $KLATCH_HOLDER'`;
    assertEquals((await ran(place, show)).stdout, "me\n");
    assert(await place.bench.object());
    for (const flag of ["-u", "--unlock", "--cleanup-lease"]) {
      assertEquals((await ran(place, `klock -l $L -n $N ${flag} -- true`)).code, 0);
      assertEquals(await place.bench.client.get(place.bench.ref), undefined);
    }
  });

  test("passes a signal on, and KILL follows when it is told to", async (place) => {
    const running = await shell(
      place,
      `exec klock -l $L -n $N -k 300ms -- sh -c 'trap "echo got it" TERM; echo in; while :; do sleep 0.1; done'`,
    );
    await running.line("stdout", /^in$/);
    running.signal("SIGTERM");
    const { code, stdout } = await running.finished;
    assertEquals([code, linesOf(stdout)], [255, ["in", "got it"]]);
    assertEquals(await place.holders(), []);
  });

  for (
    const [sent, chosen, seen, then, status] of [
      ["SIGINT", [], "TERM", "exit 0", 1],
      ["SIGINT", ["-s", "USR1"], "USR1", "exit 0", 1],
      ["SIGTERM", ["-s", "INT"], "INT", "exit 7", 7],
      ["SIGINT", ["-s", "HUP", "-k", "300ms"], "HUP", ":", 255],
    ] as const
  ) {
    test(`sends ${seen} to the command on ${sent}, and ends with ${status} if it does "${then}"`, async (place) => {
      const script =
        `for s in INT TERM HUP USR1; do trap "echo $s; ${then}" $s; done; echo in; while :; do sleep 0.1; done`;
      await Deno.writeTextFile(place.file("command.sh"), script);
      const running = await shell(
        place,
        `exec klock -l $L -n $N ${chosen.join(" ")} -- sh '${place.file("command.sh")}'`,
      );
      await running.line("stdout", /^in$/);
      running.signal(sent);
      const { code, stdout, stderr } = await running.finished;
      assertEquals([code, linesOf(stdout)], [status, ["in", seen]], stderr);
      assertEquals(await place.holders(), []);
    });
  }

  test("is cancelled by an INT that was ignored when it was started, as a shell does in the background", async (place) => {
    const running = await shell(
      place,
      `trap '' INT; exec klock -l $L -n $N -- sh -c 'echo in; exec sleep 60'`,
    );
    await running.line("stdout", /^in$/);
    running.signal("SIGINT");
    assertEquals((await running.finished).code, 255);
    assertEquals(await place.holders(), []);
  });

  test("ends with 1 and stops the command when the hold is lost", async (place) => {
    const running = await shell(
      place,
      `exec klock -l $L -n $N ${QUICK_FLAGS.join(" ")} -- sh -c 'echo in; sleep 60'`,
    );
    await running.line("stdout", /in/);
    await place.seize("thief");
    const { code, stderr } = await running.finished;
    assertEquals(code, 1);
    assertMatch(linesOf(stderr).at(-1) ?? "", /^klock: lost .*thief/);
    assertEquals(leftovers(), []);
  });
});

onServers("kubelock", (test) => {
  test("kills the command at the second signal", async (place) => {
    const command = `sh -c 'trap "echo got it" TERM; echo in; while :; do sleep 0.1; done'`;
    const running = await shell(place, `exec kubelock -name $L -namespace $N ${command}`);
    await running.line("stdout", /^in$/);
    running.signal("SIGTERM");
    await running.line("stdout", /^got it$/);
    running.signal("SIGINT");
    const { code, stderr } = await running.finished;
    assertEquals(code, 255, stderr);
    assertEquals(leftovers(), []);
  });

  test("keeps the lock in Endpoints, under the host's name", async (place) => {
    const running = await shell(place, `kubelock -name $L -namespace $N sh -c 'echo in; sleep 60'`);
    await running.line("stdout", /in/);
    const [holder] = viewOf(endpoints, await object(place, endpoints)).holders;
    assertMatch(holder?.identity ?? "", new RegExp(`^${Deno.hostname()}$`));
    assertEquals(holder?.leaseDurationMs, 15_000);
  });

  test("ends with 2 and stops the command when the hold is lost", async (place) => {
    const running = await shell(
      place,
      `exec kubelock -name $L -namespace $N -id me -lease-duration 3s -renew-deadline 2s -retry-period 500ms ` +
        `sh -c 'echo in; sleep 60'`,
    );
    await running.line("stdout", /in/);
    const held = await object(place, endpoints);
    const { uid = "", resourceVersion = "" } = held?.metadata ?? {};
    const ref = { resource: endpoints.resource, ...place.bench.lock };
    assertEquals((await place.bench.client.delete(ref, { uid, resourceVersion })).kind, "done");
    const { code, stderr } = await running.finished;
    assertEquals(code, 2);
    assertMatch(linesOf(stderr).at(-1) ?? "", /^kubelock: lost .*deleted/);
    assertEquals(leftovers(), []);
  });
});

onServers("kube-lock", (test) => {
  const record = async (place: Place) =>
    JSON.parse((await object(place, semaphore))?.metadata.annotations?.["kube-lock"] ?? "{}");

  test("leaves kube-lock's record, and changes nothing for who holds already", async (place) => {
    const line = `kube-lock $N $L --holder-name a --create-configmap --max-holders 3 --reason why`;
    assertEquals((await ran(place, line)).code, 0);
    const before = await object(place, semaphore);
    const { max, holders, ...more } = await record(place);
    assertEquals([max, Object.keys(holders), more], [3, ["a"], {}]);
    assertMatch(holders.a.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assertEquals(holders.a.reason, "why");
    assertEquals((await ran(place, line)).code, 0);
    assertEquals(await object(place, semaphore), before);
    await ran(place, `kube-lock $N $L --holder-name a --unlock`);
    assertEquals(await record(place), { max: 3, holders: {} });
  });

  test("gets no more in than there are places, of many at once", async (place) => {
    await ran(place, `kube-lock $N $L --holder-name first --create-configmap --max-holders 3`);
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => ran(place, `kube-lock $N $L --holder-name h${i} --run-once`)),
    );
    const codes = all.map(({ code }) => code);
    // One that met a conflict may have given up though a place was free; more than the places never got in.
    const inside = codes.filter((code) => code === 0).length;
    assert(inside <= 2 && codes.every((code) => code === 0 || code === 3), codes.join());
    assertEquals(Object.keys((await record(place)).holders).length, 1 + inside);
  });

  test("waits for a place without polling, and gets it when another gives it back", async (place) => {
    await ran(place, `kube-lock $N $L --holder-name a --create-configmap`);
    const waiting = await shell(place, `kube-lock $N $L --holder-name b`);
    await waiting.line("stderr", /waiting .*held by a/);
    await ran(place, `kube-lock $N $L --holder-name a --unlock`);
    const { code, stderr } = await waiting.finished;
    assertEquals(code, 0, stderr);
    assertEquals(Object.keys((await record(place)).holders), ["b"]);
  });

  test("leaves the queue when it is interrupted, and holds nothing", async (place) => {
    await ran(place, `kube-lock $N $L --holder-name a --create-configmap`);
    const waiting = await shell(place, `exec kube-lock $N $L --holder-name b`);
    await waiting.line("stderr", /waiting/);
    await until(async () => viewOf(semaphore, await object(place, semaphore)).waiters.length === 1);
    waiting.signal("SIGTERM");
    assertEquals((await waiting.finished).code, 2);
    const view = viewOf(semaphore, await object(place, semaphore));
    assertEquals([view.holders.map(({ identity }) => identity), view.waiters.length], [["a"], 0]);
  });

  test("is not given the place of a klatch that goes by the same name", async (place) => {
    const holder = await shell(
      place,
      `klatch run $L -n $N --strategy semaphore -i b -- sh -c 'echo in; sleep 60'`,
    );
    await holder.line("stdout", /in/);
    const { code, stderr } = await ran(place, `kube-lock $N $L --holder-name b --run-once`);
    assertEquals(code, 3);
    assertStringIncludes(stderr, "held by b");
    await ran(place, `kube-lock $N $L --holder-name b --unlock`);
    assertNotEquals(viewOf(semaphore, await object(place, semaphore)).holders, []);
  });
});
