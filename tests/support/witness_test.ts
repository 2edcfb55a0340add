import { after, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { assertNeverMoreThan, canWitness, gaps, parseVisits, Witness } from "./witness.ts";
import { isAlive } from "./watched_process.ts";

describe("the witness", { skip: !canWitness() && "needs flock(1) and date +%N" }, () => {
  let witness: Witness;
  const started: Deno.ChildProcess[] = [];
  const dirs: string[] = [];

  beforeEach(async () => {
    witness = await Witness.create();
    dirs.push(witness.dir);
  });
  after(async () => {
    for (const process of started) await kill(process);
    for (const dir of dirs) await Deno.remove(dir, { recursive: true });
  });

  /** Starts a visit without any lock, as the leader of a process group. */
  async function visit(id: string, body: string[]): Promise<Deno.ChildProcess> {
    const [program = "", ...args] = witness.command(id, body);
    const process = new Deno.Command(program, { args, detached: true, stdin: "null", stdout: "null" })
      .spawn();
    started.push(process);
    await witness.entered(id);
    return process;
  }

  /** Kills the whole group; resolves when the leader is gone. */
  async function kill(process: Deno.ChildProcess): Promise<void> {
    try {
      Deno.kill(-process.pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
    await process.status;
  }

  /** The process that runs the body. */
  async function bodyOf(process: Deno.ChildProcess): Promise<number> {
    return await witness.until("the body has been started", () => {
      const children = Deno.readTextFileSync(`/proc/${process.pid}/task/${process.pid}/children`);
      return Number(children.trim().split(" ")[0]) || undefined;
    });
  }

  it("is content with visits one after the other", async () => {
    for (const id of ["a", "b", "c"]) {
      const process = await visit(id, ["true"]);
      await process.status;
    }
    await witness.assertNeverMoreThan(1);
    const visits = await witness.visits();
    assertEquals(visits.map(({ id, place }) => [id, place]), [["a", 1], ["b", 1], ["c", 1]]);
    assertEquals(gaps(await Deno.readTextFile(witness.log)).length, 2);
  });

  it("catches two that are inside together", async () => {
    await visit("a", ["sleep", "60"]);
    await (await visit("b", ["true"])).status;
    await assertRejects(() => witness.assertNeverMoreThan(1), Error, "b was inside as number 2 of at most 1");
    await witness.assertNeverMoreThan(2);
  });

  it("catches an overlap with one that is killed later and never says that it left", async () => {
    const a = await visit("a", ["sleep", "60"]);
    const b = await visit("b", ["sleep", "60"]);
    await kill(a);
    await kill(b);
    await assertRejects(() => witness.assertNeverMoreThan(1), Error, "b was inside");
  });

  it("catches a child that outlives the killed command", async () => {
    const a = await visit("a", ["sleep", "60"]);
    await bodyOf(a);
    a.kill("SIGKILL");
    await a.status;
    await (await visit("b", ["true"])).status;
    await assertRejects(() => witness.assertNeverMoreThan(1), Error, "b was inside");
  });

  it("catches an overlap with one that is frozen", async () => {
    const a = await visit("a", ["sleep", "60"]);
    Deno.kill(a.pid, "SIGSTOP");
    await (await visit("b", ["true"])).status;
    await assertRejects(() => witness.assertNeverMoreThan(1), Error, "b was inside");
  });

  it("is content when a killed one and its children are dead before the next one enters", async () => {
    const a = await visit("a", ["sleep", "60"]);
    const body = await bodyOf(a);
    await kill(a);
    await witness.until("the body is dead", () => !isAlive(body));
    await (await visit("b", ["true"])).status;
    await witness.assertNeverMoreThan(1);
    assertEquals((await witness.visits()).map((v) => [v.id, v.leftMs === undefined]), [["a", true], [
      "b",
      false,
    ]]);
  });

  it("counts places of a semaphore: n are fine, one more is caught", async () => {
    for (const id of ["a", "b", "c"]) await visit(id, ["sleep", "60"]);
    await witness.assertNeverMoreThan(3);
    await assertRejects(() => witness.assertNeverMoreThan(2), Error, "as number 3 of at most 2");
  });

  it("is exact for many that come and go at once under a real lock of n places", async () => {
    // Two chains, each of which runs its visits one after the other: never more than two at a time.
    const script = `for i in 1 2 3 4 5 6 7 8 9 10; do ${
      witness.command("$0-$i", ["true"]).join(" ").replace("$0-$i", '"$0-$i"')
    }; done`;
    const chains = ["x", "y"].map((name) =>
      new Deno.Command("/bin/sh", { args: ["-c", script, name], stderr: "inherit" }).output()
    );
    await Promise.all(chains);
    assertEquals((await witness.visits()).length, 20);
    await witness.assertNeverMoreThan(2);
  });

  it("passes the command's exit status on", async () => {
    const [program = "", ...args] = witness.command("a", ["sh", "-c", "exit 7"]);
    assertEquals((await new Deno.Command(program, { args }).output()).code, 7);
  });

  it("shows who is inside now", async () => {
    const a = await visit("a", ["sleep", "60"]);
    const entered = await witness.entered("a");
    assertEquals((await witness.inside()).map((v) => v.id), ["a"]);
    assertEquals(entered.pid, a.pid);
    await kill(a);
    assertEquals(await witness.inside(), []);
  });
});

describe("a witness's log", () => {
  it("proves nothing when it is empty", () => {
    assertThrows(() => assertNeverMoreThan(1, ""), Error, "nobody was ever inside");
  });

  it("is checked for the order of its lines too", () => {
    const log = "enter a 1 1 1000\nenter b 2 1 2000\nexit a 1 1 3000\nexit b 2 1 4000\n";
    assertThrows(() => assertNeverMoreThan(1, log), Error, "b entered while 1 had not left");
    assertNeverMoreThan(2, log);
  });

  it("is refused when it has a line that is none", () => {
    for (const line of ["broken a", "enter a", "enter a 1 1 date", "exit a 1 1 5"]) {
      assertThrows(() => assertNeverMoreThan(1, `enter b 9 1 5\n${line}\n`), Error);
    }
  });

  it("may end in a line that is being written", () => {
    assertEquals(parseVisits("enter a 1 1 1000\nexit a 1").length, 1);
  });

  it("gives gaps in milliseconds, and none after a command that was killed", () => {
    const log = "enter a 1 1 1000000\nexit a 1 1 2000000\nenter b 2 1 4500000\nenter c 3 1 9000000\n";
    assertEquals(gaps(log), [2.5]);
  });
});
