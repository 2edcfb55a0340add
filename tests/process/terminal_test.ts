/**
 * Running a command on a terminal: keys do what they do without klatch, and the command's processes are told from
 * the rest of klatch's own group. On a pseudo-terminal made by script(1).
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { processStat } from "../../lib/process/linux/proc.ts";
import {
  canRun,
  probeWords,
  type Running,
  runs,
  shellLine,
  startOnTerminal,
  until,
} from "../support/processes.ts";

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
const FOREVER = "while :; do sleep 0.02; done";

const missing = canRun("script", "--version") && canRun("bash", "--version")
  ? undefined
  : "no script(1) or bash here";

/** A test that needs a terminal. */
function onTerminal(name: string, test: () => Promise<void>): void {
  it(missing === undefined ? name : `${name} (skipped: ${missing})`, { skip: missing !== undefined }, test);
}

function probeLine(script: string, run?: string): string {
  return "exec " + shellLine(probeWords(run === undefined ? {} : { run }, ["sh", "-c", script]));
}

/** Lines as a terminal prints them, with what it echoes left in. */
function text(running: Running): string {
  return running.out.replaceAll("\r", "");
}

describe("on a terminal", () => {
  onTerminal("a command that reads gets what is typed", async () => {
    await using terminal = startOnTerminal(
      probeLine('test -t 0 && echo ready; read -r line; echo "read: $line"; exit 3'),
    );
    await terminal.seen(/ready()/);
    await terminal.type("hello there\n");
    assertEquals((await terminal.end()).code, 3);
    assertStringIncludes(text(terminal), "read: hello there\n");
  });

  onTerminal("Ctrl-C reaches the command once, and klatch waits for what it does", async () => {
    const script = `n=0; trap 'n=$((n+1)); echo "int $n."' INT; trap 'echo "in all $n."; exit 7' USR1
      echo "ready $PPID."; ${FOREVER}`;
    await using terminal = startOnTerminal(probeLine(script));
    const [probe] = await terminal.seen(/ready (\d+)\./);
    for (const times of [1, 2, 3]) {
      await terminal.type(CTRL_C);
      await terminal.seen(new RegExp(`int ${times}\\.()`));
    }
    Deno.kill(Number(probe), "SIGUSR1");
    assertEquals((await terminal.end()).code, 7);
    assertStringIncludes(text(terminal), "in all 3.");
  });

  onTerminal("a signal to klatch that no terminal sends is passed on", async () => {
    await using terminal = startOnTerminal(probeLine(`trap 'exit 9' TERM; echo "ready $PPID."; ${FOREVER}`));
    const [probe] = await terminal.seen(/ready (\d+)\./);
    Deno.kill(Number(probe), "SIGTERM");
    assertEquals((await terminal.end()).code, 9);
  });

  onTerminal("Ctrl-Z stops klatch and the command, and fg goes on with both", async () => {
    await using terminal = startOnTerminal("PS1='$ ' bash --norc --noprofile -i");
    await terminal.type(`(${probeLine('echo "pids $PPID $$."; read -r line; echo "read: $line."')})\n`);
    const pids = (await terminal.seen(/pids (\d+) (\d+)\./)).map(Number);
    await terminal.type(CTRL_Z);
    await until(() => pids.every((pid) => processStat(pid)?.state === "T"));
    await terminal.seen(/(Stopped)/);
    await terminal.type("fg\n");
    await until(() => pids.every((pid) => processStat(pid)?.state !== "T"));
    await terminal.type("more\n");
    await terminal.seen(/read: (more)\./);
    await until(() => !pids.some(runs));
    await terminal.type("exit 0\n");
    assertEquals((await terminal.end()).code, 0);
  });

  onTerminal("a lost hold ends all of the command, and the rest of the pipeline goes on", async () => {
    // A child that was re-parented, one in a job of its own, and one that ignores TERM.
    const script = `set -m; (sleep 600 & echo "orphan $!." >&2); sleep 600 & echo "job $!." >&2
      sh -c 'trap "" TERM; echo "deaf $$." >&2; ${FOREVER}' & echo "all $PPID." >&2; wait`;
    const probe = shellLine(probeWords({ killAfterMs: 50 }, ["sh", "-c", script]));
    await using terminal = startOnTerminal(
      `${probe} | (cat; echo "mate lives."); echo "shell lives."; read -r line`,
    );
    const children: number[] = [];
    for (const name of ["orphan", "job", "deaf"]) {
      children.push(Number((await terminal.seen(new RegExp(`${name} (\\d+)\\.`)))[0]));
    }
    const [pid] = await terminal.seen(/all (\d+)\./);
    assertEquals(children.filter(runs), children);
    Deno.kill(Number(pid), "SIGALRM");
    // Looked at while the terminal is still there: its end would end them too.
    await terminal.seen(/(shell lives)\./);
    assertEquals(children.filter(runs), []);
    // The shell may have ended already: its read fails when a job that was killed has had the terminal last.
    await terminal.type("\n").catch(() => {});
    await terminal.end();
    assertMatch(text(terminal), /mate lives\.\n(.*\n)*shell lives\.\n/);
  });

  onTerminal("a mark that klatch itself carries does not make its neighbours the command's", async () => {
    const command = probeLine('sleep 600 & echo "pids $PPID $!."; wait', "same");
    const line = `export KLATCH_RUN=same; sleep 600 & (${command}); echo "status $?."
      kill -0 $! && echo "neighbour lives."; kill $!; read -r line`;
    await using terminal = startOnTerminal(line);
    const [probe, child] = (await terminal.seen(/pids (\d+) (\d+)\./)).map(Number);
    Deno.kill(probe!, "SIGALRM");
    await terminal.seen(/status (143)\./);
    assertEquals(runs(child!), false);
    await terminal.seen(/neighbour (lives)\./);
    await terminal.type("\n");
    await terminal.end();
  });
});
