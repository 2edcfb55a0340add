/**
 * `klatch once KEY -- COMMAND`: runs a command until it has succeeded once, whoever runs it.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { guardedRun, type HeldRun } from "../../guarded_run.ts";
import { AlreadySucceeded, checkOneHolder, Once, type OnceTerms } from "../../once/once.ts";
import type { Command } from "../command.ts";
import { readDuration } from "../duration.ts";
import type { Parsed } from "../flags.ts";
import type { Host } from "../host.ts";
import { type LockedRun, runLocked } from "../run.ts";
import { holdFlags, readRunOptions, SEVERAL_HOLDERS } from "../run_options.ts";
import { wholeNumber } from "../strategy_flags.ts";

/** More attempts than anybody makes: the largest number of 32 bits. */
const MOST_ATTEMPTS = 2 ** 31 - 1;

/** The command. */
export const once: Command = {
  name: "once",
  summary: "run a command until it has succeeded once",
  usage: "klatch once KEY [flags] -- COMMAND [ARG…]",
  description:
    "Of all who run it with one KEY, one runs the command at a time. As soon as one has succeeded, the others and all\n" +
    "later ones end with 0 and run nothing. A failure is not remembered: the next one tries. KEY is the name of the lock.",
  flags: [
    { name: "ttl", value: "DUR", help: "how long a success counts (default: for ever)" },
    {
      name: "attempts",
      value: "N",
      help: "the most attempts, by all together, until one succeeds (default: no limit)",
    },
    { name: "rerun", help: "forget successes and attempts from before" },
    ...holdFlags.filter(({ name }) => name !== "cleanup" && !SEVERAL_HOLDERS.includes(name)),
  ],
  examples: [
    {
      title: "Migrate a database once for each version",
      line: 'klatch once "migrate-$VERSION" -- ./migrate.sh',
    },
    {
      title: "Give up after three attempts of all replicas together",
      line: "klatch once seed --attempts 3 -- ./seed.sh",
    },
    { title: "At most once a day", line: "klatch once report --ttl 24h -- ./report.sh" },
    { title: "Run it again although it has succeeded", line: "klatch once seed --rerun -- ./seed.sh" },
  ],
  notes:
    `The command sees KLATCH_ATTEMPT, from 1 up. If klatch or its machine dies between the command's success and
the record of it, the command runs again.

Exit status: 0 if the command has succeeded, now or before; the command's own if it failed, or
  128+n  signal n ended the command, or klatch while it waited
  123    the lock was lost before the command's success was recorded
  124    the lock was not acquired in time (-E changes it)
  125    klatch itself failed, or --attempts were made without success
  126    the command cannot be executed
  127    the command was not found
`,
  async run(parsed, host) {
    const options = readRunOptions(once, parsed, (name) => host.env(name));
    checkOneHolder("once", options.strategies);
    const terms = readTerms(parsed);
    return await runLocked({ ...options, cleanup: false }, host, (run) => runOnce(run, terms, host));
  },
};

function readTerms(parsed: Parsed): OnceTerms {
  const ttlMs = readDuration(parsed, "ttl");
  if (ttlMs === 0) {
    throw new KlatchError("usage", "--ttl is 0", { hint: "give a time above 0, or use klatch run" });
  }
  const attempts = parsed.text("attempts");
  return {
    ttlMs,
    attempts: attempts === undefined ? undefined : wholeNumber(attempts, "--attempts", 1, MOST_ATTEMPTS),
    rerun: parsed.on("rerun"),
  };
}

async function runOnce({ make, lock, reporter }: LockedRun, terms: OnceTerms, host: Host): Promise<number> {
  const run = make();
  const once = new Once(lock, terms, host.clock);
  const work = async ({ hold, run: runCommand }: HeldRun) => {
    const attempt = await once.begin(hold);
    if (attempt > 1 || terms.attempts !== undefined) reporter.attempt(attempt, terms.attempts);
    const status = await runCommand({ KLATCH_ATTEMPT: String(attempt) });
    if (status !== 0) return status;
    try {
      reporter.succeeded(await once.succeed(hold, run.me.identity));
    } catch (error) {
      reporter.warn("the command succeeded, but it is not known whether that was recorded: it may run again");
      throw error;
    }
    return status;
  };
  try {
    return await guardedRun({ ...run, observe: once.observe, work });
  } catch (error) {
    if (!(error instanceof AlreadySucceeded)) throw error;
    reporter.alreadySucceeded(error.success);
    return 0;
  }
}
