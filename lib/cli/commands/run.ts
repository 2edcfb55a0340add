/**
 * `klatch run NAME -- COMMAND`: runs a command while holding a lock.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { runLocked } from "../run.ts";
import { holdFlags, readRunOptions } from "../run_options.ts";

/** The command. */
export const run: Command = {
  name: "run",
  summary: "run a command while holding a lock",
  usage: "klatch run NAME [flags] -- COMMAND [ARG…]",
  description:
    "At most one command runs at a time under the lock NAME. A second run waits and shows who holds the lock;\n" +
    "the command is stopped before anybody else can acquire the lock.",
  flags: holdFlags,
  examples: [
    { title: "Deploy, one at a time", line: `klatch run deploy --reason "release 1.4" -- ./deploy.sh` },
    { title: "Fail at once if the lock is held", line: "klatch run deploy --wait 0 -- ./deploy.sh" },
    { title: "Wait for ten minutes at most", line: "klatch run deploy --wait 10m -- ./deploy.sh" },
    {
      title: "Run at most three at a time",
      line: "klatch run import --strategy semaphore --slots 3 -- ./import.sh",
    },
    { title: "First come, first served", line: "klatch run queue --strategy ticket -- ./work.sh" },
  ],
  notes: `Exit status: the command's own, or
  128+n  signal n ended the command, or klatch while it waited
  123    the lock was lost while the command ran
  124    the lock was not acquired in time (-E changes it)
  125    klatch itself failed: usage, cluster, permission, guard
  126    the command cannot be executed
  127    the command was not found
`,
  async run(parsed, host) {
    return await runLocked(readRunOptions(run, parsed, (name) => host.env(name)), host);
  },
};
