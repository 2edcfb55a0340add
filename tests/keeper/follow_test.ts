/**
 * The choice of the process that a keeper follows, over tables of processes.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { chooseFollowed, descendantsOf, type FollowRequest } from "../../lib/keeper/follow.ts";
import type { ProcessEntry } from "../../lib/process/layer.ts";

/** A table from `pid ppid session name` lines. */
function table(...lines: string[]): ProcessEntry[] {
  return lines.map((line) => {
    const [pid, ppid, session, name = ""] = line.split(" ");
    return {
      pid: Number(pid),
      ppid: Number(ppid),
      session: Number(session),
      startTime: Number(pid) * 10,
      name,
    };
  });
}

function chosen(processes: ProcessEntry[], request: FollowRequest) {
  return chooseFollowed((pid) => processes.find((each) => each.pid === pid), request);
}

const runner = table(
  "1 0 1 systemd",
  "50 1 50 Runner.Listener",
  "60 50 50 Runner.Worker",
  "70 60 50 bash",
  "80 70 50 klatch",
);

describe("the followed process", () => {
  it("is the one that was asked for", () => {
    assertEquals(chosen(runner, { self: 80, given: 50, isJob: true }), {
      pid: 50,
      startTime: 500,
      name: "Runner.Listener",
    });
  });
  it("cannot be one that does not run", () => {
    assertThrows(() => chosen(runner, { self: 80, given: 99, isJob: true }), RangeError);
  });
  it("is the job's worker on a runner, whatever shells are between", () => {
    assertEquals(chosen(runner, { self: 80, isJob: true }).pid, 60);
  });
  it("is the calling shell on a terminal", () => {
    const terminal = table("1 0 1 systemd", "20 1 20 sshd", "30 20 30 bash", "40 30 30 klatch");
    assertEquals(chosen(terminal, { self: 40, isJob: false }).pid, 30);
  });
  it("is the session's leader in a job whose worker cannot be seen", () => {
    const nested = table("1 0 1 entry", "20 1 20 service", "30 20 20 sh", "40 30 20 klatch");
    assertEquals(chosen(nested, { self: 40, isJob: true }).pid, 20);
  });
  it("is nothing if the session came with the step, as in a container", () => {
    const step = table("1 0 1 tail", "30 0 30 sh", "40 30 30 klatch");
    const { pid, ...rest } = chosen(step, { self: 40, isJob: true });
    assertEquals([pid, "why" in rest], [undefined, true]);
  });
  it("is nothing if no ancestor can be seen", () => {
    assertEquals(chosen(table("40 0 40 klatch"), { self: 40, isJob: false }).pid, undefined);
  });
  it("is found in a table with a circle", () => {
    const circle = table("10 20 10 a", "20 10 10 b", "30 20 10 klatch");
    assertEquals(chosen(circle, { self: 30, isJob: false }).pid, 20);
  });
});

describe("the descendants of a process", () => {
  it("are its children and theirs, in any order of the table, without itself", () => {
    const processes = table("4 3 1 d", "3 2 1 c", "2 1 1 b", "9 1 1 other", "5 2 1 e");
    assertEquals(descendantsOf(2, processes).map(({ pid }) => pid), [4, 3, 5]);
  });
});
