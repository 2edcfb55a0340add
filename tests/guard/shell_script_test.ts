/**
 * The guard that a shell is, on a /proc of which a part is made by a test: what cannot be brought about at will in the
 * real one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SHELL_GUARD } from "../../lib/guard/linux/shell_script.ts";
import type { SpawnedCommand } from "../../lib/process/layer.ts";
import { kill } from "../../lib/process/linux/libc/signals.ts";
import { hasMark } from "../../lib/process/linux/mark.ts";
import { spawnCommand } from "../../lib/process/linux/spawn.ts";
import { isPortable } from "../support/layer.ts";
import { canRun, runs, until } from "../support/processes.ts";

const MARK = { name: "KLATCH_GUARD_TEST", value: "0123456789abcdef" };
const MARKED = `A=1\\0${MARK.name}=${MARK.value}\\0B=2\\0`;

/** A folder in the place of /proc. It shows a guard, and one process whose environment a test writes. */
class PartOfProc {
  readonly dir = Deno.makeTempDirSync();
  /** What the guard hears from klatch. */
  readonly #said = this.#fifo("said");

  constructor() {
    Deno.symlinkSync("/proc/uptime", `${this.dir}/uptime`);
  }

  #fifo(name: string): string {
    const path = `${this.dir}/${name}`;
    new Deno.Command("mkfifo", { args: [path] }).outputSync();
    return path;
  }

  /** Starts the guard of a klatch that was killed while it started a command with the mark. */
  guard(shell: readonly string[]): SpawnedCommand {
    const script = SHELL_GUARD.replaceAll("/proc/", `${this.dir}/`);
    const line = `cd "$1"; shift; ln -s "/proc/$$" "$$"; exec "$@" <said >/dev/null 2>&1`;
    const guardWords = [
      ...shell,
      "-c",
      script,
      "klatch-guard",
      "own",
      "15",
      "0",
      "0",
      `${MARK.name}=${MARK.value}`,
      "",
    ];
    return spawnCommand({ argv: ["sh", "-c", line, "sh", this.dir, ...guardWords], group: "own" });
  }

  /** Shows a process that has left the group of the guard. */
  showStray(pid: number): void {
    Deno.mkdirSync(`${this.dir}/${pid}`);
    Deno.symlinkSync(`/proc/${pid}/stat`, `${this.dir}/${pid}/stat`);
    this.#fifo(`${pid}/environ`);
  }

  /** Shows a process that leaves the group of the guard after the guard has looked. */
  showAtHome(pid: number, guard: SpawnedCommand): void {
    Deno.mkdirSync(`${this.dir}/${pid}`);
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    Deno.writeTextFileSync(
      `${this.dir}/${pid}/stat`,
      stat.replace(/(\) \S+ \d+) \d+/, `$1 ${guard.pgid}`),
    );
  }

  /** What klatch said before it was killed. */
  async klatchSaid(text: string): Promise<void> {
    await Deno.writeTextFile(this.#said, text);
  }

  /**
   * Starts a process that has whoever reads the environment read one answer after the other, and the last one for ever.
   * It goes on to the next when the file has been closed, since who still reads would read that too.
   *
   * @param answers what printf(1) makes them from.
   */
  answer(pid: number, answers: readonly string[]): SpawnedCommand {
    const script = `file=$1; shift
      isOpen() { for fd in /proc/[0-9]*/fd/*; do [ "$fd" -ef "$file" ] && return; done; return 1; }
      while :; do printf "$1" >"$file"; [ $# -eq 1 ] || shift; while isOpen; do sleep 0.01; done; done`;
    const argv = ["bash", "-c", script, "bash", `${this.dir}/${pid}/environ`, ...answers];
    return spawnCommand({ argv, group: "own" });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

const SHELLS: readonly (readonly string[])[] = [["sh"], ["bash"], ["busybox", "sh"]];
const needs = isPortable ? "no shell guards there" : canRun("bash", "--version") ? undefined : "needs bash";

describe("a guard whose klatch was killed while it started a command", () => {
  for (const shell of SHELLS) {
    const skip = needs ?? (canRun(...shell as [string], "-c", "true") ? undefined : `needs ${shell[0]}`);
    const test = (
      what: string,
      run: (proc: PartOfProc, guard: SpawnedCommand, command: SpawnedCommand) => Promise<SpawnedCommand[]>,
    ) =>
      it(`as ${shell.join(" ")} ${what}`, { skip }, async () => {
        using proc = new PartOfProc();
        const guard = proc.guard(shell);
        const command = spawnCommand({ argv: ["sleep", "600"], group: "own" });
        const started = [guard, command];
        try {
          started.push(...await run(proc, guard, command));
          await guard.exit;
          // A process that was killed may still be ending.
          await until(() => !runs(command.pid));
        } finally {
          for (const { pgid } of started) kill(-pgid, 9);
          await Promise.all(started.map(({ exit }) => exit));
        }
      });

    test("looks again at a process that may be executing a program", async (proc, _, { pid }) => {
      proc.showStray(pid);
      const answers = proc.answer(pid, ["", "", "", MARKED]);
      await proc.klatchSaid("starting\n");
      return [answers];
    });

    for (const isTold of [false, true]) {
      const knows = isTold ? "that it was told of" : "that it was not told of yet";
      test(`kills a command ${knows}, though it leaves the group now`, async (proc, guard, command) => {
        proc.showAtHome(command.pid, guard);
        await proc.klatchSaid(
          `starting\n${isTold ? `command ${command.pid} ${command.startTime}\n` : ""}`,
        );
        return [];
      });
    }
  }
});

describe("the mark of a run", () => {
  it("is looked for again where a process has no environment, as while it executes a program", async () => {
    const command = spawnCommand({ argv: ["sleep", "600"], group: "own" });
    try {
      const answers = ["", "", MARKED.replaceAll("\\0", "\0")];
      const read = () => new TextEncoder().encode(answers.shift());
      assertEquals([hasMark(MARK, read)(command.pid), answers], [true, []]);
    } finally {
      kill(command.pid, 9);
      await command.exit;
    }
  });

  it("is not looked for again where a process has ended", () => {
    let reads = 0;
    const read = () => (reads++, new Uint8Array());
    assertEquals([hasMark(MARK, read)(2 ** 22 + 1), reads], [false, 1]);
  });
});
