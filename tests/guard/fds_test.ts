/**
 * The guard in narrow places: a root file system that cannot be written and holds no shell, a user without rights, PID
 * namespaces where klatch is PID 1 or its child; and on a terminal, where the command stays in klatch's group.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { terminalTree } from "../../lib/process/group.ts";
import { processStat } from "../../lib/process/proc.ts";
import { spawnCommand } from "../../lib/process/spawn.ts";
import { leftovers, onServers, type Place, QUICK_FLAGS } from "../e2e/place.ts";
import { census, FOREVER, guardOf, guardsOf, send } from "../support/guards.ts";
import { canRun, runs, shellLine, startOnTerminal, until } from "../support/processes.ts";
import { sandboxOnly } from "../support/servers.ts";

const isRoot = Deno.uid() === 0;
const noMounts = isRoot && canRun("unshare", "--mount", "true") && canRun("chroot", "--version") &&
    canRun("ldd", "--version")
  ? undefined
  : "needs root, unshare(1), chroot(1) and ldd(1)";
const noUser = isRoot && canRun("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true")
  ? undefined
  : "needs root and setpriv(1)";
const noPids = canRun("unshare", "--pid", "--fork", "--mount-proc", "true")
  ? undefined
  : "needs PID namespaces";
const noTerminal = canRun("script", "--version") ? undefined : "needs script(1)";

/** Makes a folder that holds programs, the libraries that they need, and a kubeconfig. */
async function makeRoot(place: Place, programs: Readonly<Record<string, string>>): Promise<string> {
  const root = place.file("root");
  await Deno.mkdir(`${root}/proc`, { recursive: true });
  for (const [name, from] of Object.entries(programs)) {
    await Deno.copyFile(from, `${root}/${name}`);
    const { stdout } = await new Deno.Command("ldd", { args: [from] }).output();
    for (const [, library] of new TextDecoder().decode(stdout).matchAll(/(\/\S+) \(0x/g)) {
      await Deno.mkdir(`${root}${library!.slice(0, library!.lastIndexOf("/"))}`, { recursive: true });
      await Deno.copyFile(library!, `${root}${library}`);
    }
  }
  await Deno.copyFile(place.server.kubeconfigFile, `${root}/config`);
  return root;
}

/** The processes with a name of which one is an ancestor. */
function childrenOf(pid: number, name: string): number[] {
  return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((each) => {
    if (!(each > 0) || !runs(each) || processStat(each)?.ppid !== pid) return false;
    return Deno.readTextFileSync(`/proc/${each}/comm`).trim() === name;
  });
}

onServers("the guard", (test) => {
  test("works where nothing can be written and there is no shell", async (place) => {
    const sleep = new TextDecoder().decode(
      (await new Deno.Command("which", { args: ["sleep"] }).output()).stdout,
    );
    const root = await makeRoot(place, { klatch: place.binary, sleep: sleep.trim() });
    const inside = `mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; mount -t proc proc "$0/proc"
      ! test -w "$0/sleep" && exec chroot "$0" /klatch "$@"`;
    const words = place.words(["--kubeconfig", "/config", "-k", "100ms"], ["/sleep", "600"]);
    const running = place.klatch(["--mount", "sh", "-c", inside, root, ...words], { binary: "unshare" });
    await running.line("stderr", /acquired/);
    await until(() => childrenOf(running.pid, "sleep").length === 1);
    const [command] = childrenOf(running.pid, "sleep");
    const guard = await guardOf(running.pid);
    running.signal("SIGKILL");
    await until(() => !runs(command!) && !runs(guard));
    assertStringIncludes((await running.finished).stderr, "klatch guard: klatch was killed");
  }, noMounts);

  test("works for a user without rights", async (place) => {
    const config = place.file("config");
    await Deno.copyFile(place.server.kubeconfigFile, config);
    await Deno.chmod(place.dir, 0o755);
    await Deno.chmod(config, 0o644);
    const binary = place.file("klatch");
    await Deno.copyFile(place.binary, binary);
    await Deno.chmod(binary, 0o755);
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups", binary];
    const flags = ["--kubeconfig", config, ...QUICK_FLAGS];
    const deaf = `trap '' TERM; (echo "all $$ $(sh -c 'echo $PPID')."; ${FOREVER}); ${FOREVER}`;
    for (const both of [false, true]) {
      const running = place.klatch([...user, ...place.words(flags, ["sh", "-c", deaf])], {
        binary: "setpriv",
      });
      const line = await running.line("stdout", /all \d+ \d+\./);
      const pids = /all (\d+) (\d+)\./.exec(line)!.slice(1).map(Number);
      assertEquals(pids.filter(runs), pids);
      const guard = await guardOf(running.pid);
      send("SIGKILL", running.pid, ...(both ? [guard] : []));
      const heir = await place.run(QUICK_FLAGS, census(pids));
      assertEquals(heir.stdout, "left:\n");
    }
  }, noUser);

  test("works where klatch is PID 1", async (place) => {
    const namespace = ["--pid", "--fork", "--mount-proc", place.binary];
    const normal = await place.klatch([...namespace, ...place.words([], ["sh", "-c", "exit 7"])], {
      binary: "unshare",
    }).finished;
    assertEquals(normal.code, 7);
    const running = place.klatch(
      [
        ...namespace,
        ...place.words(QUICK_FLAGS, ["sh", "-c", `trap 'echo told; exit 0' TERM; echo ready; ${FOREVER}`]),
      ],
      { binary: "unshare" },
    );
    await running.line("stdout", /ready/);
    const [klatch] = childrenOf(running.pid, "klatch");
    assertEquals(guardsOf(klatch!).length, 1);
    send("SIGSTOP", klatch!);
    await running.line("stdout", /told/);
    send("SIGCONT", klatch!);
    assertEquals((await running.finished).code, 123);
  }, noPids);

  test("works where klatch is a child of PID 1, in its session, that reaps nothing", async (place) => {
    const deaf = `trap '' TERM; echo ready; ${FOREVER}`;
    for (const stopped of [false, true]) {
      const words = [place.binary, ...place.words(QUICK_FLAGS, ["sh", "-c", deaf])];
      const init = `${shellLine(words)} & read line; exit 0`;
      const running = place.klatch(["--pid", "--fork", "--mount-proc", "sh", "-c", init], {
        binary: "unshare",
        stdin: "open",
      });
      await running.line("stdout", /ready/);
      const [one] = childrenOf(running.pid, "sh");
      const [klatch] = childrenOf(one!, "klatch");
      const guard = await guardOf(klatch!);
      const [command] = childrenOf(klatch!, "sh");
      if (stopped) send("SIGSTOP", guard);
      send("SIGKILL", klatch!);
      await until(() => !runs(command!) && !runs(guard));
      assertEquals(runs(one!), true);
      await running.closeStdin();
      await running.finished;
      await until(() => leftovers().length === 0);
    }
  }, noPids);

  test(
    "on a terminal finds the command of a klatch that is killed, the moment that it has started it or later",
    async (place) => {
      const deaf = `trap '' TERM; echo child $$.; ${FOREVER}`;
      for (const kill of ["kill -9 $PPID;", ""]) {
        const script = `${kill} trap '' TERM; sh -c ${
          shellLine([deaf])
        } & echo "parent $$ klatch $PPID."; ${FOREVER}`;
        const words = [place.binary, ...place.words(["-q", ...QUICK_FLAGS], ["sh", "-c", script])];
        const line = `${
          shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
        }; sleep 600`;
        await using terminal = startOnTerminal(line);
        const pids = (await terminal.seen(/(?:.|\s)*parent (\d+) klatch \d+\./)).map(Number);
        pids.push(Number((await terminal.seen(/child (\d+)\./))[0]));
        if (kill === "") {
          const [klatch] = (await terminal.seen(/klatch (\d+)\./)).map(Number);
          assertEquals(pids.map((pid) => processStat(pid)?.pgid), [
            processStat(klatch!)?.pgid,
            processStat(klatch!)?.pgid,
          ]);
          send("SIGKILL", klatch!);
        }
        const heir = await place.run(QUICK_FLAGS, census(pids));
        assertEquals([heir.code, heir.stdout], [0, "left:\n"]);
      }
    },
    noTerminal,
  );

  test("on a terminal acts when klatch is stopped, and not on Ctrl-C", async (place) => {
    const script = `trap 'echo int.' INT; trap 'echo told.; exit 0' TERM; echo "klatch $PPID."; ${FOREVER}`;
    const words = [place.binary, ...place.words(["-q", ...QUICK_FLAGS], ["sh", "-c", script])];
    // The shell between stays, since script(1) stops itself when its child is stopped, and survives Ctrl-C.
    const line = `trap : INT; ${
      shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
    }; exit $?`;
    await using terminal = startOnTerminal(line);
    const [klatch] = (await terminal.seen(/klatch (\d+)\./)).map(Number);
    const guard = await guardOf(klatch!);
    await terminal.type("\x03");
    await terminal.seen(/(int)\./);
    assertEquals(await guardOf(klatch!), guard);
    send("SIGSTOP", klatch!);
    await terminal.seen(/(told)\./);
    send("SIGCONT", klatch!);
    assertEquals((await terminal.end()).code, 123);
  }, noTerminal);

  test("on a terminal and klatch both killed: the kernel kills the command itself", async (place) => {
    const script = `trap '' TERM; echo "pids $$ $PPID."; ${FOREVER}`;
    const words = [place.binary, ...place.words(["-q"], ["sh", "-c", script])];
    const line = `exec ${
      shellLine(["env", `KUBECONFIG=${place.server.kubeconfigFile}`, ...words])
    }; sleep 600`;
    await using terminal = startOnTerminal(line);
    const [command, klatch] = (await terminal.seen(/pids (\d+) (\d+)\./)).map(Number);
    send("SIGKILL", await guardOf(klatch!), klatch!);
    await until(() => !runs(command!));
  }, noTerminal);
}, sandboxOnly());

describe("a number that means another process by now", () => {
  it("gets no signal", async () => {
    const other = spawnCommand({ argv: ["sleep", "600"], group: "own" });
    const stale = terminalTree({ pid: other.pid, startTime: other.startTime - 1 });
    assertEquals(stale.alive(), []);
    stale.signal(9);
    const known = terminalTree(other);
    assertEquals([known.alive(), runs(other.pid)], [[other.pid], true]);
    known.signal(15);
    assertEquals(await other.exit, { signal: 15 });
  });
});
